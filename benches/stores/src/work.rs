//! How fast workers are together.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// Lets each worker repeat its step until the time is over, in a task of its own. Gives the steps a second, and the workers.
///
/// # Panics
///
/// When a step does.
pub async fn rate<W: Send + 'static, F: Future<Output = W> + Send>(
    workers: Vec<W>,
    time: Duration,
    step: impl Fn(W) -> F + Copy + Send + 'static,
) -> (f64, Vec<W>) {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut worker in workers {
        tasks.spawn(async move {
            let mut done = 0_u32;
            while begun.elapsed() < time {
                worker = step(worker).await;
                done += 1;
            }
            (done, worker)
        });
    }
    let ended = tasks.join_all().await;
    let elapsed = begun.elapsed().as_secs_f64();
    let done: u32 = ended.iter().map(|(done, _)| done).sum();
    (f64::from(done) / elapsed, ended.into_iter().map(|(_, worker)| worker).collect())
}

/// The one in the middle.
///
/// # Panics
///
/// When there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
