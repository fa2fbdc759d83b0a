//! `instructions CONTENDER PATH COUNT`: prepares COUNT requests, then answers them inside [`measured`], which is what
//! `run.sh` has callgrind count.

use std::hint::black_box;
use std::process::ExitCode;

use contenders::{Caller, Contender, Floor, Ours, Path, Req};

/// A function of its own, so that callgrind can be told to count what happens in it and nothing else.
#[inline(never)]
fn measured<C: Contender>(caller: &mut Caller<C>, requests: Vec<Req>) {
    for request in requests {
        black_box(caller.send(request));
    }
}

fn count<C: Contender>(path: Path, count: usize) {
    let mut caller = Caller::<C>::new(path);
    // The first requests grow tables and fill pools.
    for _ in 0..count {
        let request = caller.request();
        black_box(caller.send(request));
    }
    let requests: Vec<_> = (0..count).map(|_| caller.request()).collect();
    measured(&mut caller, requests);
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [contender, path, requests] = arguments else {
        return Err("usage: instructions CONTENDER PATH COUNT".to_owned());
    };
    let path = path.parse()?;
    let requests = requests.parse().map_err(|_| "COUNT is a number".to_owned())?;
    match contender.as_str() {
        Floor::NAME => count::<Floor>(path, requests),
        Ours::NAME => count::<Ours>(path, requests),
        #[cfg(feature = "peers")]
        contenders::OauthAs::NAME => count::<contenders::OauthAs>(path, requests),
        #[cfg(feature = "peers")]
        contenders::Oxide::NAME => count::<contenders::Oxide>(path, requests),
        _ => return Err(format!("no contender {contender}")),
    }
    Ok(())
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _context = runtime.enter();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
