//! Where every viewer stopped: saves, entries, and the list "continue watching".
//!
//! Requests are queued and processed in batches ([`crate::storage`]) by prepared [`statements`]:
//! one for a whole batch on PostgreSQL, one after the other in one transaction on SQLite. All
//! commands of one user go to one batch worker, so that they are executed in the order of their
//! arrival.

mod command;
pub mod edit;
mod entry;
mod history_list;
mod key;
mod list;
mod list_cache;
mod lookup;
mod on_postgres;
mod on_sqlite;
mod publish;
mod queue;
pub(crate) mod rules;
mod save;
mod statements;
mod stored_state;

use crate::auth::Tokens;
use crate::metrics::{Metrics, SaveMetrics};
use crate::progress::ProgressRules;
use crate::relay::RedisAddress;
use crate::retention::retention_cutoff;
use crate::storage::{BatchConnections, Batcher, EventPublisher};
use crate::video::SummaryCache;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use command::Command;
pub use entry::{Entry, PreviousPosition};
pub use history_list::{HistoryItem, HistoryQuery, HistoryState, list_history};
use key::{EntryKey, EntryRequest};
pub use list::ContinueWatching;
use list::{ListRequest, ListRows};
use list_cache::{CachedList, ListCache, StorePermit};
use queue::Queue;
pub use save::Save;
use statements::ReadStatements;
use std::sync::Arc;

/// How many workers find entries. With more of them the batches are smaller, and all are slower.
const FINDERS: usize = 1;
/// How many workers read lists: while one waits for the database, the other decodes its rows.
const LISTERS: usize = 2;

/// The watch history: the queues of its batch workers.
#[derive(Debug)]
pub struct History {
    writers: Vec<Batcher<Command, Option<Entry>>>,
    finders: Vec<Batcher<EntryRequest, Entry>>,
    listers: Vec<Batcher<ListJob, Vec<ContinueWatching>>>,
    /// Who finds lists in Redis.
    cached: Option<Batcher<ListRequest, CachedList>>,
    metrics: Option<Arc<Metrics>>,
}

/// A list that is read from the database, and where it may be stored.
type ListJob = (ListRequest, Option<StorePermit>);

/// What all batch workers share.
#[derive(Debug)]
struct Context {
    statements: ReadStatements,
    rules: ProgressRules,
    /// The setting `HISTORY_MAX_DAYS`.
    max_days: Option<i32>,
    events: EventPublisher,
    /// What lists show of the videos that were listed last.
    summaries: SummaryCache,
    lists: Option<ListCache>,
    metrics: Option<Arc<Metrics>>,
    saves: Option<SaveMetrics>,
}

impl Context {
    /// The list of these rows, which is stored if it may be.
    fn finish_list(
        &self,
        rows: ListRows,
        request: &ListRequest,
        permit: Option<StorePermit>,
    ) -> Result<Vec<ContinueWatching>, Error> {
        if let (Some(lists), Some(permit)) = (&self.lists, permit) {
            lists.store(permit, &rows);
        }
        rows.into_list(request, &self.rules, self.max_days)
    }
}

impl History {
    /// Starts the batch workers. On PostgreSQL they are tasks of the runtime that calls this.
    /// `history_max_days` is the setting `HISTORY_MAX_DAYS`.
    ///
    /// # Errors
    /// A statement cannot be built.
    pub fn open(database: &Database, rules: ProgressRules, history_max_days: Option<i32>) -> Result<Self, Error> {
        Self::open_with(database, rules, history_max_days, None)
    }

    /// As [`History::open`], with lists in this Redis, which the processes of one site share that
    /// have the same `tokens`.
    ///
    /// # Errors
    /// As [`History::open`].
    pub fn open_with_list_cache(
        database: &Database,
        rules: ProgressRules,
        history_max_days: Option<i32>,
        redis: RedisAddress,
        tokens: &Tokens,
    ) -> Result<Self, Error> {
        let lists = ListCache::start(database, redis, &tokens.site());
        Self::open_with(database, rules, history_max_days, lists)
    }

    fn open_with(
        database: &Database,
        rules: ProgressRules,
        history_max_days: Option<i32>,
        lists: Option<ListCache>,
    ) -> Result<Self, Error> {
        let statements = ReadStatements::new(database.backend());
        let events = database.events().clone();
        let metrics = database.metrics().cloned();
        let saves = metrics.as_ref().map(|metrics| metrics.saves());
        let summaries = SummaryCache::default();
        let max_days = history_max_days;
        let context = Arc::new(Context { statements, rules, max_days, events, summaries, lists, metrics, saves });
        let cached = context.lists.is_some().then(|| list_cache::batcher(&context));
        let history = match database.batch_connections() {
            BatchConnections::Postgres(connector) => on_postgres::open(connector, &context),
            BatchConnections::Sqlite(connector) => on_sqlite::open(connector, &context),
        };
        Ok(Self { cached, ..history? })
    }

