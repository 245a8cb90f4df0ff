//! Which entries were saved recently.

use super::save::SaveCommand;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A table that remembers which entries were saved in the current hour. The next save of such an
/// entry is probably a heartbeat. It stores only a hash for each entry, and a newer entry overwrites
/// an older one in its slot. A wrong answer does no harm: the heartbeat statement checks by itself.
pub(super) struct RecentRows(Box<[u32]>);

/// The slot of an entry.
pub(super) struct RecentSlot<'a> {
    slot: &'a mut u32,
    hash: u32,
}

impl RecentRows {
    /// A million slots. At 20,000 saves a second about 200,000 entries are being watched, and four in
    /// five of them have a slot of their own.
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
