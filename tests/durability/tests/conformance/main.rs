//! The conformance suite through two processes: of two calls that a check makes by one handle, each is made by another process.
//! Which error a failed call is shows in one process: the other one tells only whether it is known to have changed nothing.

mod engine;
#[path = "../../../../oauth-storage-sqlx/tests/flawed/mod.rs"]
mod flawed;
mod in_turn;
mod process_wide;

/// The suite on an engine, and the flawed stores that it catches there.
macro_rules! conformance {
    ($name:ident, $engine:expr) => {
        mod $name {
            use oauth_core::storage::testing;

            use crate::engine;
            use crate::flawed::{Flaw, Flawed, flaws_are_caught};
            use crate::in_turn::TwoProcesses;
            use crate::process_wide;

            testing::suite!(TwoProcesses::on($engine));

            mod flaws {
                use super::*;

                flaws_are_caught!(TwoProcesses::on($engine));

                #[test]
                fn within_each_process_alone() {
                    process_wide::flaws_are_caught(|| $engine);
                }
            }
        }
    };
}

conformance!(sqlite, engine::Sqlite::new());
conformance!(postgres, engine::Postgres);
conformance!(redis, engine::Redis);
conformance!(redis_cluster, engine::RedisCluster);
