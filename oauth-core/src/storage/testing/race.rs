//! Of N concurrent swaps that expect the same version exactly one writes.

use std::sync::Arc;

use futures_util::future::join_all;

use super::backend::{drive, on_threads};
use super::probe::Probe;
use super::sample::Sample;
use super::{Backend, broken};
use crate::storage::{Record, Swap, Version};

const RACERS: usize = 16;
const ROUNDS: usize = 40;

/// Many inserts under one key at once, as tasks of one thread and from many threads: one wins.
pub fn one_of_many_inserts_wins<B: Backend>(backend: &B) {
    let sample = Sample::new(20);
    let handles = handles(backend);
    for round in 0..ROUNDS {
        let template = sample.grant();
        race(backend, &handles, &sample, &template, None, round);
    }
}

/// Many swaps from one version at once, as tasks of one thread and from many threads: one wins.
pub fn one_of_many_swaps_wins<B: Backend>(backend: &B) {
    let sample = Sample::new(21);
    let handles = handles(backend);
    for round in 0..ROUNDS {
        let stored = sample.grant();
        drive(backend, handles[0].insert(&stored));
        race(backend, &handles, &sample, &stored, Some(stored.version), round);
    }
}

/// One insert delivered many times beside a rival: all deliveries hear the same, and it is true.
pub fn racing_deliveries_of_one_swap_agree<B: Backend>(backend: &B) {
    let sample = Sample::new(22);
    let handles = handles(backend);
    for round in 0..ROUNDS {
        let ours = sample.grant();
        let rival = sample.next_grant(&ours, |_| {});
        let racers: Vec<_> =
            (0..RACERS).map(|racer| if racer == round % RACERS { &rival } else { &ours }).collect();
        let answers = swap_at_once(backend, &handles, &racers, None, round);
        let stored = drive(backend, handles[0].load(ours.key));
        for (record, answer) in racers.iter().zip(answers) {
            let won = stored.as_ref().is_some_and(|stored| stored.version == record.version);
            if won != (answer == Swap::Swapped) {
                broken(
                    "every delivery of the swap that won answers Swapped and every other one Stale",
                    format_args!("{answer:?} was answered where {stored:?} is stored"),
                );
            }
        }
    }
}

fn handles<B: Backend>(backend: &B) -> Vec<Probe<B::Store>> {
    drive(backend, async {
        let mut handles = vec![Probe(backend.fresh().await)];
        while handles.len() < RACERS {
            handles.push(Probe(backend.reopen(&handles[0].0).await));
        }
        handles
    })
}

fn race<B: Backend>(
    backend: &B,
    handles: &[Probe<B::Store>],
    sample: &Sample,
    template: &Record,
    expected: Option<Version>,
    round: usize,
) {
    let racers: Vec<_> = handles.iter().map(|_| sample.next_grant(template, |_| {})).collect();
    let answers = swap_at_once(backend, handles, &racers.iter().collect::<Vec<_>>(), expected, round);
    let winners: Vec<_> = racers.iter().zip(answers).filter(|(_, answer)| *answer == Swap::Swapped).collect();
    match winners[..] {
        [(winner, _)] => drive(backend, handles[0].expect(winner, "what a swap wrote stays")),
        _ => broken(
            "of N concurrent swaps that expect the same version exactly one writes",
            format_args!("{} of {RACERS} did in round {round}", winners.len()),
        ),
    }
}

/// Odd rounds race on threads, even ones within one task.
fn swap_at_once<B: Backend>(
    backend: &B,
    handles: &[Probe<B::Store>],
    racers: &[&Arc<Record>],
    expected: Option<Version>,
    round: usize,
) -> Vec<Swap> {
    let swaps: Vec<_> = handles.iter().zip(racers).map(|(store, next)| store.swap(next, expected)).collect();
    if round % 2 == 1 { on_threads(backend, swaps) } else { drive(backend, join_all(swaps)) }
}
