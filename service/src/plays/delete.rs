//! Deletes a play.

use super::lock::{LockedPlay, lock_play};
use crate::Error;
use crate::storage::Transaction;
use crate::watch_history::edit::{Edit, store_one};
use crate::watch_history::rules::close_play;
use sea_orm::prelude::*;

/// Deletes a play of the caller from the history and the statistics. The entry keeps its position,
/// and counts one completion less if the play was one. A later save of a deleted running play
/// begins another one.
///
/// # Errors
/// [`Error::PlayNotFound`]; [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn delete(tx: &Transaction, edit: &Edit, play_id: i64) -> Result<(), Error> {
    let LockedPlay { entry: before, ended, .. } = lock_play(tx, edit, play_id).await?;
    let mut entry = before.clone();
    let deleted = match ended {
        Some(play) => {
            play.clone().delete(tx).await?;
            Some(play)
        }
        None => close_play(&mut entry),
    };
    if deleted.is_some_and(|play| play.completed) {
        entry.play_count = (entry.play_count - 1).max(0);
    }
    entry.updated_at = edit.now;
    store_one(tx, edit, before, &mut entry, None).await
}
