//! Where the quickstart keeps what must last: a directory, and an engine for the authorization server.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use oauth_core::storage::Store;
use oauth_storage_memory::MemoryStore;
use oauth_storage_redis::RedisStore;
use oauth_storage_sqlx::{PostgresStore, SqliteStore};

use crate::saved::Saved;

/// A directory for an SQLite file and for what the app and the API remember, unless everything stays in memory.
#[derive(Clone, Debug, Default)]
pub struct Place {
    directory: Option<PathBuf>,
    database: Option<String>,
}

impl Place {
    /// Nothing lasts.
    pub fn memory() -> Self {
        Self::default()
    }

    /// A directory, which is made if it is not there, for its owner alone: keys and tokens will be in it.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn directory(path: impl Into<PathBuf>) -> Result<Self, Box<dyn Error>> {
        let directory = path.into();
        let mut made = fs::DirBuilder::new();
        made.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut made, 0o700);
        made.create(&directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        Ok(Self { directory: Some(directory), database: None })
    }

    /// Another engine for the authorization server: `postgres://…`, `redis://…` or `sqlite:FILE`.
    #[must_use]
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.database = Some(url.into());
        self
    }

    /// Where the server's records are, in words for people; without a password, which may also stand behind the `?`.
    pub fn describe(&self) -> String {
        match (&self.database, &self.directory) {
            (Some(url), _) => url.split_once("://").map_or(url.clone(), |(scheme, rest)| {
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                format!("{scheme}://{}", host.split_once('?').map_or(host, |(host, _)| host))
            }),
            (None, Some(directory)) => directory.join("oauth.db").display().to_string(),
            (None, None) => "memory".to_owned(),
        }
    }

    /// Opens the authorization server's store.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>, Box<dyn Error>> {
        let url = self.database.as_deref().unwrap_or_default();
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let store = PostgresStore::new(PostgresStore::recommended_options().connect(url).await?);
            store.migrate().await?;
            return Ok(Arc::new(store));
        }
        if url.starts_with("redis") {
            return Ok(Arc::new(RedisStore::connect(url).await?));
        }
        let file = match (url.strip_prefix("sqlite:"), &self.directory) {
            (Some(file), _) => PathBuf::from(file),
            (None, Some(directory)) if url.is_empty() => directory.join("oauth.db"),
            (None, None) if url.is_empty() => return Ok(Arc::new(MemoryStore::new())),
            _ => return Err("the database is not one of postgres://…, redis://… and sqlite:FILE".into()),
        };
        let connections = SqliteStore::recommended_connect_options(file);
        let store = SqliteStore::new(SqliteStore::recommended_options().connect_with(connections).await?);
        store.migrate().await?;
        Ok(Arc::new(store))
    }

    /// A file of the app's or the API's own.
    pub(crate) fn saved<T: Saveable>(&self, name: &str) -> Result<Saved<T>, Box<dyn Error>> {
        match &self.directory {
            Some(directory) => Saved::open(directory.join(name)),
            None => Ok(Saved::in_memory()),
        }
    }
}

/// What can be kept in a file.
pub(crate) trait Saveable: Default + serde::Serialize + serde::de::DeserializeOwned {}

impl<T: Default + serde::Serialize + serde::de::DeserializeOwned> Saveable for T {}

#[cfg(test)]
mod tests {
    use super::Place;

    #[cfg(unix)]
    #[test]
    fn a_new_directory_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let above = tempfile::tempdir().unwrap();
        let made = above.path().join("data");
        Place::directory(&made).unwrap();
        assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        Place::directory(&made).expect("what is there already is taken as it is");
    }

    #[test]
    fn a_description_has_no_password() {
        for (url, told) in [
            ("postgres://app:secret@db.example/oauth", "postgres://db.example/oauth"),
            ("postgres://db.example/oauth?user=app&password=secret", "postgres://db.example/oauth"),
            ("postgres://app:sec?ret@db.example/oauth", "postgres://db.example/oauth"),
            ("redis://:secret@cache.example:6379/1", "redis://cache.example:6379/1"),
            ("redis+unix:///run/redis.sock?pass=secret", "redis+unix:///run/redis.sock"),
            ("sqlite:oauth.db", "sqlite:oauth.db"),
        ] {
            assert_eq!(Place::memory().database(url).describe(), told);
        }
    }
}
