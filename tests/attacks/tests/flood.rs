//! What a flood of strangers leaves behind when nothing limits it: nothing. Alone in its process, since it weighs the heap.

use std::alloc::System;

use attack_tests::{Flood, Flooded};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many requests of each kind in a round; `benches/flood` sends a million.
const COUNT: usize = 2_000;

/// What a server may have learned for good in a round, such as the room of a table.
const NOISE: isize = 64 * 1024;

fn heap() -> isize {
    let stats = HEAP.stats();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

#[tokio::test]
async fn ex_01_a_flood_without_limits_leaves_rows_and_memory_as_they_were() {
    for flood in Flood::ALL {
        let server = Flooded::new();
        // The first round makes the store's tables as large as they have to be: they are not given back, and do not grow.
        server.send(flood, 0..COUNT).await;
        server.settle().await;
        let before = heap();
        for round in 1..3 {
            server.send(flood, round * COUNT..(round + 1) * COUNT).await;
            assert_eq!(server.rows(), if flood.is_stored() { COUNT } else { 0 }, "{flood:?}");
            let grown = heap() - before;
            if flood.is_stored() || flood.is_remembered() {
                assert!(grown > 2 * NOISE, "{flood:?}: there is something to forget: {grown}");
            }
            server.settle().await;
            assert_eq!(server.rows(), 0, "{flood:?}");
            let grown = heap() - before;
            assert!(grown < NOISE, "{flood:?}: {grown}");
        }
    }
}
