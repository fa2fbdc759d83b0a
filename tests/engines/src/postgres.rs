//! PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::supervisor::Supervisor;

/// `initdb` does not wait for the disk: the files do not outlive the test.
const FUNCTIONS: &str = r#"
data="$dir/data"
prepare() {
    "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
        >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log"; return 1; }
    printf '%s\n' "$settings" >>"$data/postgresql.conf"
}
start() {
    "$bin/pg_ctl" --pgdata="$data" --log="$dir/server.log" --wait --silent start || { cat "$dir/server.log"; return 1; }
}
crash() { "$bin/pg_ctl" --pgdata="$data" --mode=immediate --wait --silent stop; }
stop() { crash; }
"#;

/// A PostgreSQL server on a Unix socket in a directory of its own.
#[derive(Debug)]
pub struct Postgres {
    supervisor: Mutex<Supervisor>,
    directory: PathBuf,
}

impl Postgres {
    /// Makes and starts a server with the durability that PostgreSQL has by default.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with lines for `postgresql.conf`, such as `("synchronous_commit", "off")`.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let bin = binaries().expect("PostgreSQL is installed (./test does that)");
        let bin = bin.to_str().expect("its path is text");
        let mut lines = String::from(
            "listen_addresses = ''\nmax_connections = 200\nshared_buffers = '32MB'\nlog_min_messages = fatal\n\
             unix_socket_directories = '.'\nunix_socket_permissions = 0777\n",
        );
        for (name, value) in settings {
            lines.push_str(&format!("{name} = '{value}'\n"));
        }
        let supervisor = Supervisor::start("postgres", FUNCTIONS, &[("bin", bin), ("settings", &lines)]);
        // Where its setting `.` puts the socket.
        let directory = supervisor.directory().join("data");
        Self { supervisor: Mutex::new(supervisor), directory }
    }

    /// The one server of this process, started at the first call and stopped when the process ends.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_with(&[("fsync", "off")]))
    }

    /// The URL of its database `postgres`, for its superuser.
    pub fn url(&self) -> String {
        let host = self.directory.to_str().expect("a temporary directory is text").replace('/', "%2F");
        format!("postgres://postgres@{host}/postgres")
    }

    /// The path of its socket, for what stands between it and a client.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(".s.PGSQL.5432")
    }

    /// Stops it as a crash does: no checkpoint, no farewell to its clients. Its files stay.
    pub fn crash(&self) {
        self.obey("crash");
    }

    /// Starts it again on its files.
    pub fn restart(&self) {
        self.obey("start");
    }

    fn obey(&self, word: &str) {
        self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).obey(word);
    }
}

/// The directory of `initdb`, `pg_ctl` and `postgres`: the one in `PATH`, or else Debian's newest.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path)
        .filter_map(|directory| directory.join("initdb").canonicalize().ok())
        .find_map(|initdb| initdb.parent().map(Path::to_owned));
    in_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        versions
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .filter(|bin| bin.join("initdb").is_file())
            .max_by_key(|bin| {
                bin.parent().and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok())
            })
    })
}
