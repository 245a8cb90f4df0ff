//! Which entries were saved recently.

use super::save::SaveCommand;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The entries that were saved recently, each with its hour: the next save of such an entry is
/// likely to be a heartbeat. This may err, because the statement checks; so an entry is a hash in a
/// slot, and a newer entry takes the slot of an older one.
pub(super) struct RecentRows(Box<[u32]>);

/// The slot of an entry.
pub(super) struct RecentSlot<'a> {
    slot: &'a mut u32,
    hash: u32,
}

impl RecentRows {
    /// Of 200,000 entries, as many as are saved in turn at 20,000 saves a second, four in five have
    /// a slot of their own.
    const SLOTS: usize = 1 << 20;

    pub(super) fn new() -> Self {
        Self(vec![0; Self::SLOTS].into())
    }

    /// The slot of the entry and the hour of this save.
    pub(super) fn slot(&mut self, save: &SaveCommand) -> RecentSlot<'_> {
        let mut hasher = DefaultHasher::new();
        (save.key(), save.watched_hour).hash(&mut hasher);
        let hash = hasher.finish();
        RecentSlot { slot: &mut self.0[(hash >> 32) as usize % Self::SLOTS], hash: hash as u32 }
    }
}

impl RecentSlot<'_> {
    /// Whether the entry was saved in this hour.
    pub(super) fn is_recent(&self) -> bool {
        *self.slot == self.hash
    }

    pub(super) fn remember(&mut self) {
        *self.slot = self.hash;
    }
}
