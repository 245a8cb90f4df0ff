//! The statements on SQLite, one after the other, in one transaction for a group: between the thread that asks and the engine there is
//! no way to go, and the disk is waited for once.

use super::change::{Change, Left};
use super::entry::Entry;
use super::read::{ContinueWatching, Found, Item, failed, shown};
use super::statements::{Statements, pair};
use super::{FINDERS, History, LISTERS, ROWS_AT_ONCE};
use crate::Error;
use crate::columns::Columns;
use crate::engine::{Engine, Engines, Prepared};
use crate::lane::{GROUP, Lane};
use crate::progress::Rules;
use quick_cache::unsync::Cache;
use std::sync::Arc;

/// What the lanes work with, besides a connection each.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) statements: Statements,
    pub(super) rules: Rules,
}

/// Opens the lanes, each with a connection and a thread of its own.
pub(super) fn open(engines: &Engines, table: Table) -> History {
    let table = Arc::new(table);
    let mut lately = Lately::new(LATELY);
    let write =
        move |engine: &mut Engine, table: &Table, changes: &[Change]| write(engine, table, &mut lately, changes);
    History {
        writers: vec![lane(ROWS_AT_ONCE, engines.writer(), &table, write)],
        finders: (0..FINDERS).map(|_| lane(ROWS_AT_ONCE, engines.reader(), &table, find)).collect(),
        listers: (0..LISTERS).map(|_| lane(GROUP, engines.reader(), &table, list)).collect(),
    }
}

fn lane<Q: Send + 'static, A: Send + 'static>(
    most: usize,
    mut engine: Engine,
    table: &Arc<Table>,
    mut serve: impl FnMut(&mut Engine, &Table, &[Q]) -> Vec<Result<A, Error>> + Send + 'static,
) -> Lane<Q, A> {
    let table = table.clone();
    Lane::open_thread(most, move |questions| serve(&mut engine, &table, questions))
}

/// The entries of these users and videos.
fn find(engine: &mut Engine, table: &Table, keys: &[(i64, i64)]) -> Vec<Result<Entry, Error>> {
    let found = engine.transaction(|session| {
        let mut find = session.prepare(&table.statements.find)?;
        session.each(keys, |key| Ok(look_up(&mut find, *key)?.into_row()?.shown(&table.rules, None)))
    });
    found.unwrap_or_else(|error| failed(keys.len(), &error))
}

fn look_up(find: &mut Prepared<'_, '_>, key: (i64, i64)) -> Result<Found, Error> {
    let found = find.rows(pair(&key), |row| Ok(Found::read(&mut Columns::of_sqlite(row))?))?;
    found.into_iter().next().ok_or_else(|| Error::Internal("a lookup found nothing at all".into()))
}

/// What these users have begun and not finished, each with how many they want to see, the last watched first.
fn list(engine: &mut Engine, table: &Table, asked: &[(i64, i64)]) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    let lists = engine.transaction(|session| {
        let mut list = session.prepare(&table.statements.list)?;
        session.each(asked, |asked| {
            let rows = list.rows(pair(asked), |row| {
                let mut columns = Columns::of_sqlite(row);
                let (_, standing): (i64, bool) = (columns.read()?, columns.read()?);
                Ok((standing, Item::read(&mut columns)?))
            })?;
            // Items are there for everybody; the row without one says whether the account stands, and is missing when it is gone.
            if !rows.iter().any(|(standing, item)| *standing && item.is_none()) {
                return Err(Error::Unauthenticated);
            }
            Ok(shown(rows.into_iter().filter_map(|(_, item)| item).collect(), &table.rules))
        })
    });
    lists.unwrap_or_else(|error| failed(asked.len(), &error))
}

/// The hours of the rows that were saved last: a row that was saved in this hour already is likely to go on as it is. What this
/// remembers need not be true, because the statement looks for itself.
type Lately = Cache<(i64, i64), i64>;

/// How many rows are remembered.
const LATELY: usize = 65_536;

/// Makes these changes one after the other.
fn write(engine: &mut Engine, table: &Table, lately: &mut Lately, changes: &[Change]) -> Vec<Left> {
    let left = engine.transaction(|session| {
        let mut heartbeat = session.prepare(&table.statements.heartbeat)?;
        let mut save = session.prepare(&table.statements.save)?;
        let mut find = session.prepare(&table.statements.find)?;
        session.each(changes, |change| match change {
            Change::Save(sent) => {
                let goes_on = lately.get(&change.key()).is_some_and(|hour| *hour >= sent.hour());
                let applied = (goes_on && heartbeat.execute(sent.cells())? > 0) || save.execute(sent.cells())? > 0;
                if applied && !goes_on {
                    lately.insert(change.key(), sent.hour());
                }
                Ok(Some(look_up(&mut find, change.key())?.into_row()?.shown(&table.rules, Some(applied))))
            }
            Change::Forget { .. } => {
                look_up(&mut find, change.key())?.into_row()?;
                session.prepare(&table.statements.forget)?.execute(pair(&change.key())).map(|_| None)
            }
        })
    });
    left.unwrap_or_else(|error| failed(changes.len(), &error))
}
