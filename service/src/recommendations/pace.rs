//! Pauses between the steps of the job, so that requests come first.

use std::time::{Duration, Instant};

/// How the job spreads its steps, so that requests keep most of the processors and of the database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The shortest time from the beginning of a step to that of the next one.
    interval: Duration,
    /// The shortest pause between two steps, in times of the first one.
    rest: u32,
}

impl Pace {
    /// Runs a step, and waits until the next one may begin.
    pub(super) async fn step<T>(self, step: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let result = step.await;
        let took = started.elapsed();
        tokio::time::sleep(self.interval.saturating_sub(took).max(took * self.rest)).await;
        result
    }
}

/// A step reads the entries of 20 viewers.
pub(super) const READING: Pace = Pace { interval: Duration::from_millis(60), rest: 4 };
/// On SQLite a save waits for the transaction of a step, which takes about 6 ms. On PostgreSQL it
/// takes four times as long: two foreign keys of each row are checked.
pub(super) const WRITING: Pace = Pace { interval: Duration::from_millis(150), rest: 5 };
