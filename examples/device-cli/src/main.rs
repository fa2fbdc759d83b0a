//! `device-cli ISSUER CLIENT_ID [SCOPE]`

use std::process::ExitCode;

use device_cli::{Settings, sign_in};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(issuer), Some(client_id)) = (args.next(), args.next()) else {
        eprintln!("usage: device-cli ISSUER CLIENT_ID [SCOPE]");
        return ExitCode::from(2);
    };
    let settings = Settings { issuer, client_id, scope: args.next().unwrap_or_default() };
    let signed_in = sign_in(&settings, |device| {
        println!("Open {} and enter the code {}", device.verification_uri, device.user_code);
        if let Some(link) = &device.verification_uri_complete {
            println!("or open {link}");
        }
    });
    match signed_in.await {
        Ok(tokens) => {
            println!("Signed in. Allowed: {}", tokens.scope);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("device-cli: {error}");
            ExitCode::FAILURE
        }
    }
}
