//! Undo: back to the position that was given up last.

use super::{Edit, change_entry, go_to};
use crate::Error;
use crate::storage::Transaction;
use crate::watch_history::Entry;
use crate::watch_history::rules::close_play;
use entity::play;
use entity::watch_history::Model;

/// Swaps the position of the caller in a video and the one that was given up last. A second undo
/// takes the first one back.
///
/// # Errors
/// [`Error::NothingToUndo`]; [`Error::VideoNotFound`], [`Error::HistoryNotFound`];
/// [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn undo(tx: &Transaction, edit: &Edit, video_id: i64) -> Result<Entry, Error> {
    change_entry(tx, edit, video_id, |entry, duration| go_back(entry, duration, edit)).await
}

/// Swaps the two positions, and returns the play that ended.
fn go_back(entry: &mut Model, duration: Option<i32>, edit: &Edit) -> Result<Option<play::Model>, Error> {
    let position = entry.previous_position.ok_or(Error::NothingToUndo)?;
    let device = entry.previous_device.clone();
    let ended = close_play(entry);
    entry.previous_position = Some(entry.watch_position);
    entry.previous_device.clone_from(&entry.device);
    entry.previous_at = Some(entry.last_watched_at);
    go_to(entry, position, device, duration, edit);
    Ok(ended)
}
