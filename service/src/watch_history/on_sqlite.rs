//! The statements on SQLite, one after the other, in one transaction for a group: between the thread that asks and the engine there is
//! no way to go, and the disk is waited for once.

use super::change::{Change, Left};
use super::entry::Entry;
use super::read::{ContinueWatching, Found, Listed, MORE_ROWS, failed};
use super::statements::{Sent, Statements, pair};
use super::{FINDERS, History, LISTERS, ROWS_AT_ONCE};
use crate::Error;
use crate::columns::Columns;
use crate::engine::{Engine, Engines, Prepared};
use crate::lane::{GROUP, Lane};
use crate::progress::Rules;
use std::hash::{DefaultHasher, Hash, Hasher};
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
    let mut lately = Lately::new();
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
        session.each(asked, |(user_id, wanted)| {
            let mut most = *wanted;
            loop {
                let mut listed = Listed::default();
                list.rows(pair(&(*user_id, most)), |row| Ok(listed.take(&mut Columns::of_sqlite(row))?))?;
                if !listed.is_short(*wanted, most) {
                    return listed.shown(*wanted, &table.rules);
                }
                most *= MORE_ROWS;
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
        (sent.user_id, sent.video_id, sent.hour()).hash(&mut hasher);
        let hash = hasher.finish();
        let (place, mark) = ((hash >> 32) as usize % Self::PLACES, hash as u32);
        (&mut self.0[place], mark)
    }
}

/// Makes these changes one after the other.
fn write(engine: &mut Engine, table: &Table, lately: &mut Lately, changes: &[Change]) -> Vec<Left> {
    let left = engine.transaction(|session| {
        let mut heartbeat = session.prepare(&table.statements.heartbeat)?;
        let mut save = session.prepare(&table.statements.save)?;
        let mut find = session.prepare(&table.statements.find)?;
        session.each(changes, |change| match change {
            Change::Save(sent) => {
                let (place, mark) = lately.place(sent);
                let goes_on = *place == mark;
                let applied = (goes_on && heartbeat.execute(sent.cells())? > 0) || save.execute(sent.cells())? > 0;
                if applied {
                    *place = mark;
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
