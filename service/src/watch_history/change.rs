//! What may happen to a row, and what is left of it.

use super::entry::Entry;
use super::statements::Sent;
use crate::Error;

/// What may happen to a row.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Save(Sent),
    Forget { user_id: i64, video_id: i64 },
}

/// What a change leaves: the row of a save, and nothing of what was forgotten.
pub(super) type Left = Result<Option<Entry>, Error>;

impl Change {
    /// The user and the video.
    pub(super) fn key(&self) -> (i64, i64) {
        match self {
            Self::Save(Sent { user_id, video_id, .. }) | Self::Forget { user_id, video_id } => (*user_id, *video_id),
        }
    }
}
