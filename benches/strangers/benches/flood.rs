//! A million unauthenticated requests of each kind, without limits: rows and bytes before, at the peak, and after all has expired
//! and was purged. `cargo bench -p strangers --bench flood -- [COUNT] [KIND...]`

use std::alloc::System;
use std::time::Instant;

use attack_tests::{Flood, Flooded};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often the heap is looked at on the way.
const LOOKS: usize = 100;

fn live() -> usize {
    let now = ALLOCATOR.stats();
    now.bytes_allocated - now.bytes_deallocated
}

async fn measure(flood: Flood, count: usize) {
    let server = Flooded::new();
    // What the first requests build for good: tables of fixed size, pools.
    server.send(flood, count..count + 100).await;
    server.settle().await;
    let before = (server.rows(), live());
    let (start, mut peak) = (Instant::now(), before);
    let step = count.div_ceil(LOOKS);
    for from in (0..count).step_by(step) {
        server.send(flood, from..count.min(from + step)).await;
        peak = (peak.0.max(server.rows()), peak.1.max(live()));
    }
    let took = start.elapsed();
    server.settle().await;
    let after = (server.rows(), live());
    let each = took.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{:<16} {:>8} {:>9} {:>8} {:>10} {:>12} {:>10} {:>8.1}",
        format!("{flood:?}"),
        before.0,
        peak.0,
        after.0,
        before.1,
        peak.1,
        after.1,
        each
    );
}

fn main() {
    let count = std::env::args().skip(1).find_map(|own| own.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("{count} requests of each kind");
    println!("kind                 rows      peak    after      bytes         peak      after  µs each");
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let named = |flood: &Flood| asked.contains(&format!("{flood:?}"));
    let all = !Flood::ALL.iter().any(named);
    for flood in Flood::ALL.into_iter().filter(|flood| all || named(flood)) {
        runtime.block_on(measure(flood, count));
    }
}
