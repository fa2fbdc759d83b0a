//! The line between a client and a server: counts round trips, and fails when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Where the server is.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// A Unix socket.
    Unix(PathBuf),
    /// A TCP port.
    Tcp(SocketAddr),
}

/// What becomes of the server's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// They arrive.
    #[default]
    Pass,
    /// The connection breaks instead of an answer that contains these bytes: what was asked for has happened. No bytes
    /// are contained in every answer.
    Lose(&'static str),
    /// They are held back, until this changes.
    Hold,
}

/// A port that leads to a server.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    answers: Answers,
    round_trips: u64,
    ended: bool,
    /// Both ends of each connection.
    open: Vec<(TcpStream, Server)>,
}

#[derive(Debug)]
enum Server {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Wire {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn to(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared { upstream, state: Mutex::default(), changed: Condvar::new() });
        let accepting = shared.clone();
        thread::spawn(move || accepting.accept(&listener));
        Self { address, shared }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often a client has spoken after the server had, on any connection: the round trips so far.
    pub fn round_trips(&self) -> u64 {
        self.shared.state().round_trips
    }

    /// Changes what becomes of answers from now on.
    pub fn answers(&self, answers: Answers) {
        self.shared.state().answers = answers;
        self.shared.changed.notify_all();
    }

    /// Breaks every connection that is open.
    pub fn cut(&self) {
        self.shared.state().cut();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.ended = true;
        state.cut();
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.state().ended {
                return;
            }
            // A server that is down looks like one that hangs up.
            let Ok(client) = client else { continue };
            drop(self.carry(client));
        }
    }

    /// Connects to the server and carries both ways.
    fn carry(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        let server = Server::connect(&self.upstream)?;
        client.set_nodelay(true)?;
        self.state().open.push((client.try_clone()?, server.try_clone()?));
        let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
        let (up, down) = (self.clone(), self.clone());
        let asked = Arc::new(AtomicBool::new(false));
        let answered = asked.clone();
        thread::spawn(move || up.carry_questions(from_client, to_server, &asked));
        thread::spawn(move || down.carry_answers(server, client, &answered));
        Ok(())
    }

    fn carry_questions(&self, mut client: TcpStream, mut server: Server, asked: &AtomicBool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = client.read(&mut buffer) {
            if !asked.swap(true, Ordering::SeqCst) {
                self.state().round_trips += 1;
            }
            if server.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        server.shut();
    }

    fn carry_answers(&self, mut server: Server, mut client: TcpStream, asked: &AtomicBool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = server.read(&mut buffer) {
            let mut state = self.state();
            while state.answers == Answers::Hold && !state.ended {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let lost =
                matches!(state.answers, Answers::Lose(part) if contains(&buffer[..read], part.as_bytes()));
            drop(state);
            asked.store(false, Ordering::SeqCst);
            if lost || client.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        server.shut();
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

impl State {
    fn cut(&mut self) {
        for (client, server) in self.open.drain(..) {
            drop(client.shutdown(Shutdown::Both));
            server.shut();
        }
    }
}

impl Server {
    fn connect(upstream: &Upstream) -> std::io::Result<Self> {
        Ok(match upstream {
            Upstream::Unix(path) => Self::Unix(UnixStream::connect(path)?),
            Upstream::Tcp(address) => {
                let server = TcpStream::connect(address)?;
                server.set_nodelay(true)?;
                Self::Tcp(server)
            }
        })
    }

    fn try_clone(&self) -> std::io::Result<Self> {
        Ok(match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    fn shut(&self) {
        drop(match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        });
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
    }
}
