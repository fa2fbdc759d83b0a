//! The conformance suite: what every [`Store`] owes, as tests; and stores that fail on purpose.
//!
//! A backend says how it is opened, and the suite does the rest. Its whole test file:
//!
//! ```ignore
//! use oauth_core::storage::testing::{self, Backend};
//!
//! struct Memory;
//!
//! impl Backend for Memory {
//!     type Store = MemoryStore;
//!
//!     async fn fresh(&self) -> MemoryStore {
//!         MemoryStore::new()
//!     }
//!
//!     async fn reopen(&self, store: &MemoryStore) -> MemoryStore {
//!         store.clone()
//!     }
//! }
//!
//! testing::suite!(Memory);
//! ```
//!
//! [`suite!`] makes one `#[test]` of each check; [`run`] runs them all. A check that fails panics with the obligation that
//! was broken. Checks are independent of each other, use no clock and no sleep, and store nothing whose time ends before the
//! year 2099, so an engine that purges by itself is not disturbed.
//!
//! [`FaultStore`] and [`CountingStore`] wrap any store, for tests of what is built on one.

mod backend;
mod block_on;
mod count;
mod dropped;
mod errors;
mod fault;
mod listing;
mod probe;
mod purge;
mod race;
mod reads;
mod revocation;
mod round_trip;
mod sample;
mod swap;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use crate::storage_suite as suite;
pub use backend::{Backend, Task};
pub use block_on::{block_on, yield_once};
pub use count::{CountingStore, Counts};
pub use dropped::{
    a_dropped_insert_happens_wholly_or_not_at_all, a_dropped_swap_happens_wholly_or_not_at_all,
};
pub use errors::a_failure_is_never_an_answer;
pub use fault::{Call, Fault, FaultStore, Op};
pub use listing::{
    listing_finds_by_client_subject_and_session, listing_follows_a_rewritten_record,
    listing_goes_on_after_a_purged_key, listing_holds_grants_only, listing_never_misses_while_others_insert,
    listing_pages_name_each_key_once,
};
pub use purge::{
    purge_deletes_by_retain_until_alone, purge_frees_the_key, purge_never_undoes_a_longer_retention,
    purge_reads_the_latest_retain_until, purge_works_in_limited_batches,
};
pub use race::{one_of_many_inserts_wins, one_of_many_swaps_wins, racing_deliveries_of_one_swap_agree};
pub use reads::{
    handles_see_each_others_writes, loads_answer_for_their_own_key, loads_never_go_back_in_time,
};
pub use revocation::{revocation_is_sticky, revocation_survives_late_writers};
pub use round_trip::{absence_is_an_answer, every_body_comes_back, large_and_unusual_values_come_back};
pub use swap::{
    a_redelivered_swap_after_a_later_write_is_stale, a_redelivered_swap_is_recognised, insert_needs_absence,
    swap_needs_the_stored_version,
};

use super::Store;

/// One `#[test]` per check of the suite, for a [`Backend`] expression.
#[macro_export]
macro_rules! storage_suite {
    (@all $mode:ident $backend:tt) => {
        $crate::storage_suite! {
            @$mode $backend
            every_body_comes_back
            large_and_unusual_values_come_back
            absence_is_an_answer
            a_failure_is_never_an_answer
            insert_needs_absence
            swap_needs_the_stored_version
            a_redelivered_swap_is_recognised
            a_redelivered_swap_after_a_later_write_is_stale
            one_of_many_inserts_wins
            one_of_many_swaps_wins
            racing_deliveries_of_one_swap_agree
            a_dropped_insert_happens_wholly_or_not_at_all
            a_dropped_swap_happens_wholly_or_not_at_all
            loads_answer_for_their_own_key
            handles_see_each_others_writes
            loads_never_go_back_in_time
            revocation_is_sticky
            revocation_survives_late_writers
            listing_finds_by_client_subject_and_session
            listing_holds_grants_only
            listing_pages_name_each_key_once
            listing_follows_a_rewritten_record
            listing_goes_on_after_a_purged_key
            listing_never_misses_while_others_insert
            purge_deletes_by_retain_until_alone
            purge_works_in_limited_batches
            purge_reads_the_latest_retain_until
            purge_never_undoes_a_longer_retention
            purge_frees_the_key
        }
    };
    (@tests ($backend:expr) $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                $crate::storage::testing::$check(&$backend);
            }
        )*
    };
    (@list ($backend:ty) $($check:ident)*) => {
        vec![$((stringify!($check), $crate::storage::testing::$check::<$backend> as $crate::storage::testing::Check<$backend>)),*]
    };
    ($backend:expr) => {
        $crate::storage_suite! { @all tests ($backend) }
    };
}

/// A check: it panics when the backend breaks an obligation.
pub type Check<B> = fn(&B);

/// Every check by its name.
pub fn checks<B: Backend>() -> Vec<(&'static str, Check<B>)> {
    storage_suite! { @all list (B) }
}

/// Asserts that the suite catches a backend that is wrong on purpose: each of these checks fails for it, by naming an obligation.
///
/// # Panics
///
/// If one of them passes, or there is none of that name.
pub fn catches<B: Backend>(backend: &B, flaw: &str, names: &[&str]) {
    for name in names {
        let check = check::<B>(name);
        let panic = catch_unwind(AssertUnwindSafe(|| check(backend)));
        let panic = panic.expect_err(&format!("{flaw} passes {name}"));
        let message = panic.downcast::<String>().expect("a check says what is broken");
        assert!(message.starts_with(BROKEN), "{flaw}, {name}: {message}");
    }
}

/// The check of that name.
///
/// # Panics
///
/// If there is none.
pub fn check<B: Backend>(name: &str) -> Check<B> {
    let named = checks().into_iter().find(|(own, _)| *own == name);
    named.unwrap_or_else(|| panic!("the suite has no check {name}")).1
}

/// Runs every check.
///
/// # Panics
///
/// When the backend breaks an obligation of [`Store`]; the message says which.
pub fn run<B: Backend>(backend: &B) {
    for (_, check) in checks::<B>() {
        check(backend);
    }
}

/// How the message of a check that fails begins.
const BROKEN: &str = "the store breaks its contract: ";

/// Reports a broken obligation.
#[track_caller]
fn broken(obligation: &str, seen: impl std::fmt::Display) -> ! {
    panic!("{BROKEN}{obligation}; but {seen}")
}
