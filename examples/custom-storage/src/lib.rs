//! A storage backend of your own: one file per record in a directory that several processes may share.
//!
//! It shows where each obligation of [`Store`] is met:
//!
//! * *atomic*: a swap compares under an exclusive file lock, and what it writes appears by a rename;
//! * *durable*: it answers only after the file and the directory have been synced;
//! * *linearizable*: a load reads the file, never a copy of it;
//! * *droppable*: the work runs on a blocking thread, which finishes it even when the future is dropped;
//! * *honest*: a directory that is gone is an error, not absence.
//!
//! Listing and purging read the whole directory, which is fine for some thousand records; a database would have an index on
//! client, subject, session and `retain_until`. The obligations are proved by `tests/suite.rs`.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};

/// Keeps each record in a file of its own.
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: Arc<Path>,
}

impl FileStore {
    /// Opens a directory, which is made if it does not exist.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made or written.
    pub fn open(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory: Arc<Path> = directory.into().into();
        fs::create_dir_all(&directory)?;
        File::create(directory.join("lock"))?;
        Ok(Self { directory })
    }

    /// Where it keeps its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// File operations block, so they run beside the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let directory = self.directory.clone();
        tokio::task::spawn_blocking(move || work(&directory)).await.map_err(StoreError::unknown)?
    }
}

#[async_trait]
impl Store for FileStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let key = *key;
        self.blocking(move |directory| Ok(read(directory, key)?.map(Arc::new))).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.blocking(move |directory| {
            let _lock = lock(directory)?;
            let stored = read(directory, next.key)?.map(|record| record.version);
            if stored == Some(next.version) {
                return Ok(Swap::Swapped);
            }
            if stored != expected {
                return Ok(Swap::Stale);
            }
            let draft = directory.join("draft");
            write(&draft, &next).map_err(StoreError::unavailable)?;
            fs::rename(draft, path(directory, next.key)).map_err(StoreError::unknown)?;
            File::open(directory).and_then(|opened| opened.sync_all()).map_err(StoreError::unknown)?;
            Ok(Swap::Swapped)
        })
        .await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let all = self.blocking(records).await?;
        let after = |key: &Key| page.after.is_none_or(|after| *key > after);
        let matching = all.iter().filter(|record| index.matches(record)).map(|record| record.key);
        let mut keys: Vec<Key> = matching.filter(after).collect();
        keys.sort_unstable();
        let more = keys.len() > page.limit;
        keys.truncate(page.limit);
        Ok(Listing { next: keys.last().copied().filter(|_| more), keys })
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.blocking(move |directory| {
            let _lock = lock(directory)?;
            let mut over = records(directory)?;
            over.retain(|record| record.retain_until < now);
            for record in over.iter().take(limit) {
                fs::remove_file(path(directory, record.key)).map_err(StoreError::unknown)?;
            }
            Ok(Purged { deleted: over.len().min(limit), more: over.len() > limit })
        })
        .await
    }
}

/// Held while comparing and writing, by one thread of one process at a time; released when dropped.
fn lock(directory: &Path) -> StoreResult<File> {
    let file = File::open(directory.join("lock")).map_err(StoreError::unavailable)?;
    file.lock().map_err(StoreError::unavailable)?;
    Ok(file)
}

fn path(directory: &Path, key: Key) -> PathBuf {
    directory.join(key.to_bytes().map(|byte| format!("{byte:02x}")).concat())
}

fn key(path: &Path) -> Option<Key> {
    let name = path.file_name()?.to_str()?;
    let byte = |place| u8::from_str_radix(name.get(place..place + 2)?, 16).ok();
    Key::from_bytes(&(0..name.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?)
}

/// Version, `retain_until`, body: the key is the file's name.
fn write(path: &Path, record: &Record) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(record.version.as_bytes())?;
    file.write_all(&record.retain_until.as_millis().to_be_bytes())?;
    file.write_all(&record.encode())?;
    file.sync_all()
}

fn read(directory: &Path, key: Key) -> StoreResult<Option<Record>> {
    let bytes = match fs::read(path(directory, key)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Without the directory nothing is known about the key.
            fs::metadata(directory).map_err(StoreError::unavailable)?;
            return Ok(None);
        }
        Err(error) => return Err(StoreError::unavailable(error)),
    };
    let (version, rest) = bytes.split_first_chunk().ok_or_else(too_short)?;
    let (retain_until, body) = rest.split_first_chunk().ok_or_else(too_short)?;
    let retain_until = Timestamp::from_millis(i64::from_be_bytes(*retain_until));
    Ok(Some(Record::decode(key, Version::from_bytes(*version), retain_until, body)?))
}

fn too_short() -> StoreError {
    StoreError::Corrupt("the file is too short".into())
}

fn records(directory: &Path) -> StoreResult<Vec<Record>> {
    let mut records = Vec::new();
    for entry in fs::read_dir(directory).map_err(StoreError::unavailable)? {
        let path = entry.map_err(StoreError::unavailable)?.path();
        if let Some(key) = key(&path) {
            records.extend(read(directory, key)?);
        }
    }
    Ok(records)
}
