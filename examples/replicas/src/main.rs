//! `DATABASE_URL=postgres://… cargo run -p replicas`: a round-robin in front, and this program twice behind it.

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::{ExitCode, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const USAGE: &str = "usage: DATABASE_URL=postgres://… replicas [--port PORT]";

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a program for the terminal")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["replica", issuer, name] => replica(issuer, name).await,
        [] => front(3000).await,
        ["--port", port] => match port.parse() {
            Ok(port) => front(port).await,
            Err(_) => Err(USAGE.into()),
        },
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replicas: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The public side: it knows nothing of OAuth.
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn front(port: u16) -> Result<(), Box<dyn Error>> {
    std::env::var("DATABASE_URL").map_err(|_| USAGE)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    // Both start at once: one of them makes the tables and the keys.
    let (one, two) = tokio::try_join!(start(&issuer, "one"), start(&issuer, "two"))?;
    let app = replicas::round_robin(vec![one.address.clone(), two.address.clone()])?;
    println!(
        "\n  Issuer    {issuer}\n  Replicas  {}, {}\n  Sign in   alice / wonderland\n",
        one.address, two.address
    );
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop).await?)
}

/// A running replica; it ends with this value, whose end of its standard input it watches.
struct Running {
    address: String,
    _process: Child,
}

async fn start(issuer: &str, name: &str) -> Result<Running, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut process =
        command.args(["replica", issuer, name]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let output = process.stdout.take().ok_or("no output")?;
    let address = BufReader::new(output).lines().next_line().await?.ok_or("a replica did not start")?;
    Ok(Running { address, _process: process })
}

/// The process behind: it says where it listens, and serves.
#[expect(clippy::print_stdout, reason = "its address is for the process in front")]
async fn replica(issuer: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let database = std::env::var("DATABASE_URL").map_err(|_| USAGE)?;
    let app = replicas::replica(issuer, &database, name).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}", listener.local_addr()?);
    // It ends with the process in front, however that ends.
    let abandoned = async { drop(tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await) };
    Ok(axum::serve(listener, app).with_graceful_shutdown(abandoned).await?)
}
