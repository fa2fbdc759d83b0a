//! Redis starts, crashes and leaves nothing behind.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use engines::{Redis, RedisCluster};

fn ask(mut server: impl Read + Write, question: &str) -> String {
    writeln!(server, "{question}\r").unwrap();
    let mut answer = [0; 512];
    let read = server.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[test]
fn a_server_keeps_its_files_over_a_crash_and_is_gone_with_its_handle() {
    let redis = Redis::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let socket = redis.socket();
    assert_eq!(ask(UnixStream::connect(&socket).unwrap(), "SET name value"), "+OK\r\n");
    redis.crash();
    assert!(UnixStream::connect(&socket).is_err());
    redis.restart();
    assert_eq!(ask(UnixStream::connect(&socket).unwrap(), "GET name"), "$5\r\nvalue\r\n");
    redis.pause();
    redis.resume();
    assert_eq!(ask(UnixStream::connect(&socket).unwrap(), "PING"), "+PONG\r\n");
    drop(redis);
    assert!(UnixStream::connect(&socket).is_err());
    assert!(!socket.ancestors().nth(2).unwrap().exists());
}

#[test]
fn a_cluster_covers_all_slots() {
    let cluster = RedisCluster::start();
    for url in cluster.urls() {
        let address = url.trim_start_matches("redis://");
        let info = ask(TcpStream::connect(address).unwrap(), "CLUSTER INFO");
        assert!(info.contains("cluster_slots_ok:16384"), "{info}");
        assert!(info.contains("cluster_known_nodes:3"), "{info}");
    }
}
