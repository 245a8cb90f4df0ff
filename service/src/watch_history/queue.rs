//! The three kinds of queues, their limits and their metrics.

use super::command::{Command, Outcome};
use crate::metrics::{Metrics, QueueMetrics, SaveMetrics};
use crate::storage::MIN_BATCH_LIMIT;

/// The largest batch of writes or lookups. Batches grow under overload only: with a limit of 128,
/// PostgreSQL lost a third of its throughput when players wanted three times what it can do.
const MAX_BATCH: usize = 512;

/// What the requests of a queue ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// Saves and deletions.
    Writes,
    /// One entry each.
    Lookups,
    /// The list "continue watching".
    Lists,
}

impl Queue {
    fn name(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Lookups => "lookups",
            Self::Lists => "lists",
        }
    }

    pub(super) fn max_batch(self) -> usize {
        match self {
            Self::Writes | Self::Lookups => MAX_BATCH,
            Self::Lists => MIN_BATCH_LIMIT,
        }
    }

    pub(super) fn metrics(self, metrics: Option<&Metrics>) -> Option<QueueMetrics> {
        metrics.map(|metrics| metrics.queue(self.name()))
    }

    /// Sets how many requests wait in all queues of this kind together, and how many may.
    pub(super) fn sample(self, metrics: &Metrics, queues: impl Iterator<Item = (usize, usize)>) {
        let (waiting, limit) = queues.fold((0, 0), |sum, queue| (sum.0 + queue.0, sum.1 + queue.1));
        metrics.waiting.with_label_values(&[self.name()]).set(i64::try_from(waiting).unwrap_or(i64::MAX));
        metrics.queue_limit.with_label_values(&[self.name()]).set(i64::try_from(limit).unwrap_or(i64::MAX));
    }
}

/// Counts how the saves of a batch ended.
pub(super) fn count_saves(metrics: Option<&SaveMetrics>, commands: &[Command], outcomes: &[Outcome]) {
    let Some(metrics) = metrics else { return };
    for (command, outcome) in commands.iter().zip(outcomes) {
        match (command, outcome) {
            (Command::Forget(_), _) => {}
            (Command::Save(_), Ok(Some(entry))) if entry.applied == Some(true) => metrics.applied.inc(),
            (Command::Save(_), Ok(Some(_))) => metrics.not_applied.inc(),
            (Command::Save(_), Ok(None)) => metrics.not_taken.inc(),
            (Command::Save(_), Err(_)) => metrics.failed.inc(),
        }
    }
}
