//! A value that is kept in a JSON file: enough for a demonstration, with one process and a few visitors.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::place::Saveable;

#[derive(Debug)]
pub(crate) struct Saved<T> {
    value: Mutex<T>,
    file: Option<PathBuf>,
}

impl<T: Saveable> Saved<T> {
    pub(crate) fn in_memory() -> Self {
        Self { value: Mutex::default(), file: None }
    }

    /// The value in the file, or the default where there is no file yet.
    pub(crate) fn open(file: PathBuf) -> Result<Self, Box<dyn Error>> {
        let value = match fs::read(&file) {
            Ok(json) => serde_json::from_slice(&json)
                .map_err(|error| format!("{} is not what was written there: {error}", file.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
            Err(error) => return Err(format!("cannot read {}: {error}", file.display()).into()),
        };
        Ok(Self { value: Mutex::new(value), file: Some(file) })
    }

    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the value, and writes the file before it answers.
    pub(crate) fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = change(&mut value);
        if let Some(file) = &self.file
            && let Err(error) = replace(file, &serde_json::to_vec(&*value).unwrap_or_default())
        {
            tracing::error!(file = %file.display(), %error, "what the app remembers could not be written");
        }
        answer
    }
}

/// The old file or the new one, never a part; it holds tokens, so it is for its owner alone.
fn replace(file: &Path, json: &[u8]) -> io::Result<()> {
    let draft = file.with_extension("draft");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&draft)?;
    out.write_all(json)?;
    out.sync_all()?;
    fs::rename(draft, file)
}
