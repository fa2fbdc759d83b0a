//! Opens stores in schemas of their own on one server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engines::{Postgres, Upstream, Wire};
use oauth_core::storage::testing::{Backend, Task};
use oauth_storage_sqlx::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPool, PgSslMode};
use sqlx::{AssertSqlSafe, raw_sql};
use tokio::runtime::Runtime;

/// The server, and the runtime that its stores are used on.
pub(crate) struct Schemas(Runtime);

impl Schemas {
    pub(crate) fn new() -> Self {
        Self(Runtime::new().expect("the machine has threads"))
    }
}

/// Options for the server that the tests of this process share.
pub(crate) fn server() -> PgConnectOptions {
    Postgres::shared().url().parse().expect("a valid URL")
}

/// However busy the machine is, no check fails because of that.
const PATIENCE: Duration = Duration::from_secs(60);

/// A few connections, made when they are needed.
pub(crate) fn patient_pool(options: PgConnectOptions) -> PgPool {
    let pool = PostgresStore::recommended_options().max_connections(4);
    pool.acquire_timeout(PATIENCE).connect_lazy_with(options)
}

/// The same with no more patience than is recommended.
pub(crate) fn pool(options: PgConnectOptions) -> PgPool {
    PostgresStore::recommended_options().max_connections(4).connect_lazy_with(options)
}

/// A name that no other test of this process uses.
pub(crate) fn unused_schema() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    format!("store_{}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// A new, empty store, in the schema that its connections look in first.
pub(crate) async fn fresh() -> PostgresStore {
    let schema = unused_schema();
    let pool = patient_pool(server().options([("search_path", &schema)]));
    let create = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    raw_sql(create).execute(&pool).await.expect("a new schema can be made");
    let store = PostgresStore::new(pool);
    store.migrate().await.expect("an empty schema can be migrated");
    store
}

/// The same store through a wire that can fail, on so many connections.
pub(crate) fn wired(store: &PostgresStore, connections: u32) -> (Wire, PostgresStore) {
    let wire = Wire::to(Upstream::Unix(Postgres::shared().socket()));
    let address = wire.address();
    let options = PgConnectOptions::new_without_pgpass()
        .host(&address.ip().to_string())
        .port(address.port())
        .username("postgres")
        .ssl_mode(PgSslMode::Disable);
    // `-c search_path=…`, as `fresh` has set it.
    let direct = store.pool().connect_options();
    let schema = direct.get_options().and_then(|options| options.split('=').next_back()).expect("set");
    let options = options.options([("search_path", schema)]);
    let pool = PostgresStore::recommended_options().max_connections(connections);
    (wire, PostgresStore::new(pool.connect_lazy_with(options)))
}

impl Backend for Schemas {
    type Store = PostgresStore;

    async fn fresh(&self) -> PostgresStore {
        fresh().await
    }

    async fn reopen(&self, store: &PostgresStore) -> PostgresStore {
        PostgresStore::new(patient_pool((*store.pool().connect_options()).clone()))
    }

    async fn unreachable(&self) -> Option<PostgresStore> {
        let socket = Postgres::shared().socket().join("no such directory");
        Some(PostgresStore::new(pool(server().socket(socket))))
    }

    fn block_on(&self, task: Task<'_>) {
        self.0.block_on(task);
    }
}
