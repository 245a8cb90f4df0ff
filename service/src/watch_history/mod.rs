//! Where every viewer stopped: the save path, and what is made of it.
//!
//! Questions join a lane ([`crate::storage`]) and are served many at a time by prepared statements ([`statements`]): one for all of them on
//! PostgreSQL, one after the other in one transaction on SQLite. Whether the user stands and the video can be seen is part of
//! the statement, so that nothing can change between the question and the answer. All changes of one user go through one lane, so
//! that they happen in the order of their arrival.

mod change;
mod entry;
mod on_postgres;
mod on_sqlite;
mod read;
mod save;
mod statements;

use crate::progress::ProgressRules;
use crate::storage::BatchConnections;
use crate::storage::Batcher;
use crate::{Database, Error};
use change::{Change, Key};
use chrono::{DateTime, Utc};
pub use entry::Entry;
pub use read::ContinueWatching;
pub use save::Save;
use statements::{Newest, Statements};
use std::sync::Arc;

/// How many lanes find entries: more of them make the groups smaller and the whole slower.
const FINDERS: usize = 1;
/// How many lanes read lists: while one waits for the database, the other takes its rows apart.
const LISTERS: usize = 2;
/// How many rows are written or found at once. Only a crowd makes groups so large, and a crowd leaves the database little of the
/// machine: with 128, three times the load that it can take brought PostgreSQL down to two thirds of it.
const ROWS_AT_ONCE: usize = 512;

/// The table of history behind its lanes.
#[derive(Debug)]
pub struct History {
    writers: Vec<Batcher<Change, Option<Entry>>>,
    finders: Vec<Batcher<Key, Entry>>,
    listers: Vec<Batcher<Newest, Vec<ContinueWatching>>>,
}

/// What the lanes work with, besides a connection each.
#[derive(Debug)]
struct Table {
    statements: Statements,
    rules: ProgressRules,
}

impl History {
    /// Opens the lanes, on PostgreSQL on the runtime that the connections belong to.
    pub fn open(database: &Database, rules: ProgressRules) -> Self {
        let table = Arc::new(Table { statements: Statements::new(database.backend(), &rules), rules });
        match database.batch_connections() {
            BatchConnections::Postgres(links) => on_postgres::open(links, &table),
            BatchConnections::Sqlite(engines) => on_sqlite::open(engines, &table),
        }
    }
}

/// Stores where the caller stands in a video, in place of what was stored before, unless that is newer. `now` is when the
/// save arrived.
///
/// # Errors
/// [`Error::VideoNotFound`]; [`Error::Unauthenticated`] when the account is gone or deactivated; [`Error::Busy`].
pub async fn save(
    history: &History,
    user_id: i64,
    video_id: i64,
    save: Save,
    now: DateTime<Utc>,
) -> Result<Entry, Error> {
    let change = Change::Save(save.sent(Key { user_id, video_id }, now));
    of_user(&history.writers, user_id).submit(change).await?.ok_or_else(nothing_left)
}

/// Stores what a device gathered, each save with its video, one after the other.
///
/// # Errors
/// Those of [`save`], for each of them; [`Error::Busy`] when there is no room for all of them.
pub async fn save_all(
    history: &History,
    user_id: i64,
    saves: Vec<(i64, Save)>,
    now: DateTime<Utc>,
) -> Result<Vec<Result<Entry, Error>>, Error> {
    let changes = saves.into_iter().map(|(video_id, save)| Change::Save(save.sent(Key { user_id, video_id }, now)));
    let saved = of_user(&history.writers, user_id).submit_all(changes.collect()).await?;
    Ok(saved.into_iter().map(|saved| saved?.ok_or_else(nothing_left)).collect())
}

/// Where the caller stands in a video.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::HistoryNotFound`]; [`Error::Unauthenticated`] when the account is gone or
/// deactivated; [`Error::Busy`].
pub async fn find(history: &History, user_id: i64, video_id: i64) -> Result<Entry, Error> {
    of_user(&history.finders, user_id).submit(Key { user_id, video_id }).await
}

/// Forgets where the caller stands in a video.
///
/// # Errors
/// As [`find`].
pub async fn forget(history: &History, user_id: i64, video_id: i64) -> Result<(), Error> {
    of_user(&history.writers, user_id).submit(Change::Forget(Key { user_id, video_id })).await.map(drop)
}

/// What the caller has begun and not finished, the last watched first, `limit` items at most.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone or deactivated; [`Error::Busy`].
pub async fn continue_watching(history: &History, user_id: i64, limit: u32) -> Result<Vec<ContinueWatching>, Error> {
    of_user(&history.listers, user_id).submit(Newest { user_id, most: limit.into() }).await
}

/// What a save that was taken or refused cannot meet.
fn nothing_left() -> Error {
    Error::Internal("a save left no row".into())
}

/// The lane of a user, always the same one.
fn of_user<Q, A>(lanes: &[Batcher<Q, A>], user_id: i64) -> &Batcher<Q, A> {
    &lanes[usize::try_from(user_id).unwrap_or_default() % lanes.len()]
}
