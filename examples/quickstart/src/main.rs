//! `cargo run -p quickstart`, then open the address that it prints.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use tokio::net::TcpListener;

const USAGE: &str = "usage: quickstart [--port PORT]

  --port PORT   where to listen on 127.0.0.1; default 3000, 0 takes any free port";

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let port = match port(std::env::args().skip(1)) {
        Ok(Some(port)) => port,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let served = serve(port, |issuer| {
        println!("\n  Open      {issuer}\n  Sign in   {}\n\n  Ctrl-C ends it.\n", quickstart::DEMO_USERS);
    });
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(port: u16, ready: impl FnOnce(&str)) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("cannot listen on port {port}: {error}; choose another with --port"))?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let app = quickstart::app(&issuer)?;
    ready(&issuer);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop).await?)
}

/// The port, or `None` where help is asked for.
fn port(mut args: impl Iterator<Item = String>) -> Result<Option<u16>, String> {
    let mut port = 3000;
    while let Some(arg) = args.next() {
        let value = match arg.split_once('=') {
            _ if arg == "--help" || arg == "-h" => return Ok(None),
            Some(("--port", value)) => Some(value.to_owned()),
            None if arg == "--port" => args.next(),
            _ => return Err(format!("unknown argument {arg:?}")),
        };
        let value = value.ok_or("--port needs a number")?;
        port = value.parse().map_err(|_| format!("{value:?} is not a port"))?;
    }
    Ok(Some(port))
}
