//! `http-server CONTENDER PATH COUNT FILE`: prepares COUNT forms of PATH into FILE, one a line (one line in all where a form
//! may be sent again), then serves on a free port, which it prints. One thread.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use axum::Router;
use contenders::{Caller, Contender, Floor, Ours, Path, request};
use tokio::net::TcpListener;

struct Prepared {
    router: Router,
    /// What `wrk` asks for, and the `Authorization` that it sends.
    target: &'static str,
    authorization: String,
}

fn prepare<C: Contender>(path: Path, count: usize, file: &str) -> std::io::Result<Prepared> {
    let mut caller = Caller::<C>::new(path);
    let mut file = BufWriter::new(File::create(file)?);
    let forms = if path.spends() { count } else { 1 };
    let mut last = String::new();
    for _ in 0..forms {
        last = caller.form();
        writeln!(file, "{last}")?;
    }
    file.flush()?;
    let (target, authorization) = match path {
        Path::Bearer => ("/resource", format!("Bearer {last}")),
        Path::Jwt => ("/jwt", format!("Bearer {last}")),
        Path::Introspection => (C::INTROSPECTION, request::basic()),
        _ => (C::TOKEN, request::basic()),
    };
    Ok(Prepared { router: caller.contender().router(), target, authorization })
}

fn run(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [contender, path, count, file] = arguments else {
        return Err("usage: http-server CONTENDER PATH COUNT FILE".into());
    };
    let (path, count) = (path.parse()?, count.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let context = runtime.enter();
    let prepared = match contender.as_str() {
        Floor::NAME => prepare::<Floor>(path, count, file)?,
        Ours::NAME => prepare::<Ours>(path, count, file)?,
        #[cfg(feature = "peers")]
        contenders::OauthAs::NAME => prepare::<contenders::OauthAs>(path, count, file)?,
        #[cfg(feature = "peers")]
        contenders::Oxide::NAME => prepare::<contenders::Oxide>(path, count, file)?,
        _ => return Err(format!("no contender {contender}").into()),
    };
    drop(context);
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("http://{}{} {}", listener.local_addr()?, prepared.target, prepared.authorization);
        axum::serve(listener, prepared.router).await?;
        Ok(())
    })
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
