//! Every contender on every path, one thread, in process, release with thin LTO.
//!
//! By the cheapest entry that a host may use in process; then the endpoints once more as a tower service in an axum app.
//!
//! What is timed is the answer to a request that is already built, with its body read to the end and dropped. Codes and
//! refresh tokens are some thousand requests old when they are spent, as far out of the processor's caches as in life. Each
//! sample starts with an empty store, so that no contender is measured with what another path or sample has left.

use std::cell::RefCell;
use std::path::Path as FilePath;
use std::time::Duration;

use contenders::{AT_HAND, Caller, Contender, Floor, Mounted, OauthAs, Ours, Oxide, Path};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion};

/// What is also measured as a host has it: as a tower service in an axum app, on a tokio runtime.
const MOUNTED: [Path; 4] = [Path::ClientCredentials, Path::Code, Path::Refresh, Path::Introspection];

fn mounted(path: Path) -> String {
    format!("{} in axum", path.name())
}

fn measure<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, path: Path) {
    if !C::supports(path) {
        return;
    }
    group.bench_function(C::NAME, |bencher| {
        let caller = RefCell::new(Caller::<C>::new(path));
        bencher.iter_batched(
            || caller.borrow_mut().request(),
            |request| drop(caller.borrow_mut().send(request)),
            BatchSize::NumIterations(AT_HAND),
        );
    });
}

fn side_by_side<A: Contender, B: Contender, C: Contender, D: Contender>(
    mut group: BenchmarkGroup<'_, WallTime>,
    path: Path,
) {
    measure::<A>(&mut group, path);
    measure::<B>(&mut group, path);
    measure::<C>(&mut group, path);
    measure::<D>(&mut group, path);
    group.finish();
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _context = runtime.enter();
    let home = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    let mut criterion = Criterion::default()
        .output_directory(&home)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .without_plots()
        .configure_from_args();
    for path in Path::ALL {
        let group = criterion.benchmark_group(path.name());
        side_by_side::<Floor, Ours, OauthAs, Oxide>(group, path);
    }
    for path in MOUNTED {
        let group = criterion.benchmark_group(mounted(path));
        side_by_side::<Mounted<Floor>, Mounted<Ours>, Mounted<OauthAs>, Mounted<Oxide>>(group, path);
    }
    criterion.final_summary();
    let names = [Floor::NAME, Ours::NAME, OauthAs::NAME, Oxide::NAME];
    let groups: Vec<_> =
        Path::ALL.map(|path| path.name().to_owned()).into_iter().chain(MOUNTED.map(mounted)).collect();
    println!("\n{}", peers::table(&home, &groups, &names, Ours::NAME));
}
