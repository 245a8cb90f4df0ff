//! Lists in Redis, for the processes that share it (`LIST_CACHE=redis`).
//!
//! Each viewer has a key. After a commit that changes a list, and before its answer, the key gets a
//! new mark. A process that finds no list after the mark reads the database, and stores what it
//! read behind the mark, if the key still has it. So no list in Redis is older than a save that was
//! answered.
//!
//! A process that cannot set marks raises a counter in the database, the generation, every
//! [`RAISE_EVERY`]. All processes read it every [`READ_EVERY`]. They take no list from Redis that
//! was stored at another generation, none for [`QUARANTINE`] after it was raised, and none when
//! they read it longer than [`LEASE`] ago. So saves wait little longer than [`LEASE`] once when
//! Redis goes away, and for nothing later. With the generation a process reads the revision of the
//! videos: a list is taken only at the revision at which it was stored.

mod keeper;
mod keys;
mod state;
mod stored_list;

use super::list::{ContinueWatching, ListRequest, ListRows};
use super::{Context, Queue};
use crate::relay::RedisAddress;
use crate::storage::Batcher;
use crate::{Database, Error};
use keeper::Keeper;
use keys::{ListMark, Store};
use state::{CacheState, CacheView};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stored_list::StoredList;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How often a process reads the generation.
const READ_EVERY: Duration = Duration::from_millis(50);
/// How long after a reading of the generation lists are taken from Redis.
const LEASE: Duration = Duration::from_millis(200);
/// How often a process that cannot set marks raises the generation.
const RAISE_EVERY: Duration = Duration::from_secs(1);
/// How long after the generation was raised no list is taken from Redis.
const QUARANTINE: Duration = Duration::from_secs(3);
/// How long Redis may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(50);
/// How many lists may wait to be stored. More are not stored.
const STORE_CAPACITY: usize = 1024;
/// A list is not stored when it was asked for so long ago. A mark lives longer.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// The lists in Redis: who asks for them finds them with [`find`].
#[derive(Debug)]
pub(super) struct ListCache {
    state: Arc<CacheState>,
    stored: mpsc::Sender<Store>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for ListCache {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Where to store a list that is read from the database now.
#[derive(Clone, Debug)]
pub(super) struct StorePermit {
    user_id: i64,
    mark: Option<ListMark>,
    generation: i64,
    /// The revision of the videos, as it was read last.
    revision: i64,
    asked_at: Instant,
}

/// What Redis knew of a list.
#[derive(Debug)]
pub(super) enum CachedList {
    Hit(Vec<ContinueWatching>),
    Miss(Option<StorePermit>),
}

impl ListCache {
    /// Starts it, as tasks of this runtime. `site` names the processes that share lists. `None` if
    /// the database has one already.
    pub(super) fn start(db: &Database, address: RedisAddress, site: &str) -> Option<Self> {
        let outdated = db.events().lists().receive()?;
        let state = Arc::new(CacheState::new(site));
        let (stored, waiting) = mpsc::channel(STORE_CAPACITY);
        let keeper = Keeper::new(state.clone(), db.clone(), address, outdated);
        let tasks = vec![
            tokio::spawn(keeper.run()),
            tokio::spawn(state::follow_counters(state.clone(), db.clone())),
            tokio::spawn(keys::store_lists(state.clone(), waiting)),
        ];
        Some(Self { state, stored, tasks })
    }

    /// Stores a list that was read for this permit, soon.
    pub(super) fn store(&self, permit: StorePermit, rows: &ListRows) {
        let StorePermit { user_id, mark, generation, revision, asked_at } = permit;
        // A list of a later revision is not for processes that have not heard of it.
        if rows.revision != revision || !rows.is_active {
            return;
        }
        if let Ok(list) = StoredList::new(generation, rows).encode() {
            // When too many wait, the database is read again next time.
            let _ = self.stored.try_send(Store { user_id, mark, list, asked_at });
        }
    }
}

/// The queue of those who ask for lists in Redis: one MGET for all that wait.
pub(super) fn batcher(context: &Arc<Context>) -> Batcher<ListRequest, CachedList> {
    let of_batches = context.clone();
    Batcher::spawn(Queue::Lists.max_batch(), None, move |requests| {
        let context = of_batches.clone();
        async move { find(&context, &requests).await }
    })
}

async fn find(context: &Context, requests: &[ListRequest]) -> Vec<Result<CachedList, Error>> {
    let nothing = || requests.iter().map(|_| Ok(CachedList::Miss(None))).collect();
    let asked_at = Instant::now();
    let Some(mut view) = context.lists.as_ref().and_then(|lists| lists.state.view()) else { return nothing() };
    match view.find(requests.iter().map(|request| request.user_id)).await {
        Ok(values) if values.len() == requests.len() => {
            let found = requests.iter().zip(values);
            found.map(|(request, value)| read(context, &view, asked_at, request, value)).collect()
        }
        _ => nothing(),
    }
}

/// The list of a request, if the value of its key has it, it may be shown, and it is long enough.
fn read(
    context: &Context,
    view: &CacheView,
    asked_at: Instant,
    request: &ListRequest,
    value: Option<Vec<u8>>,
) -> Result<CachedList, Error> {
    let (mark, list) = value.and_then(keys::split).unzip();
    let CacheView { generation, revision, .. } = *view;
    let permit = StorePermit { user_id: request.user_id, mark, generation, revision, asked_at };
    let stored = list.as_deref().and_then(StoredList::decode).filter(|list| list.generation == generation);
    let Some(mut rows) = stored.map(StoredList::into_rows).filter(|rows| rows.revision == revision) else {
        return Ok(CachedList::Miss(Some(permit)));
    };
    let stored = ListRequest { limit: rows.limit, ..*request };
    let misses_videos = rows.fill_from_cache(&stored, &context.summaries).next().is_some();
    if misses_videos || rows.retry(request.limit, stored).is_some() {
        return Ok(CachedList::Miss(Some(permit)));
    }
    rows.into_list(request, &context.rules, context.max_days).map(CachedList::Hit)
}
