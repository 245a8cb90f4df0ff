//! What may happen to a row, and what is left of it.

use super::entry::Entry;
use super::statements::Sent;
use crate::Error;

/// The row of a user and a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) user_id: i64,
    pub(super) video_id: i64,
}

/// What may happen to a row.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Save(Sent),
    Forget(Key),
}

/// What a change leaves: the row of a save, and nothing of what was forgotten.
pub(super) type Left = Result<Option<Entry>, Error>;

impl Change {
    pub(super) fn key(&self) -> Key {
        match self {
            Self::Save(Sent { key, .. }) | Self::Forget(key) => *key,
        }
    }
}
