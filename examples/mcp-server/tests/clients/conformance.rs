//! The official conformance runner of the Model Context Protocol, in its mode for authorization servers. It comes by npm, and so
//! does the Node.js that it needs; nothing is installed but below the build's own directory.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::support::{Browser, CLIENT, serve};

const RUNNER: &str = "@modelcontextprotocol/conformance@0.2.0-alpha.12";
const NODE: &str = "24.21.0";

/// How long an installation may take, and how long a run.
const INSTALL: Duration = Duration::from_secs(240);
const RUN: Duration = Duration::from_secs(60);

/// Where the runner is; installed if it is not there.
async fn runner() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    let script = place.join("node_modules/@modelcontextprotocol/conformance/dist/index.js");
    if script.exists() && node(&place).exists() {
        return place;
    }
    std::fs::create_dir_all(&place).expect("a directory for the runner");
    let install = Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(&place)
        .args([RUNNER, &format!("{}@{NODE}", node_package())])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(INSTALL, install)
        .await
        .expect("npm install takes too long")
        .expect("npm is missing: ./test installs it (Debian's package npm)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

/// Node.js for this machine.
fn node_package() -> String {
    let system = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    format!("node-{system}-{machine}")
}

fn node(place: &Path) -> PathBuf {
    place.join("node_modules").join(node_package()).join("bin/node")
}

/// Runs the runner; whoever sits at the browser agrees. Says how it ended, and what it said.
async fn run(origin: &str, arguments: &[&str]) -> (ExitStatus, String) {
    static RUNNER: OnceCell<PathBuf> = OnceCell::const_new();
    let place = RUNNER.get_or_init(runner).await;
    let mut runner = Command::new(node(place))
        .arg(place.join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
        .arg("authorization")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the Node.js that npm has brought");
    let mut errors = runner.stderr.take().unwrap();
    let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines();

    let walk = async {
        let (mut said, mut url) = (String::new(), None);
        while let Some(line) = lines.next_line().await.unwrap() {
            said.push_str(&line);
            said.push('\n');
            if line.starts_with(&format!("{origin}/authorize?")) {
                url = Some(line);
            } else if line.starts_with("Callback server started") {
                // It says so once it listens for the answer.
                let url = url.take().expect("the URL comes first");
                let (callback, _) = Browser::new(origin).approve(&url).await;
                reqwest::get(callback).await.expect("the runner takes the answer");
            }
        }
        errors.read_to_string(&mut said).await.unwrap();
        (runner.wait().await.unwrap(), said)
    };
    timeout(RUN, walk).await.expect("the runner ends by itself")
}

#[tokio::test]
async fn the_official_runner_finds_nothing() {
    let origin = serve().await;
    // The runner wants to be told a port: one that was free a moment ago.
    let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let (status, said) =
        run(&origin, &["--url", &origin, "--client-id", CLIENT, "--port", &port.to_string()]).await;
    assert!(status.success(), "{said}");
    for passed in [
        "authorization-server-metadata-endpoint: 2 passed, 0 failed",
        "authorization-code-grant: 1 passed, 0 failed",
    ] {
        assert!(said.contains(passed), "{said}");
    }
}

/// The runner itself can fail: here the metadata are those of another issuer.
#[tokio::test]
async fn the_official_runner_finds_what_is_wrong() {
    let origin = serve().await;
    let (status, said) = run(
        &origin,
        &["--url", &format!("{origin}/mcp"), "--scenario", "authorization-server-metadata-endpoint"],
    )
    .await;
    assert!(!status.success() && said.contains("issuer"), "{said}");
}
