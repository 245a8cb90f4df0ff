//! Commands: the changes of an entry that a batch worker executes.

use super::entry::Entry;
use super::key::{EntryKey, EntryRequest};
use super::save::SaveCommand;
use crate::Error;
use chrono::{DateTime, Utc};

/// A change of one entry.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Save(SaveCommand),
    Forget(EntryRequest),
}

/// `Some(entry)` after a save, `None` after a deletion and after a save that is not taken.
pub(super) type Outcome = Result<Option<Entry>, Error>;

impl Command {
    pub(super) fn key(&self) -> EntryKey {
        match self {
            Self::Save(save) => save.key(),
            Self::Forget(request) => request.key(),
        }
    }

    /// When the command came.
    pub(super) fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Save(save) => save.updated_at,
            Self::Forget(request) => request.now,
        }
    }
}
