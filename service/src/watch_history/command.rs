//! Commands: the changes of an entry that a batch worker executes.

use super::entry::Entry;
use super::key::EntryKey;
use super::save::SaveCommand;
use crate::Error;

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
