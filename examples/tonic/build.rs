//! Reads the protocol without `protoc`.

use std::path::Path;
use std::{env, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto/notes.proto");
    let files = protox::compile(["proto/notes.proto"], ["proto"])?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("notes.bin"), files.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
