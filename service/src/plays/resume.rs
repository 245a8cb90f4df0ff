//! Resumes a play: the entry goes to where it ended.

use super::lock::{LockedPlay, lock_play};
use crate::Error;
use crate::storage::Transaction;
use crate::watch_history::Entry;
use crate::watch_history::edit::{Edit, go_to, store_one};
use crate::watch_history::rules::{close_play, give_up_position, show};

/// Moves the position of the caller in a video to where one of their plays ended, as a save of this
/// moment would.
///
/// # Errors
/// [`Error::PlayNotFound`]; [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn resume(tx: &Transaction, edit: &Edit, play_id: i64) -> Result<Entry, Error> {
    let LockedPlay { entry: before, duration, number, ended } = lock_play(tx, edit, play_id).await?;
    let mut entry = before.clone();
    let closed = close_play(&mut entry);
    let of_number = closed.as_ref().filter(|play| play.number == number);
    let play = ended.as_ref().or(of_number).ok_or(Error::PlayNotFound)?;
    give_up_position(&mut entry, play.end_position);
    go_to(&mut entry, play.end_position, play.device.clone(), duration, edit);
    show(&mut entry);
    store_one(tx, edit, before, &mut entry, closed).await?;
    Ok(edit.into_entry(entry, duration))
}
