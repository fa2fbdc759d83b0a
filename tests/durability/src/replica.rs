//! A server process, as the test sees it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use crate::open::Role;
use crate::protocol::{Answer, Request};

/// How a server process is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program, `env!("CARGO_BIN_EXE_replica")`.
    pub program: PathBuf,
    /// Where its store is.
    pub url: String,
    /// What it does there.
    pub role: Role,
    /// Variables for its environment.
    pub environment: Vec<(String, String)>,
}

impl Setup {
    /// A process with a server on a store.
    pub fn new(program: &str, url: impl Into<String>) -> Self {
        Self { program: program.into(), url: url.into(), role: Role::Server, environment: Vec::new() }
    }
}

type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>>;

/// A running server process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Replica {
    child: tokio::sync::Mutex<Child>,
    lines: mpsc::UnboundedSender<String>,
    waiting: Waiting,
    next: AtomicU64,
}

impl Replica {
    /// Starts a process, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it ends before that.
    pub async fn start(setup: &Setup) -> Result<Self, std::io::Error> {
        let mut command = Command::new(&setup.program);
        command.arg(setup.role.name()).arg(&setup.url);
        command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut input = child.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        if lines.next_line().await?.is_none_or(|line| line != "ready") {
            return Err(std::io::Error::other("the process has ended"));
        }
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let answered = waiting.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let (number, answer) = line.split_once(' ').expect("a number and an answer");
                let sender = number.parse().ok().and_then(|number| {
                    answered.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.remove(&number)
                });
                if let Some(sender) = sender {
                    // Who asked may have gone.
                    let _ = sender.send(answer.parse().expect("an answer"));
                }
            }
            // It has died: nobody is answered any more.
            answered.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        // A line is written whole, also when nobody waits for its answer any more.
        let (lines, mut to_write) = mpsc::unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(line) = to_write.recv().await {
                if input.write_all(line.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        let child = tokio::sync::Mutex::new(child);
        Ok(Self { child, lines, waiting, next: AtomicU64::new(0) })
    }

    /// Sends a request; `None` when the process died before it answered.
    pub async fn call(&self, request: &Request) -> Option<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.insert(number, sender);
        self.lines.send(format!("{number} {}\n", request.to_line())).ok()?;
        receiver.await.ok()
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    ///
    /// # Panics
    ///
    /// When the system cannot.
    pub async fn kill(&self) {
        let mut child = self.child.lock().await;
        // It may have killed itself.
        let _ = child.start_kill();
        child.wait().await.expect("a child that can be waited for");
    }

    /// Waits until it has died by itself.
    ///
    /// # Panics
    ///
    /// When the system cannot.
    pub async fn ended(&self) {
        self.child.lock().await.wait().await.expect("a child that can be waited for");
    }
}
