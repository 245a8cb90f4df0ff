//! The batch workers on PostgreSQL: tasks that run one statement for a whole batch, because a round
//! trip costs more than most of the rows.

mod decided;
mod recent;
mod saves;
mod write;

use super::entry::Entry;
use super::key::{EntryKey, EntryRequest};
use super::list::{ContinueWatching, ListRequest, ListRows};
use super::lookup::Lookup;
use super::statements::PgStatements;
use super::{Context, FINDERS, History, LISTERS, ListJob, Queue, fail_all};
use crate::Error;
use crate::metrics::Metrics;
use crate::storage::{Batcher, PgConnectionGuard, PgConnector, PgSlot, RowReader, bind_arrays};
use crate::video::{SummaryRequest, VideoSummary};
use recent::RecentSessions;
use sea_orm::DbErr;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, MutexGuard, PoisonError};
use tokio::sync::Mutex;

/// How many workers write. Three and four were slower; one leaves the database idle between
/// batches.
const WRITERS: usize = 2;

/// What the workers that write share.
struct Writer {
    context: Arc<Context>,
    statements: PgStatements,
    recent: std::sync::Mutex<RecentSessions>,
    /// Unused ids for new entries. Those that are left when the process ends are never used.
    new_ids: std::sync::Mutex<Vec<i64>>,
}

impl Writer {
    /// The player sessions of the last saves.
    fn recent(&self) -> MutexGuard<'_, RecentSessions> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up to `count` unused ids, the lowest first.
    fn take_ids(&self, count: usize) -> Vec<i64> {
        let mut ids = self.new_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let count = count.min(ids.len());
        ids.drain(..count).collect()
    }

    /// Gives ids back that were not used.
    fn return_ids(&self, unused: Vec<i64>) {
        let mut ids = self.new_ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.extend(unused);
        ids.sort_unstable();
    }
}

/// Starts the workers, as tasks of this runtime.
///
/// # Errors
/// A statement cannot be built.
pub(super) fn open(connector: &PgConnector, context: &Arc<Context>) -> Result<History, Error> {
    let statements = PgStatements::new(&context.rules, context.max_days)?;
    let writer = Arc::new(Writer {
        context: context.clone(),
        statements,
        recent: std::sync::Mutex::default(),
        new_ids: std::sync::Mutex::default(),
    });
    let metrics = context.metrics.as_deref();
    Ok(History {
        writers: batchers(Queue::Writes, WRITERS, connector, (&writer, metrics), |slot, writer, commands| async move {
            let outcomes = write::write(&mut *slot.lock().await, &writer, &commands).await;
            let user_ids = commands.iter().map(|command| command.key().user_id);
            writer.context.events.lists().outdate(user_ids).await;
            outcomes
        }),
        finders: batchers(
            Queue::Lookups,
            FINDERS,
            connector,
            (context, metrics),
            |slot, context, requests| async move { find(&mut *slot.lock().await, &context, &requests).await },
        ),
        listers: batchers(Queue::Lists, LISTERS, connector, (context, metrics), |slot, context, jobs| async move {
            list(&mut *slot.lock().await, &context, jobs).await
        }),
        cached: None,
        metrics: context.metrics.clone(),
    })
}

/// Starts `count` workers, each with a connection of its own.
fn batchers<Q, A, C, F>(
    queue: Queue,
    count: usize,
    connector: &PgConnector,
    (context, metrics): (&Arc<C>, Option<&Metrics>),
    process: impl Fn(Arc<Mutex<PgSlot>>, Arc<C>, Vec<Q>) -> F + Copy + Send + 'static,
) -> Vec<Batcher<Q, A>>
where
    Q: Send + 'static,
    A: Send + 'static,
    C: Send + Sync + 'static,
    F: Future<Output = Vec<Result<A, Error>>> + Send + 'static,
{
    let batcher = |_| {
        let (slot, context) = (Arc::new(Mutex::new(PgSlot::new(connector))), context.clone());
        Batcher::spawn(queue.max_batch(), queue.metrics(metrics), move |batch| {
            process(slot.clone(), context.clone(), batch)
        })
    };
    (0..count).map(batcher).collect()
}

