//! Stores that are wrong on purpose: the suite catches each of them, by the check that is meant for it.

mod flawed;

use std::panic::{AssertUnwindSafe, catch_unwind};

use flawed::{Flaw, Flawed};
use oauth_core::storage::testing::checks;

/// The names of the checks that fail, with their messages.
fn failures(flaw: Flaw, only: &[&str]) -> Vec<(&'static str, String)> {
    let mut failures = Vec::new();
    for (name, check) in checks::<Flawed>() {
        if !only.is_empty() && !only.contains(&name) {
            continue;
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&Flawed(flaw)))) {
            failures.push((name, *panic.downcast::<String>().expect("a check says what is broken")));
        }
    }
    failures
}

/// All of these checks catch the flaw, each by naming an obligation.
fn caught_by(flaw: Flaw, checks: &[&'static str]) {
    let failures = failures(flaw, checks);
    let names: Vec<_> = failures.iter().map(|(name, _)| *name).collect();
    for name in checks {
        assert!(names.contains(name), "{flaw:?} passes {name}");
    }
    for (name, message) in failures {
        assert!(message.starts_with("the store breaks its contract: "), "{flaw:?}, {name}: {message}");
    }
}

#[test]
fn without_a_flaw_the_same_store_passes() {
    assert_eq!(failures(Flaw::None, &[]), []);
}

#[test]
fn read_then_write() {
    caught_by(Flaw::ReadThenWrite, &["one_of_many_inserts_wins", "one_of_many_swaps_wins"]);
}

#[test]
fn last_write_wins() {
    caught_by(
        Flaw::LastWriteWins,
        &[
            "insert_needs_absence",
            "swap_needs_the_stored_version",
            "a_redelivered_swap_after_a_later_write_is_stale",
            "one_of_many_swaps_wins",
            "revocation_survives_late_writers",
        ],
    );
}

#[test]
fn answers_stale_to_its_own_write() {
    caught_by(
        Flaw::StaleToItsOwnWrite,
        &[
            "a_redelivered_swap_is_recognised",
            "racing_deliveries_of_one_swap_agree",
            "a_dropped_swap_happens_wholly_or_not_at_all",
        ],
    );
}

#[test]
fn writes_again_what_is_delivered_again() {
    caught_by(Flaw::WritesItsOwnAgain, &["a_redelivered_swap_is_recognised"]);
}

#[test]
fn reads_stale() {
    caught_by(Flaw::ReadsStale, &["swap_needs_the_stored_version", "handles_see_each_others_writes"]);
}

#[test]
fn reads_its_own_cache() {
    caught_by(Flaw::CachesPerHandle, &["handles_see_each_others_writes", "loads_never_go_back_in_time"]);
}

#[test]
fn forgets_a_revocation() {
    caught_by(Flaw::ForgetsRevocations, &["revocation_survives_late_writers"]);
}

#[test]
fn lets_a_revoked_grant_be_written_over() {
    caught_by(Flaw::WritesOverRevoked, &["revocation_survives_late_writers"]);
}

#[test]
fn writes_in_two_steps() {
    caught_by(Flaw::WritesInTwoSteps, &["a_dropped_swap_happens_wholly_or_not_at_all"]);
}

#[test]
fn indexes_after_writing() {
    caught_by(
        Flaw::IndexesAfterWriting,
        &["a_dropped_insert_happens_wholly_or_not_at_all", "a_dropped_swap_happens_wholly_or_not_at_all"],
    );
}

#[test]
fn answers_a_neighbours_record() {
    caught_by(Flaw::AnswersANeighbour, &["absence_is_an_answer"]);
}

#[test]
fn ignores_the_namespace() {
    caught_by(Flaw::IgnoresTheNamespace, &["absence_is_an_answer"]);
}

#[test]
fn answers_a_changed_record() {
    caught_by(Flaw::ForgetsTheSession, &["every_body_comes_back"]);
}

#[test]
fn hides_what_is_past_its_time() {
    caught_by(Flaw::HidesExpired, &["loads_answer_for_their_own_key"]);
}

#[test]
fn takes_a_failure_for_absence() {
    caught_by(Flaw::FailureIsAbsence, &["a_failure_is_never_an_answer"]);
}

#[test]
fn lists_too_little() {
    caught_by(Flaw::ListMissesTheLast, &["listing_pages_name_each_key_once"]);
}

#[test]
fn lists_without_pages() {
    caught_by(Flaw::ListIgnoresTheLimit, &["listing_pages_name_each_key_once"]);
}

#[test]
fn lists_the_first_page_for_ever() {
    caught_by(Flaw::ListIgnoresAfter, &["listing_pages_name_each_key_once"]);
}

#[test]
fn lists_from_a_key_that_must_exist() {
    caught_by(Flaw::ListNeedsTheLastKey, &["listing_goes_on_after_a_purged_key"]);
}

#[test]
fn lists_whatever_the_case() {
    caught_by(Flaw::ListIgnoresCase, &["listing_finds_by_client_subject_and_session"]);
}

#[test]
fn lists_by_the_first_subject_for_ever() {
    caught_by(Flaw::ListKeepsTheFirstIndex, &["listing_follows_a_rewritten_record"]);
}

#[test]
fn purges_the_boundary() {
    caught_by(Flaw::PurgesTheBoundary, &["purge_deletes_by_retain_until_alone"]);
}

#[test]
fn purges_what_is_revoked() {
    caught_by(
        Flaw::PurgesRevoked,
        &["purge_deletes_by_retain_until_alone", "revocation_survives_late_writers"],
    );
}

#[test]
fn purges_by_the_grants_own_end() {
    caught_by(Flaw::PurgesByTheGrantsEnd, &["purge_deletes_by_retain_until_alone"]);
}

#[test]
fn purges_by_the_first_retain_until() {
    caught_by(Flaw::PurgesByTheFirstTime, &["purge_reads_the_latest_retain_until"]);
}

#[test]
fn purges_without_limit() {
    caught_by(Flaw::PurgesWithoutLimit, &["purge_works_in_limited_batches"]);
}

#[test]
fn forgets_that_more_remain() {
    caught_by(Flaw::PurgeForgetsMore, &["purge_works_in_limited_batches"]);
}
