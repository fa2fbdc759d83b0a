//! Files as of their last sync.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A directory of which only what was synced survives a crash.
#[derive(Debug)]
pub struct Synced {
    live: PathBuf,
    kept: PathBuf,
    shim: PathBuf,
}

impl Synced {
    /// Lays out the two directories below one.
    ///
    /// # Panics
    ///
    /// When the shim cannot be compiled; `cc` is what Rust links with.
    pub fn new(below: &Path) -> Self {
        let (live, kept) = (below.join("live"), below.join("kept"));
        for directory in [&live, &kept] {
            std::fs::create_dir_all(directory).expect("a directory");
        }
        Self { live, kept, shim: shim(below) }
    }

    /// A file that the server may write.
    pub fn file(&self, name: &str) -> PathBuf {
        self.live.join(name)
    }

    /// What a process needs in its environment so that its syncs are seen. `kill_at` N lets it die before its Nth sync, −N after
    /// it; 0 does not.
    pub fn environment(&self, kill_at: i64) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().expect("a temporary path is text").to_owned();
        [
            ("LD_PRELOAD", text(&self.shim)),
            ("SYNCED_FROM", text(&self.live)),
            ("SYNCED_TO", text(&self.kept)),
            ("SYNCED_KILL_AT", kill_at.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Loses everything that was not synced. Nobody may have the files open.
    ///
    /// # Panics
    ///
    /// When the files cannot be copied.
    pub fn lose_power(&self) {
        for entry in std::fs::read_dir(&self.live).expect("a directory") {
            std::fs::remove_file(entry.expect("an entry").path()).expect("a file");
        }
        for entry in std::fs::read_dir(&self.kept).expect("a directory") {
            let entry = entry.expect("an entry");
            if entry.path().extension().is_none_or(|extension| extension != "draft") {
                std::fs::copy(entry.path(), self.live.join(entry.file_name())).expect("a copy");
            }
        }
    }
}

fn shim(below: &Path) -> PathBuf {
    static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
    let library = below.join("synced.so");
    let bytes = COMPILED.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/synced.c");
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(command.status().expect("cc, which Rust links with").success(), "the shim does not compile");
        std::fs::read(&library).expect("the library")
    });
    std::fs::write(&library, bytes).expect("the library");
    library
}
