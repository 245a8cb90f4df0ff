//! Deletes a play.

use super::PlayId;
use super::lock::{LockedPlay, lock_play};
use crate::Error;
use crate::storage::Transaction;
use crate::watch_history::edit::{Edit, store_one};
use crate::watch_history::rules::close_play;
use entity::play;
use entity::watch_history::Model;
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
            skip_number(tx, &mut entry, play.number).await?;
            Some(play)
        }
        None => close_play(&mut entry),
    };
    if let Some(play) = deleted.filter(|play| play.completed) {
        uncount_completion(&mut entry, play.player_session.as_deref());
    }
    entry.updated_at = edit.now;
    store_one(tx, edit, before, &mut entry, None).await
}

/// Gives the number of a deleted play to no other one: a repeated deletion would delete that. If it
/// was the greatest, the entry remembers it; an earlier play that runs again gets a new number.
async fn skip_number(tx: &Transaction, entry: &mut Model, number: i32) -> Result<(), Error> {
    let newer = play::Entity::find().filter(play::Column::EntryId.eq(entry.id)).filter(play::Column::Number.gt(number));
    if number > entry.play_number && newer.one(tx).await?.is_none() {
        let is_running = entry.play_is_kept && entry.play_started_at.is_some();
        entry.play_number = (number + i32::from(is_running)).min(PlayId::MAX_NUMBER);
    }
    Ok(())
}

/// Counts one completion less. The same player session may bring the video to its end again.
fn uncount_completion(entry: &mut Model, session: Option<&str>) {
    entry.play_count = (entry.play_count - 1).max(0);
    if entry.play_count == 0 {
        entry.completed_at = None;
    }
    let counted = entry.counted_sessions.take().unwrap_or_default();
    let others = counted.split_inclusive(' ').filter(|counted| Some(counted.trim_end()) != session);
    entry.counted_sessions = Some(others.collect()).filter(|others: &String| !others.is_empty());
}
