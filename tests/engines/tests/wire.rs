//! The line carries, counts, and fails when it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use engines::{Answers, Upstream, Wire};

/// A wire to a server that says everything back, until its clients are gone.
fn echo() -> Wire {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 64];
                while let Ok(read @ 1..) = client.read(&mut buffer) {
                    if client.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Wire::to(Upstream::Tcp(address))
}

/// What comes back, or nothing when the connection ends.
fn ask(client: &mut TcpStream, question: &[u8]) -> Option<Vec<u8>> {
    client.write_all(question).ok()?;
    let mut answer = vec![0; question.len()];
    client.read_exact(&mut answer).ok()?;
    Some(answer)
}

fn connect(wire: &Wire) -> TcpStream {
    TcpStream::connect(wire.address()).unwrap()
}

#[test]
fn round_trips_are_counted() {
    let wire = echo();
    for clients in 1..=2 {
        let mut client = connect(&wire);
        for _ in 0..5 {
            assert_eq!(ask(&mut client, b"a question").as_deref(), Some(&b"a question"[..]));
        }
        assert_eq!(wire.round_trips(), clients * 5);
    }
}

#[test]
fn chosen_answers_are_lost() {
    let wire = echo();
    wire.answers(Answers::Lose("this"));
    let mut client = connect(&wire);
    assert!(ask(&mut client, b"not that one").is_some());
    assert_eq!(ask(&mut client, b"but this one"), None);
    wire.answers(Answers::Lose(""));
    assert_eq!(ask(&mut connect(&wire), b"any"), None);
    wire.answers(Answers::Pass);
    assert!(ask(&mut connect(&wire), b"this").is_some());
}

#[test]
fn answers_are_held_back() {
    let wire = echo();
    wire.answers(Answers::Hold);
    let mut client = connect(&wire);
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(ask(&mut client, b"a question"), None);
    client.set_read_timeout(None).unwrap();
    wire.answers(Answers::Pass);
    let mut answer = [0; 10];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"a question");
}

#[test]
fn open_connections_are_cut() {
    let wire = echo();
    let mut client = connect(&wire);
    assert!(ask(&mut client, b"a question").is_some());
    wire.cut();
    assert_eq!(ask(&mut client, b"a question"), None);
    let mut next = connect(&wire);
    assert!(ask(&mut next, b"a question").is_some());
    drop(wire);
    assert_eq!(ask(&mut next, b"a question"), None);
}
