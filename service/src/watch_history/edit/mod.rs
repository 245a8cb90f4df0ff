//! What a viewer changes of the history without a player: undo, hide, mark, forget, clear.
//!
//! A use case locks the entries that it changes ([`lock`]), changes them by plain functions, and
//! stores them ([`store`]) in the transaction that it is given. All of them lock in one order, as
//! the saves do: the account, the videos, the entries by video, their plays, the tombstones.

mod clear;
mod forget;
mod hide;
mod lock;
mod mark;
mod store;
mod undo;

use super::entry::Entry;
use super::rules::{close_play, give_up_position, watch_at};
use crate::Error;
use crate::progress::ProgressRules;
use crate::storage::Transaction;
use chrono::{DateTime, Utc};
pub use clear::{Clearing, clear, finish_clearings};
use entity::play;
use entity::watch_history::Model;
pub use forget::{Deletion, VideoList, forget_many};
pub use hide::{Hiding, hide, unhide};
pub(crate) use lock::{lock_account, lock_entry, lock_video};
pub use mark::{Mark, MarkResult, Marks, mark, mark_many, unmark};
pub(crate) use store::store_one;
pub use undo::undo;
use validator::ValidationError;

/// The most videos of one request.
const MAX_VIDEOS: u64 = 500;

/// Who edits the history, by which rules, and when.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// The id of the caller.
    pub user_id: i64,
    /// When a video counts as completed, and where it resumes.
    pub rules: ProgressRules,
    /// Days after which every viewer's entries and plays expire; `None` for never.
    pub history_max_days: Option<i32>,
    /// The time of the request.
    pub now: DateTime<Utc>,
}

impl Edit {
    /// The entry as a client gets it.
    pub(crate) fn into_entry(self, entry: Model, duration: Option<i32>) -> Entry {
        Entry::of_model(entry, duration, &self.rules, self.now)
    }

    /// A time of the past that the caller may leave out, which means now.
    fn past_or_now(&self, field: &str, time: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, Error> {
        let time = time.unwrap_or(self.now);
        if time <= self.now {
            return Ok(time);
        }
        Err(Error::Invalid { field: field.to_owned(), message: "must not be in the future".into() })
    }
}

/// Changes the caller's entry for a video, and returns it. `change` gets the entry and the duration
/// of the video, and returns the play that ended.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::HistoryNotFound`]; [`Error::Unauthenticated`] when the
/// account is gone or deactivated; those of `change`.
async fn change_entry(
    tx: &Transaction,
    edit: &Edit,
    video_id: i64,
    change: impl FnOnce(&mut Model, Option<i32>) -> Result<Option<play::Model>, Error>,
) -> Result<Entry, Error> {
    let account = lock_account(tx, edit).await?;
    let duration = lock_video(tx, &account, video_id).await?;
    let before = lock_entry(tx, &account, video_id).await?;
    let mut entry = before.clone();
    let ended = change(&mut entry, duration)?;
    store_one(tx, edit, before, &mut entry, ended).await?;
    Ok(edit.into_entry(entry, duration))
}

/// Moves the entry to a position, as a save of this moment would. It begins no play and counts no
/// completion.
pub(crate) fn go_to(entry: &mut Model, position: i32, device: Option<String>, duration: Option<i32>, edit: &Edit) {
    entry.watch_position = position;
    entry.device = device;
    entry.completed = edit.rules.is_completed(position, duration);
    watch_at(entry, edit.now);
}

/// Moves the entry to the position of a mark. A new position ends the running play, whose row is
/// returned.
fn move_by_mark(entry: &mut Model, position: i32) -> Option<play::Model> {
    give_up_position(entry, position);
    let ended = if position == entry.watch_position { None } else { close_play(entry) };
    entry.watch_position = position;
    ended
}

/// Refuses ids below 1.
fn check_ids(ids: &[i64]) -> Result<(), ValidationError> {
    if ids.iter().all(|id| *id > 0) {
        return Ok(());
    }
    Err(ValidationError::new("video_ids").with_message("must be whole numbers, 1 or more".into()))
}
