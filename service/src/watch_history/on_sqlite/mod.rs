//! The batch workers on SQLite: SQLite runs in the worker's thread, without a hand-off, and a batch
//! is one transaction with one fsync.

mod write;

use super::command::Command;
use super::entry::Entry;
use super::key::{EntryKey, EntryRequest};
use super::list::{ContinueWatching, ListRequest, ListRows};
use super::lookup::Lookup;
use super::statements::SqliteStatements;
use super::{Context, FINDERS, History, LISTERS, ListJob, Queue, fail_all};
use crate::Error;
use crate::storage::{Batcher, InputRow, IntoParam, RowReader, SqliteConnection, SqliteConnector, SqliteStatement};
use crate::video::{SummaryCache, SummaryRequest, VideoSummary};
use std::collections::HashMap;
use std::sync::Arc;

/// Starts the workers, each with a connection and a thread of its own.
///
/// # Errors
/// A statement cannot be built.
pub(super) fn open(connector: &SqliteConnector, context: &Arc<Context>) -> Result<History, Error> {
    let statements = SqliteStatements::new()?;
    let write = move |connection: &mut SqliteConnection, context: &Context, commands: &[Command]| {
        let outcomes = write::write(connection, context, &statements, commands);
        context.events.lists().outdate_blocking(commands.iter().map(|command| command.key().user_id));
        outcomes
    };
    Ok(History {
        writers: vec![batcher(Queue::Writes, connector.writer(), context, write)],
        finders: (0..FINDERS).map(|_| batcher(Queue::Lookups, connector.reader(), context, find)).collect(),
        listers: (0..LISTERS).map(|_| batcher(Queue::Lists, connector.reader(), context, list)).collect(),
        cached: None,
        metrics: context.metrics.clone(),
    })
}

fn batcher<Q: Send + 'static, A: Send + 'static>(
    queue: Queue,
    mut connection: SqliteConnection,
    context: &Arc<Context>,
    mut process: impl FnMut(&mut SqliteConnection, &Context, &[Q]) -> Vec<Result<A, Error>> + Send + 'static,
) -> Batcher<Q, A> {
    let (context, metrics) = (context.clone(), queue.metrics(context.metrics.as_deref()));
    Batcher::spawn_thread(queue.max_batch(), metrics, move |batch| process(&mut connection, &context, batch))
}

/// The entries of these requests.
fn find(connection: &mut SqliteConnection, context: &Context, requests: &[EntryRequest]) -> Vec<Result<Entry, Error>> {
    let found = connection.transaction(|transaction| {
        let mut find = transaction.prepare(&context.statements.find)?;
        transaction.for_each(requests, |request| {
            let row = look_up(&mut find, request.key())?.into_row(context.max_days, request.now)?;
            Ok(row.into_entry(&context.rules, request.now, None))
        })
    });
    found.unwrap_or_else(|error| fail_all(requests.len(), &error))
}

fn look_up(find: &mut SqliteStatement<'_, '_>, key: EntryKey) -> Result<Lookup, Error> {
    let found = find.query(key.into_params(), |row| Ok(Lookup::read(&mut RowReader::from_sqlite(row))?))?;
    found.into_iter().next().ok_or_else(|| Error::Internal("a lookup returned no row".into()))
}

/// The list of each request.
fn list(
    connection: &mut SqliteConnection,
    context: &Context,
    jobs: &[ListJob],
) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    let lists = connection.transaction(|transaction| {
        let mut list = transaction.prepare(&context.statements.list)?;
        let mut summaries = transaction.prepare(&context.statements.summaries)?;
        transaction.for_each(jobs, |(request, permit)| {
            let rows = read_list(&mut list, &mut summaries, &context.summaries, *request)?;
            context.finish_list(rows, request, permit.clone())
        })
    });
    lists.unwrap_or_else(|error| fail_all(jobs.len(), &error))
}

/// Runs the statement, and again with a larger limit if the list is short.
fn read_list(
    list: &mut SqliteStatement<'_, '_>,
    summaries: &mut SqliteStatement<'_, '_>,
    cache: &SummaryCache,
    mut request: ListRequest,
) -> Result<ListRows, Error> {
    let wanted = request.limit;
    loop {
        let mut rows = read_entries(list, &request)?;
        let missing = Vec::from_iter(rows.fill_from_cache(&request, cache));
        if !missing.is_empty() {
            rows.add_summaries(&read_summaries(summaries, cache, missing)?);
        }
        match rows.retry(wanted, request) {
            Some(larger) => request = larger,
            None => return Ok(rows),
        }
    }
}

/// Reads the rows of a list until there are enough. The entries of one hour come in no order, so
/// the last hour is read to its end.
fn read_entries(list: &mut SqliteStatement<'_, '_>, request: &ListRequest) -> Result<ListRows, Error> {
    let (mut rows, mut last_hour) = (ListRows::default(), None);
    list.query_while([request.user_id.into_param(), request.now.into_param()], |row| {
        let mut row = RowReader::from_sqlite(row);
        let hour: Option<i32> = row.read()?;
        if last_hour.is_some_and(|last_hour| last_hour != hour) && rows.has_enough(request) {
            return Ok(false);
        }
        last_hour = Some(hour);
        rows.push(&mut row)?;
        Ok(true)
    })?;
    Ok(rows)
}

/// Reads what lists show of these videos, and keeps it for the next lists.
fn read_summaries(
    summaries: &mut SqliteStatement<'_, '_>,
    cache: &SummaryCache,
    video_ids: Vec<i64>,
) -> Result<HashMap<i64, VideoSummary>, Error> {
    let mut read = Vec::with_capacity(video_ids.len());
    for video_id in video_ids {
        let request = SummaryRequest { video_id }.into_params();
        read.extend(summaries.query(request, |row| Ok(VideoSummary::read(&mut RowReader::from_sqlite(row))?))?);
    }
    Ok(cache.keep(read))
}
