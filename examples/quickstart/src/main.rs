//! `cargo run -p quickstart`, then open the address that it prints.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use quickstart::Place;
use tokio::net::TcpListener;

const USAGE: &str = "usage: quickstart [--port PORT] [--data DIRECTORY]

  --port PORT        where to listen on 127.0.0.1; default 3000, 0 takes any free port
  --data DIRECTORY   where to keep what must last; default quickstart-data

The server's records are in an SQLite file there, or where DATABASE_URL says: postgres://…, redis://… or sqlite:FILE.
With OAUTH_WRAPPING_KEY, 64 hexadecimal digits, the keys in the store are wrapped by that one.";

/// What the command line says.
struct Options {
    port: u16,
    data: String,
}

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let served = serve(options, |issuer, place| {
        let (users, kept) = (quickstart::DEMO_USERS, place.describe());
        println!("\n  Open      {issuer}\n  Sign in   {users}\n  Kept in   {kept}\n\n  Ctrl-C ends it.\n");
    });
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options, ready: impl FnOnce(&str, &Place)) -> Result<(), Box<dyn std::error::Error>> {
    let Options { port, data } = options;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("cannot listen on port {port}: {error}; choose another with --port"))?;
    let mut place = Place::directory(data)?;
    if let Some(url) = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
        place = place.database(url);
    }
    let issuer = format!("http://{}", listener.local_addr()?);
    let app = quickstart::app(&issuer, &place).await?;
    ready(&issuer, &place);
    // With the peers' addresses, by which rate limits count.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).with_graceful_shutdown(stopped()).await?)
}

/// Waits for Ctrl-C, or for what a service manager sends. Requests in flight are then answered before the program ends.
async fn stopped() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    drop(tokio::signal::ctrl_c().await);
}

/// The options, or `None` where help is asked for.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { port: 3000, data: "quickstart-data".to_owned() };
    while let Some(arg) = args.next() {
        let (name, value) = match arg.split_once('=') {
            _ if arg == "--help" || arg == "-h" => return Ok(None),
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (&*arg, None),
        };
        if !["--port", "--data"].contains(&name) {
            return Err(format!("unknown argument {name:?}"));
        }
        let value = value.or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"))?;
        match name {
            "--port" => options.port = value.parse().map_err(|_| format!("{value:?} is not a port"))?,
            _ => options.data = value,
        }
    }
    Ok(Some(options))
}
