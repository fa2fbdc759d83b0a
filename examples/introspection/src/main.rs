//! `cargo run -p introspection`

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seen = introspection::run().await?;
    println!("GET /notes                  {}", seen.hello);
    println!("questions for ten requests  {}", seen.questions);
    println!("after the revocation        {}", seen.revoked);
    println!("while the issuer is down    {}", seen.down);
    Ok(())
}
