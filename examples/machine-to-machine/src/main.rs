//! `cargo run -p machine-to-machine`

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seen = machine_to_machine::run().await?;
    println!("token for scope      {}", seen.scope);
    println!("GET /report          {}", seen.report);
    println!("  without the token  {}", seen.without);
    println!("GET /audit           {}", seen.forbidden);
    Ok(())
}