/// The entries of these keys.
async fn find(slot: &mut PgSlot, context: &Context, requests: &[EntryRequest]) -> Vec<Result<Entry, Error>> {
    let keys = Vec::from_iter(requests.iter().map(EntryRequest::key));
    let into_entry = |(found, request): (Lookup, &EntryRequest)| {
        let row = found.into_row(context.max_days, request.now)?;
        Ok(row.into_entry(&context.rules, request.now, None))
    };
    match look_up(slot, context, &keys).await {
        Ok(found) => found.into_iter().zip(requests).map(into_entry).collect(),
        Err(error) => fail_all(keys.len(), &error.into()),
    }
}

/// One lookup for each key, in their order.
async fn look_up(slot: &mut PgSlot, context: &Context, keys: &[EntryKey]) -> Result<Vec<Lookup>, DbErr> {
    let mut connection = slot.acquire().await?;
    let found = look_up_on(&mut connection, context, keys).await?;
    connection.release();
    Ok(found)
}

/// As [`look_up`], on a connection in use.
async fn look_up_on(
    connection: &mut PgConnectionGuard<'_>,
    context: &Context,
    keys: &[EntryKey],
) -> Result<Vec<Lookup>, DbErr> {
    let rows = connection.query(&context.statements.find, bind_arrays(keys.iter().copied())?).await?;
    let found = rows.iter().map(|row| Lookup::read(&mut RowReader::from_postgres(row)));
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|found| found.n);
    Ok(found)
}

/// The list of each request.
async fn list(slot: &mut PgSlot, context: &Context, jobs: Vec<ListJob>) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    let (requests, permits): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
    match read_lists(slot, context, &requests).await {
        Ok(lists) => {
            let lists = lists.into_iter().zip(&requests).zip(permits);
            lists.map(|((rows, request), permit)| context.finish_list(rows, request, permit)).collect()
        }
        Err(error) => fail_all(requests.len(), &error.into()),
    }
}

/// Runs one statement for all requests, and again with larger limits for those whose lists are
/// short.
async fn read_lists(slot: &mut PgSlot, context: &Context, requests: &[ListRequest]) -> Result<Vec<ListRows>, DbErr> {
    let mut connection = slot.acquire().await?;
    let mut lists = Vec::from_iter(requests.iter().map(|_| ListRows::default()));
    let mut pending = Vec::from_iter(requests.iter().copied().enumerate());
    while !pending.is_empty() {
        let input = bind_arrays(pending.iter().map(|(_, request)| *request))?;
        let rows = connection.query(&context.statements.list, input).await?;
        pending.iter().for_each(|(index, _)| lists[*index] = ListRows::default());
        for row in &rows {
            let mut row = RowReader::from_postgres(row);
            let n: i64 = row.read()?;
            if let Some((index, _)) = usize::try_from(n - 1).ok().and_then(|n| pending.get(n)) {
                lists[*index].push(&mut row)?;
            }
        }
        let mut missing = BTreeSet::new();
        for (index, request) in &pending {
            missing.extend(lists[*index].fill_from_cache(request, &context.summaries));
        }
        if !missing.is_empty() {
            let read = read_summaries(&mut connection, context, missing).await?;
            pending.iter().for_each(|(index, _)| lists[*index].add_summaries(&read));
        }
        let retried = pending.into_iter().filter_map(|(index, request)| {
            let request = lists[index].retry(requests[index].limit, request)?;
            Some((index, request))
        });
        pending = retried.collect();
    }
    connection.release();
    Ok(lists)
}

/// Reads what lists show of these videos, and keeps it for the next lists.
async fn read_summaries(
    connection: &mut PgConnectionGuard<'_>,
    context: &Context,
    video_ids: BTreeSet<i64>,
) -> Result<HashMap<i64, VideoSummary>, DbErr> {
    let input = bind_arrays(video_ids.into_iter().map(|video_id| SummaryRequest { video_id }))?;
    let rows = connection.query(&context.statements.summaries, input).await?;
    let read = rows.iter().map(|row| VideoSummary::read(&mut RowReader::from_postgres(row)));
    Ok(context.summaries.keep(read.collect::<Result<_, _>>()?))
}
