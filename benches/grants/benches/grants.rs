//! First the bytes of a live grant, then what a request costs beside 1, 10⁴ and 10⁶ of them.
//!
//! The reference grant: a subject of 36 bytes, a client id of 40, 3 scopes, 1 resource, 1 access token, its code redeemed.
//! The requests go to at most a thousand grants from among all, as those of clients that are active at a time: so it shows
//! what the store's structures cost. `bearer of any` goes to all in turn, and so also shows the memory's own latency.

use std::alloc::System;
use std::cell::RefCell;
use std::time::Duration;

use contenders::{AT_HAND, Contender, Ours, Req, request};
use criterion::{BatchSize, BenchmarkId, Criterion};
use futures_executor::block_on;
use grants::{Tokens, login, member};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn live() -> usize {
    let now = ALLOCATOR.stats();
    now.bytes_allocated - now.bytes_deallocated
}

fn bytes_per_grant() {
    for count in [10_000, 100_000] {
        let mut server = Ours::new();
        drop(login(&mut server));
        let before = live();
        (0..count).for_each(|_| drop(login(&mut server)));
        println!("bytes per live grant, {count} of them: {}", (live() - before) / count);
    }
}

/// How many grants are asked for at a time.
const ACTIVE: usize = 1000;
/// A prime, so that a walk in steps of it comes to all of any number of grants, and to neighbours late.
const STEP: usize = 611_953;

fn main() {
    bytes_per_grant();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _context = runtime.enter();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .without_plots()
        .configure_from_args();
    for count in [1, 10_000, 1_000_000] {
        let server = RefCell::new(Ours::new());
        let tokens: Vec<Tokens> = (0..count).map(|_| login(&mut server.borrow_mut())).collect();
        let mut active: Vec<Tokens> =
            (0..count.min(ACTIVE)).map(|at| tokens[at * STEP % count].clone()).collect();
        let walk = |len: usize| (1..).map(move |step: usize| step.wrapping_mul(STEP) % len);
        let mut measure = |name: &str, batch: BatchSize, request: &mut dyn FnMut() -> Req| {
            criterion.benchmark_group(name).bench_function(BenchmarkId::from_parameter(count), |bencher| {
                let send = |request: Req| {
                    let mut server = server.borrow_mut();
                    let bearer = request.uri().path() == "/resource";
                    drop(if bearer {
                        block_on(server.resource(request))
                    } else {
                        block_on(server.call(request))
                    });
                };
                bencher.iter_batched(&mut *request, send, batch);
            });
        };
        let batch = BatchSize::NumIterations(AT_HAND);
        let mut at = walk(active.len());
        measure("bearer", batch, &mut || {
            request::resource("/resource", &active[at.next().unwrap_or_default()].access)
        });
        let mut at = walk(count);
        measure("bearer of any", batch, &mut || {
            request::resource("/resource", &tokens[at.next().unwrap_or_default()].access)
        });
        let mut at = walk(active.len());
        measure("introspection", batch, &mut || {
            let token = &active[at.next().unwrap_or_default()].access;
            request::post(Ours::INTROSPECTION, request::form::introspection(token))
        });
        let mut at = walk(active.len());
        // A refresh token works once: what is measured rotates the one that was fetched just before, while nobody measured.
        measure("refresh", BatchSize::PerIteration, &mut || {
            let grant = &mut active[at.next().unwrap_or_default()];
            let request = request::post(Ours::TOKEN, request::form::refresh(&grant.refresh));
            grant.refresh = member(&block_on(server.borrow_mut().call(request)), "refresh_token");
            request::post(Ours::TOKEN, request::form::refresh(&grant.refresh))
        });
    }
    criterion.final_summary();
}
