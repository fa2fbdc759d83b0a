//! Redis.

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::supervisor::Supervisor;

/// `$servers` is a list of `port:bus`; port 0 is a server on its socket alone.
const FUNCTIONS: &str = r#"
umask 0
each() { for server in $servers; do port=${server%:*}; at="$dir/$port"; "$1" || return 1; done; }
prepare_one() {
    mkdir "$at" && printf '%s\n' "port $port" "dir $at" "unixsocket $at/redis.sock" "unixsocketperm 777" \
        "bind 127.0.0.1" "save ''" "daemonize no" >"$at/redis.conf"
    [ "$port" = 0 ] || printf '%s\n' "cluster-enabled yes" "cluster-port ${server#*:}" "cluster-node-timeout 5000" \
        >>"$at/redis.conf"
    printf '%s\n' "$settings" >>"$at/redis.conf"
}
cli() { redis-cli -s "$at/redis.sock" "$@"; }
start_one() {
    [ -f "$at/pid" ] && kill -0 "$(cat "$at/pid")" 2>/dev/null && return
    redis-server "$at/redis.conf" >>"$at/log" 2>&1 &
    echo $! >"$at/pid"
    until [ "$(cli ping 2>/dev/null)" = PONG ]; do wait_one || return 1; done
}
wait_one() { kill -0 "$(cat "$at/pid")" 2>/dev/null || { cat "$at/log"; return 1; }; sleep 0.02; }
signal_one() { kill "-$signal" "$(cat "$at/pid")"; }
end_one() { [ ! -f "$at/pid" ] || kill -9 "$(cat "$at/pid")" 2>/dev/null; wait "$(cat "$at/pid")" 2>/dev/null; :; }
share_one() {
    index=$((index + 1))
    cli cluster set-config-epoch "$index" && cli cluster meet 127.0.0.1 ${first%:*} ${first#*:} &&
        cli cluster addslotsrange $(((index - 1) * 16384 / count)) $((index * 16384 / count - 1))
}
agreed_one() { until cli cluster info | grep -q cluster_state:ok; do wait_one || return 1; done; }
known_one() { until [ "$(cli cluster nodes | grep -c connected)" = "$count" ]; do wait_one || return 1; done; }

prepare() { each prepare_one; }
start() {
    each start_one || return 1
    set -- $servers
    first=$1 count=$# index=0
    [ "$1" = 0:0 ] && return
    [ -f "$dir/shared" ] || { each share_one && touch "$dir/shared"; } || return 1
    each agreed_one && each known_one
}
crash() { each end_one; }
crash_node() { at="$dir/$1" && end_one; }
pause() { signal=STOP; each signal_one; }
resume() { signal=CONT; each signal_one; }
stop() { each end_one; }
"#;

/// A Redis server on a Unix socket in a directory of its own.
#[derive(Debug)]
pub struct Redis {
    supervisor: Mutex<Supervisor>,
    socket: PathBuf,
}

impl Redis {
    /// Starts a server that keeps everything in memory.
    ///
    /// # Panics
    ///
    /// When Redis is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with lines for `redis.conf`, such as `("appendonly", "yes")`.
    ///
    /// # Panics
    ///
    /// When Redis is not installed or does not start.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let supervisor = supervise("0:0", settings);
        let socket = supervisor.directory().join("0/redis.sock");
        Self { supervisor: Mutex::new(supervisor), socket }
    }

    /// A server and its replica.
    ///
    /// # Panics
    ///
    /// When Redis is not installed or does not start.
    pub fn start_with_replica() -> (Self, Self) {
        let primary = retried(|| {
            let port = free_ports(1)[0].to_string();
            (Self::start_with(&[("port", &port), ("repl-diskless-sync-delay", "0")]), port)
        });
        let replica = Self::start_with(&[("replicaof", &format!("127.0.0.1 {}", primary.1))]);
        (primary.0, replica)
    }

    /// The one server of this process, started at the first call and stopped when the process ends.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }

    /// The path of its socket, for what stands between it and a client.
    pub fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    /// Kills it. Its files stay.
    pub fn crash(&self) {
        obey(&self.supervisor, "crash");
    }

    /// Starts it again on its files.
    pub fn restart(&self) {
        obey(&self.supervisor, "start");
    }

    /// Stops it from answering; its connections stay open.
    pub fn pause(&self) {
        obey(&self.supervisor, "pause");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        obey(&self.supervisor, "resume");
    }
}

/// A Redis Cluster of three primaries on ports of its own.
#[derive(Debug)]
pub struct RedisCluster {
    supervisor: Mutex<Supervisor>,
    ports: Vec<u16>,
}

impl RedisCluster {
    const NODES: usize = 3;

    /// Starts a cluster that keeps everything in memory.
    ///
    /// # Panics
    ///
    /// When Redis is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with lines for each node's `redis.conf`.
    ///
    /// # Panics
    ///
    /// When Redis is not installed or does not start.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        retried(|| Self::start_on(&free_ports(2 * Self::NODES), settings))
    }

    fn start_on(ports: &[u16], settings: &[(&str, &str)]) -> Self {
        let (ports, buses) = ports.split_at(Self::NODES);
        let servers: Vec<_> = ports.iter().zip(buses).map(|(port, bus)| format!("{port}:{bus}")).collect();
        let supervisor = supervise(&servers.join(" "), settings);
        Self { supervisor: Mutex::new(supervisor), ports: ports.to_vec() }
    }

    /// The one cluster of this process, started at the first call and stopped when the process ends.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisCluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// The URLs of its nodes.
    pub fn urls(&self) -> Vec<String> {
        self.ports.iter().map(|port| format!("redis://127.0.0.1:{port}")).collect()
    }

    /// Kills all nodes. Their files stay.
    pub fn crash(&self) {
        obey(&self.supervisor, "crash");
    }

    /// Kills one of its [`urls`](Self::urls). Its files stay.
    pub fn crash_node(&self, node: usize) {
        obey(&self.supervisor, &format!("crash_node {}", self.ports[node]));
    }

    /// Starts those that were killed again on their files, and returns when all nodes agree that the cluster is whole.
    pub fn restart(&self) {
        obey(&self.supervisor, "start");
    }
}

fn supervise(servers: &str, settings: &[(&str, &str)]) -> Supervisor {
    let lines: String = settings.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    Supervisor::start("redis", FUNCTIONS, &[("servers", servers), ("settings", &lines)])
}

fn obey(supervisor: &Mutex<Supervisor>, word: &str) {
    supervisor.lock().unwrap_or_else(PoisonError::into_inner).obey(word);
}

/// Between the choice of a port and its use somebody else may take it.
fn retried<T>(start: impl Fn() -> T) -> T {
    let mut tries = 0;
    loop {
        tries += 1;
        match catch_unwind(AssertUnwindSafe(&start)) {
            Ok(started) => return started,
            Err(panic) if tries == 5 => resume_unwind(panic),
            Err(_) => {}
        }
    }
}

/// Ports that nobody listens on at the moment.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..count)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("the loopback has free ports"))
        .collect();
    listeners
        .iter()
        .map(|listener| listener.local_addr().expect("a bound listener has an address").port())
        .collect()
}