    /// Sets the metrics of the queues.
    pub fn sample(&self) {
        let Some(metrics) = &self.metrics else { return };
        Queue::Writes.sample(metrics, self.writers.iter().map(Batcher::waiting));
        Queue::Lookups.sample(metrics, self.finders.iter().map(Batcher::waiting));
        Queue::Lists.sample(metrics, self.listers.iter().map(Batcher::waiting));
    }
}

/// Stores the position of the caller in a video, unless the stored one is newer. `now` is when the
/// save arrived. Returns `None` if the save is not taken: the player was there before the entry was
/// deleted or expired, or the caller keeps no history.
///
/// # Errors
/// [`Error::VideoNotFound`]; [`Error::Unauthenticated`] when the account is gone or deactivated;
/// [`Error::Busy`].
pub async fn save(
    history: &History,
    user_id: i64,
    video_id: i64,
    save: Save,
    now: DateTime<Utc>,
) -> Result<Option<Entry>, Error> {
    let command = Command::Save(save.into_command(EntryKey { user_id, video_id }, now));
    batcher_for(&history.writers, user_id).submit(command).await
}

/// Stores the saves that a device has queued, each with its video, one after the other.
///
/// # Errors
/// Those of [`save`], for each of them; [`Error::Busy`] when the queue has no room for all of them.
pub async fn save_all(
    history: &History,
    user_id: i64,
    saves: Vec<(i64, Save)>,
    now: DateTime<Utc>,
) -> Result<Vec<Result<Option<Entry>, Error>>, Error> {
    let commands =
        saves.into_iter().map(|(video_id, save)| Command::Save(save.into_command(EntryKey { user_id, video_id }, now)));
    batcher_for(&history.writers, user_id).submit_all(commands.collect()).await
}

/// The entry of the caller for a video, unless it has expired.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::HistoryNotFound`]; [`Error::Unauthenticated`] when the
/// account is gone or deactivated; [`Error::Busy`].
pub async fn find(history: &History, user_id: i64, video_id: i64, now: DateTime<Utc>) -> Result<Entry, Error> {
    batcher_for(&history.finders, user_id).submit(EntryRequest { user_id, video_id, now }).await
}

/// The entries of these viewers and videos, in the order of the keys.
///
/// # Errors
/// Those of [`find`], for each key; [`Error::Busy`] when the queue has no room for all of them.
pub async fn find_all(
    history: &History,
    keys: &[(i64, i64)],
    now: DateTime<Utc>,
) -> Result<Vec<Result<Entry, Error>>, Error> {
    // Any finder can find the entries of any user.
    let requests = keys.iter().map(|&(user_id, video_id)| EntryRequest { user_id, video_id, now });
    batcher_for(&history.finders, 0).submit_all(requests.collect()).await
}

/// Deletes the entry of the caller for a video.
///
/// # Errors
/// As [`find`].
pub async fn forget(history: &History, user_id: i64, video_id: i64, now: DateTime<Utc>) -> Result<(), Error> {
    let command = Command::Forget(EntryRequest { user_id, video_id, now });
    batcher_for(&history.writers, user_id).submit(command).await.map(drop)
}

/// The videos that the caller has started, not completed and not hidden, the last watched first,
/// `limit` at most, and none that was last watched more than `max_age_days` ago.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone or deactivated; [`Error::Busy`].
pub async fn continue_watching(
    history: &History,
    user_id: i64,
    limit: u32,
    max_age_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Vec<ContinueWatching>, Error> {
    let request = ListRequest { user_id, limit: limit.into(), now };
    let cached = match &history.cached {
        Some(cached) => cached.submit(request).await?,
        None => CachedList::Miss(None),
    };
    let mut list = match cached {
        CachedList::Hit(list) => list,
        CachedList::Miss(permit) => batcher_for(&history.listers, user_id).submit((request, permit)).await?,
    };
    if let Some(oldest) = retention_cutoff(None, max_age_days, now) {
        list.retain(|item| item.last_watched_at.0 >= oldest);
    }
    Ok(list)
}

/// The batch worker of a user, always the same one.
fn batcher_for<Q, A>(batchers: &[Batcher<Q, A>], user_id: i64) -> &Batcher<Q, A> {
    &batchers[usize::try_from(user_id).unwrap_or_default() % batchers.len()]
}

/// The same error for each request of a batch.
fn fail_all<A>(requests: usize, error: &Error) -> Vec<Result<A, Error>> {
    (0..requests).map(|_| Err(error.clone())).collect()
}
