//! Finds a play that the caller changes, and locks its entry until the transaction ends.

use super::PlayId;
use crate::Error;
use crate::storage::Transaction;
use crate::watch_history::edit::{Edit, lock_account, lock_entry, lock_video};
use entity::{play, watch_history};
use sea_orm::QuerySelect;
use sea_orm::prelude::*;

/// A play of the caller. Its entry is locked.
pub(super) struct LockedPlay {
    pub(super) entry: watch_history::Model,
    /// The duration of the video.
    pub(super) duration: Option<i32>,
    pub(super) number: i32,
    /// Its row; `None` if it is running.
    pub(super) ended: Option<play::Model>,
}

/// Finds a play by the id that clients know.
///
/// # Errors
/// [`Error::PlayNotFound`], also when the play has expired, or the caller may not see the video;
/// [`Error::Unauthenticated`] when the account is gone or deactivated.
pub(super) async fn lock_play(tx: &Transaction, edit: &Edit, play_id: i64) -> Result<LockedPlay, Error> {
    let account = lock_account(tx, edit).await?;
    let PlayId { entry_id, number } = PlayId::decode(play_id).ok_or(Error::PlayNotFound)?;
    let video = watch_history::Entity::find_by_id(entry_id)
        .select_only()
        .column(watch_history::Column::VideoId)
        .filter(watch_history::Column::UserId.eq(edit.user_id));
    let video_id: i64 = video.into_tuple().one(tx).await?.ok_or(Error::PlayNotFound)?;
    let duration = lock_video(tx, &account, video_id).await.map_err(as_play)?;
    let entry = lock_entry(tx, &account, video_id).await.map_err(as_play)?;
    // Between the two reads another entry of the video may have taken the place of this one.
    if entry.id != entry_id {
        return Err(Error::PlayNotFound);
    }
    if entry.play_number == number && entry.play_is_kept && entry.play_started_at.is_some() {
        return Ok(LockedPlay { entry, duration, number, ended: None });
    }
    let ended = play::Entity::find_by_id((entry_id, number)).lock_exclusive().one(tx).await?;
    let ended = ended.filter(|play| !account.is_expired(play.ended_at)).ok_or(Error::PlayNotFound)?;
    Ok(LockedPlay { entry, duration, number, ended: Some(ended) })
}

fn as_play(error: Error) -> Error {
    match error {
        Error::VideoNotFound | Error::HistoryNotFound => Error::PlayNotFound,
        other => other,
    }
}
