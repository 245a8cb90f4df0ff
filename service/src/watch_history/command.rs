//! Commands: the changes of an entry that a batch worker executes.

use super::entry::Entry;
use super::save::SaveCommand;
use crate::Error;
use crate::storage::input_row;

input_row! {
    /// The viewer and the video of an entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(super) struct EntryKey {
        user_id: i64,
        video_id: i64,
    }
}

/// A change of one entry.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Save(SaveCommand),
    Forget(EntryKey),
}

/// `Some(entry)` after a save, `None` after a deletion.
pub(super) type Outcome = Result<Option<Entry>, Error>;

impl Command {
    pub(super) fn key(&self) -> EntryKey {
        match self {
            Self::Save(save) => save.key(),
            Self::Forget(key) => *key,
        }
    }
}
