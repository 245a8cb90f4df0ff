//! The other processes, as far as they were heard.

use super::HEARTBEAT;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A process that was not heard for so long was killed, or cannot publish.
const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT.as_secs());

/// When each other process was last heard.
#[derive(Debug, Default)]
pub(super) struct Peers(HashMap<Uuid, Instant>);

impl Peers {
    pub(super) fn hear(&mut self, process: Uuid, is_farewell: bool) {
        if is_farewell {
            self.0.remove(&process);
        } else {
            self.0.insert(process, Instant::now());
        }
    }

    /// Starts the times of all processes anew, because none could be heard without a subscription.
    pub(super) fn resume(&mut self) {
        self.0.values_mut().for_each(|heard| *heard = Instant::now());
    }

    /// Removes the processes that were silent for too long, and returns whether there were any. One
    /// that was killed may not have published the last thing that it committed.
    pub(super) fn remove_silent(&mut self) -> bool {
        let before = self.0.len();
        self.0.retain(|_, heard| heard.elapsed() < SILENCE);
        self.0.len() < before
    }
}
