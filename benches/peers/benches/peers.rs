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

use contenders::{Caller, Contender, Floor, Mounted, OauthAs, Ours, Oxide, Path};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion};

/// Requests that are built before any of them is timed: few, since a server answers a request that it has just read.
const AT_HAND: u64 = 4;

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
        let mut group = criterion.benchmark_group(path.name());
        measure::<Floor>(&mut group, path);
        measure::<Ours>(&mut group, path);
        measure::<OauthAs>(&mut group, path);
        measure::<Oxide>(&mut group, path);
        group.finish();
    }
    for path in MOUNTED {
        let mut group = criterion.benchmark_group(mounted(path));
        measure::<Mounted<Floor>>(&mut group, path);
        measure::<Mounted<Ours>>(&mut group, path);
        measure::<Mounted<OauthAs>>(&mut group, path);
        measure::<Mounted<Oxide>>(&mut group, path);
        group.finish();
    }
    criterion.final_summary();
    let names = [Floor::NAME, Ours::NAME, OauthAs::NAME, Oxide::NAME];
    let groups: Vec<_> =
        Path::ALL.map(|path| path.name().to_owned()).into_iter().chain(MOUNTED.map(mounted)).collect();
    println!("\n{}", peers::table(&home, &groups, &names, Ours::NAME));
}
