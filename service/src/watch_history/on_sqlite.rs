//! The statements on SQLite, one after the other, in one transaction for a group: between the thread that asks and the engine there is
//! no way to go, and the disk is waited for once.

use super::change::{Change, Key, Left};
use super::entry::Entry;
use super::read::{ContinueWatching, Found, Listed, MORE_ROWS, failed};
use super::statements::{Newest, Sent};
use super::{FINDERS, History, LISTERS, ROWS_AT_ONCE, Table};
use crate::Error;
use crate::storage::RowReader;
use crate::storage::{Batcher, MIN_BATCH};
use crate::storage::{SqliteConnection, SqliteConnector, SqliteStatement};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Opens the lanes, each with a connection and a thread of its own.
pub(super) fn open(engines: &SqliteConnector, table: &Arc<Table>) -> History {
    let mut lately = Lately::new();
    let write = move |engine: &mut SqliteConnection, table: &Table, changes: &[Change]| {
        write(engine, table, &mut lately, changes)
    };
    History {
        writers: vec![lane(ROWS_AT_ONCE, engines.writer(), table, write)],
        finders: (0..FINDERS).map(|_| lane(ROWS_AT_ONCE, engines.reader(), table, find)).collect(),
        listers: (0..LISTERS).map(|_| lane(MIN_BATCH, engines.reader(), table, list)).collect(),
    }
}

fn lane<Q: Send + 'static, A: Send + 'static>(
    most: usize,
    mut engine: SqliteConnection,
    table: &Arc<Table>,
    mut serve: impl FnMut(&mut SqliteConnection, &Table, &[Q]) -> Vec<Result<A, Error>> + Send + 'static,
) -> Batcher<Q, A> {
    let table = table.clone();
    Batcher::spawn_thread(most, move |questions| serve(&mut engine, &table, questions))
}

/// The entries of these users and videos.
fn find(engine: &mut SqliteConnection, table: &Table, keys: &[Key]) -> Vec<Result<Entry, Error>> {
    let found = engine.transaction(|session| {
        let mut find = session.prepare(&table.statements.find)?;
        session.for_each(keys, |key| Ok(look_up(&mut find, *key)?.into_row()?.shown(&table.rules, None)))
    });
    found.unwrap_or_else(|error| failed(keys.len(), &error))
}

fn look_up(find: &mut SqliteStatement<'_, '_>, key: Key) -> Result<Found, Error> {
    let found = find.query(key.cells(), |row| Ok(Found::read(&mut RowReader::from_sqlite(row))?))?;
    found.into_iter().next().ok_or_else(|| Error::Internal("a lookup found nothing at all".into()))
}

/// What these users have begun and not finished, each with how many they want to see, the last watched first.
fn list(engine: &mut SqliteConnection, table: &Table, asked: &[Newest]) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    let lists = engine.transaction(|session| {
        let mut list = session.prepare(&table.statements.list)?;
        session.for_each(asked, |wanted| {
            let mut newest = *wanted;
            loop {
                let mut listed = Listed::default();
                list.query(newest.cells(), |row| Ok(listed.take(&mut RowReader::from_sqlite(row))?))?;
                if !listed.is_short(wanted.most, newest.most) {
                    return listed.shown(wanted.most, &table.rules);
                }
                newest.most *= MORE_ROWS;
            }
        })
    });
    lists.unwrap_or_else(|error| failed(asked.len(), &error))
}

/// The rows that were saved lately, each with its hour: such a row is likely to go on as it is. What this remembers need not be true,
/// because the statement looks for itself; so it has a place for each hash, where the last one stays.
struct Lately(Box<[u32]>);

impl Lately {
    /// Of 200,000 rows, as many as are saved by turns at 20,000 saves a second, four in five have a place for themselves.
    const PLACES: usize = 1 << 20;

    fn new() -> Self {
        Self(vec![0; Self::PLACES].into())
    }

    /// The place of the row, and what stands there when it was saved in the hour of this save.
    fn place(&mut self, sent: &Sent) -> (&mut u32, u32) {
        let mut hasher = DefaultHasher::new();
        (sent.key, sent.hour()).hash(&mut hasher);
        let hash = hasher.finish();
        let (place, mark) = ((hash >> 32) as usize % Self::PLACES, hash as u32);
        (&mut self.0[place], mark)
    }
}

/// Makes these changes one after the other.
fn write(engine: &mut SqliteConnection, table: &Table, lately: &mut Lately, changes: &[Change]) -> Vec<Left> {
    let left = engine.transaction(|session| {
        let mut heartbeat = session.prepare(&table.statements.heartbeat)?;
        let mut save = session.prepare(&table.statements.save)?;
        let mut find = session.prepare(&table.statements.find)?;
        session.for_each(changes, |change| match change {
            Change::Save(sent) => {
                let (place, mark) = lately.place(sent);
                let goes_on = *place == mark;
                let applied = (goes_on && heartbeat.execute(sent.cells())? > 0) || save.execute(sent.cells())? > 0;
                if applied {
                    *place = mark;
                }
                Ok(Some(look_up(&mut find, change.key())?.into_row()?.shown(&table.rules, Some(applied))))
            }
            Change::Forget(key) => {
                look_up(&mut find, *key)?.into_row()?;
                session.prepare(&table.statements.forget)?.execute(key.cells()).map(|_| None)
            }
        })
    });
    left.unwrap_or_else(|error| failed(changes.len(), &error))
}
