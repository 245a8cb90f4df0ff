//! The batch workers on SQLite: SQLite runs in the worker's thread, without a hand-off, and a batch
//! is one transaction with one fsync.

use super::command::{Command, Outcome};
use super::entry::Entry;
use super::key::{EntryKey, EntryRequest};
use super::list::{ContinueWatching, ListRequest, ListRows};
use super::lookup::Lookup;
use super::publish::publish;
use super::recent_rows::RecentRows;
use super::save::SaveCommand;
use super::{Context, FINDERS, History, LISTERS, MAX_BATCH, fail_all};
use crate::Error;
use crate::storage::{
    Batcher, InputRow, MIN_BATCH_LIMIT, RowReader, SqliteConnection, SqliteConnector, SqliteStatement,
    SqliteTransaction,
};
use std::sync::Arc;

/// Starts the workers, each with a connection and a thread of its own.
pub(super) fn open(connector: &SqliteConnector, context: &Arc<Context>) -> History {
    let mut recent = RecentRows::new();
    let write = move |connection: &mut SqliteConnection, context: &Context, commands: &[Command]| {
        write(connection, context, &mut recent, commands)
    };
    History {
        writers: vec![batcher(MAX_BATCH, connector.writer(), context, write)],
        finders: (0..FINDERS).map(|_| batcher(MAX_BATCH, connector.reader(), context, find)).collect(),
        listers: (0..LISTERS).map(|_| batcher(MIN_BATCH_LIMIT, connector.reader(), context, list)).collect(),
    }
}

fn batcher<Q: Send + 'static, A: Send + 'static>(
    max_batch: usize,
    mut connection: SqliteConnection,
    context: &Arc<Context>,
    mut process: impl FnMut(&mut SqliteConnection, &Context, &[Q]) -> Vec<Result<A, Error>> + Send + 'static,
) -> Batcher<Q, A> {
    let context = context.clone();
    Batcher::spawn_thread(max_batch, move |batch| process(&mut connection, &context, batch))
}

/// The entries of these keys.
fn find(connection: &mut SqliteConnection, context: &Context, requests: &[EntryRequest]) -> Vec<Result<Entry, Error>> {
    let found = connection.transaction(|transaction| {
        let mut find = transaction.prepare(&context.statements.find)?;
        transaction.for_each(requests, |request| {
            let row = look_up(&mut find, request.key())?.into_row(context.history_max_days, request.now)?;
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
    requests: &[ListRequest],
) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    let lists = connection.transaction(|transaction| {
        let mut list = transaction.prepare(&context.statements.list)?;
        transaction.for_each(requests, |request| {
            read_list(&mut list, *request)?.into_list(request, &context.rules, context.history_max_days)
        })
    });
    lists.unwrap_or_else(|error| fail_all(requests.len(), &error))
}

/// Runs the statement, and again with a larger limit if the list is short.
fn read_list(list: &mut SqliteStatement<'_, '_>, mut request: ListRequest) -> Result<ListRows, Error> {
    let wanted = request.limit;
    loop {
        let mut rows = ListRows::default();
        list.query(request.into_params(), |row| {
            let mut row = RowReader::from_sqlite(row);
            // There is one row of input.
            row.read::<i64>()?;
            Ok(rows.push(&mut row)?)
        })?;
        match rows.retry(wanted, request) {
            Some(larger) => request = larger,
            None => return Ok(rows),
        }
    }
}

/// Executes these commands one after the other.
fn write(
    connection: &mut SqliteConnection,
    context: &Context,
    recent: &mut RecentRows,
    commands: &[Command],
) -> Vec<Outcome> {
    let outcomes = connection.transaction(|transaction| {
        let mut statements = WriteStatements::prepare(transaction, context)?;
        transaction.for_each(commands, |command| match command {
            Command::Save(save) => {
                let applied = statements.save(recent, save)?;
                let found = look_up(&mut statements.find, save.key())?;
                let row = found.into_row(context.history_max_days, save.updated_at)?;
                Ok(Some(row.into_entry(&context.rules, save.updated_at, Some(applied))))
            }
            Command::Forget(request) => {
                look_up(&mut statements.find, request.key())?.into_row(context.history_max_days, request.now)?;
                transaction.prepare(&context.statements.forget)?.execute(request.key().into_params()).map(|_| None)
            }
        })
    });
    let outcomes = outcomes.unwrap_or_else(|error| fail_all(commands.len(), &error));
    publish(&context.events, commands, &outcomes);
    outcomes
}

/// The statements of a save.
struct WriteStatements<'a, 's> {
    heartbeat: SqliteStatement<'a, 's>,
    save: SqliteStatement<'a, 's>,
    find: SqliteStatement<'a, 's>,
}

impl<'a, 's> WriteStatements<'a, 's> {
    fn prepare(transaction: &SqliteTransaction<'a>, Context { statements, .. }: &'s Context) -> Result<Self, Error> {
        Ok(Self {
            heartbeat: transaction.prepare(&statements.heartbeat)?,
            save: transaction.prepare(&statements.save)?,
            find: transaction.prepare(&statements.find)?,
        })
    }

    /// Returns whether the save was applied. It tries the cheaper `heartbeat` first if the entry
    /// was saved recently.
    fn save(&mut self, recent: &mut RecentRows, save: &SaveCommand) -> Result<bool, Error> {
        let mut slot = recent.slot(save);
        let is_heartbeat = slot.is_recent() && self.heartbeat.execute(save.clone().into_params())? > 0;
        let applied = is_heartbeat || self.save.execute(save.clone().into_params())? > 0;
        if applied {
            slot.remember();
        }
        Ok(applied)
    }
}
