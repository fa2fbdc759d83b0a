//! Benchmarks of what strangers can send: see `benches/`.
