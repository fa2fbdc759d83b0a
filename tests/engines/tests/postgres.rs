//! The server is there while it is held, and is gone afterwards.

use std::os::unix::net::UnixStream;
use std::path::Path;

use engines::Postgres;

fn listens(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

#[test]
fn it_runs_crashes_and_starts_again() {
    let postgres = Postgres::start();
    let socket = postgres.socket();
    assert!(listens(&socket));
    postgres.crash();
    assert!(!listens(&socket));
    postgres.restart();
    assert!(listens(&socket));
    drop(postgres);
    assert!(!listens(&socket));
    assert!(!socket.parent().expect("a socket lies in a directory").exists(), "its files are left");
}

#[test]
fn it_stops_when_a_test_panics() {
    let mut socket = None;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let postgres = Postgres::start();
        socket = Some(postgres.socket());
        panic!("as a test does");
    }));
    assert!(panicked.is_err());
    assert!(!listens(&socket.expect("it was started")));
}

#[test]
#[should_panic(expected = "no_such_setting")]
fn a_server_that_does_not_start_says_why() {
    Postgres::start_with(&[("no_such_setting", "1")]);
}
