//! The statements on PostgreSQL, each over all the rows of a group, because a round trip costs more than most of what it asks.
//!
//! Changes that wait together are made in one statement where they can be, in the order of their arrival where they must be, and each by
//! itself where one of them spoils the others.

use super::change::{Change, Left};
use super::entry::{Entry, Row};
use super::read::{ContinueWatching, Found, Item, failed, shown};
use super::statements::{KEY, LIST, SAVE, Statements, pair};
use super::{FINDERS, History, LISTERS, ROWS_AT_ONCE};
use crate::Error;
use crate::columns::Columns;
use crate::database::immediate;
use crate::error::{is_foreign_key_violation, may_concern_one_row};
use crate::lane::{GROUP, Lane};
use crate::progress::Rules;
use crate::sent::{Cell, Kind, arrays};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, QueryResult, Statement};
use std::collections::HashMap;
use std::sync::Arc;

/// How many lanes write: three and four of them were slower, one leaves the database idle while answers are made.
const WRITERS: usize = 2;

/// What the lanes work with.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) db: DatabaseConnection,
    pub(super) statements: Statements,
    pub(super) rules: Rules,
}

/// Opens the lanes, as tasks of this runtime.
pub(super) fn open(table: Table) -> History {
    let table = Arc::new(table);
    History {
        writers: lanes(WRITERS, ROWS_AT_ONCE, &table, |table, changes| async move { write(&table, &changes).await }),
        finders: lanes(FINDERS, ROWS_AT_ONCE, &table, |table, keys| async move { find(&table, &keys).await }),
        listers: lanes(LISTERS, GROUP, &table, |table, asked| async move { list(&table, &asked).await }),
    }
}

/// So many lanes, each of which serves groups of `most`.
fn lanes<Q, A, F>(
    count: usize,
    most: usize,
    table: &Arc<Table>,
    serve: impl Fn(Arc<Table>, Vec<Q>) -> F + Copy + Send + 'static,
) -> Vec<Lane<Q, A>>
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Future<Output = Vec<Result<A, Error>>> + Send + 'static,
{
    let lane = |table: Arc<Table>| Lane::open(most, move |group| serve(table.clone(), group));
    (0..count).map(|_| lane(table.clone())).collect()
}

/// The rows of `sql` for all these rows of values.
async fn ask<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    columns: &[(&str, Kind); N],
    values: impl Iterator<Item = [Cell; N]>,
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_sql_and_values(DatabaseBackend::Postgres, sql, arrays(columns, values))).await
}

/// The entries of these users and videos.
async fn find(table: &Table, keys: &[(i64, i64)]) -> Vec<Result<Entry, Error>> {
    match look_up(&table.db, table, keys).await {
        Ok(found) => found.into_iter().map(|found| Ok(found.into_row()?.shown(&table.rules, None))).collect(),
        Err(error) => failed(keys.len(), &error.into()),
    }
}

/// The rows of these users and videos, in this order.
async fn look_up(db: &impl ConnectionTrait, table: &Table, keys: &[(i64, i64)]) -> Result<Vec<Found>, DbErr> {
    let rows = ask(db, &table.statements.find, &KEY, keys.iter().map(pair)).await?;
    let mut found = rows.iter().map(|row| Found::read(&mut Columns::of(row))).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|found| found.n);
    Ok(found)
}

/// What these users have begun and not finished, each with how many they want to see, the last watched first.
async fn list(table: &Table, asked: &[(i64, i64)]) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    match lists(table, asked).await {
        Ok(lists) => lists.into_iter().map(|list| list.map(|items| shown(items, &table.rules))).collect(),
        Err(error) => failed(asked.len(), &error.into()),
    }
}

async fn lists(table: &Table, asked: &[(i64, i64)]) -> Result<Vec<Result<Vec<Item>, Error>>, DbErr> {
    let rows = ask(&table.db, &table.statements.list, &LIST, asked.iter().map(pair)).await?;
    let mut lists: Vec<Result<Vec<Item>, _>> = asked.iter().map(|_| Err(Error::Unauthenticated)).collect();
    for row in &rows {
        let mut columns = Columns::of(row);
        let (n, standing): (i64, bool) = (columns.read()?, columns.read()?);
        if let (true, Some(list)) = (standing, usize::try_from(n - 1).ok().and_then(|at| lists.get_mut(at))) {
            let item = Item::read(&mut columns)?;
            match list {
                Ok(items) => items.extend(item),
                Err(_) => *list = Ok(Vec::from_iter(item)),
            }
        }
    }
    Ok(lists)
}

/// Makes these changes as if one after the other.
async fn write(table: &Table, changes: &[Change]) -> Vec<Left> {
    let mut left = Vec::with_capacity(changes.len());
    let alike = |one: &Change, next: &Change| matches!(one, Change::Save(_)) == matches!(next, Change::Save(_));
    for run in changes.chunk_by(alike) {
        left.extend(write_run(table, run).await);
    }
    left
}

/// Saves only, or deletions only.
async fn write_run(table: &Table, run: &[Change]) -> Vec<Left> {
    match in_waves(table, run).await {
        Ok(left) => left,
        Err(error) if run.len() > 1 && may_concern_one_row(&error) => {
            let mut left = Vec::with_capacity(run.len());
            for change in run.chunks(1) {
                left.extend(Box::pin(write_run(table, change)).await);
            }
            left
        }
        // The user or the video was deleted by a transaction that ended while the statement ran.
        Err(error) if is_foreign_key_violation(&error) => {
            let changes = Vec::from_iter(run);
            why_nothing(&table.db, table, &changes).await.unwrap_or_else(|error| failed(run.len(), &error.into()))
        }
        Err(error) => failed(run.len(), &error.into()),
    }
}

/// Several changes of one row cannot be in one statement, so that the second of them waits for the second wave, and so on.
async fn in_waves(table: &Table, run: &[Change]) -> Result<Vec<Left>, DbErr> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut met: HashMap<(i64, i64), usize> = HashMap::with_capacity(run.len());
    for (at, change) in run.iter().enumerate() {
        let times = met.entry(change.key()).or_default();
        if waves.len() == *times {
            waves.push(Vec::new());
        }
        waves[*times].push(at);
        *times += 1;
    }
    if let [_] = waves[..] {
        return wave(&table.db, table, &Vec::from_iter(run)).await;
    }
    let transaction = immediate(&table.db).await?;
    let mut left: Vec<Option<Left>> = run.iter().map(|_| None).collect();
    for places in waves {
        let changes = Vec::from_iter(places.iter().map(|at| &run[*at]));
        for (at, result) in places.into_iter().zip(wave(&transaction, table, &changes).await?) {
            left[at] = Some(result);
        }
    }
    transaction.commit().await?;
    Ok(left.into_iter().flatten().collect())
}

/// One statement for all of them, and a second one for those that it changed nothing for, if any.
async fn wave(db: &impl ConnectionTrait, table: &Table, changes: &[&Change]) -> Result<Vec<Left>, DbErr> {
    let saves = Vec::from_iter(changes.iter().filter_map(|change| match change {
        Change::Save(sent) => Some(sent),
        Change::Forget { .. } => None,
    }));
    let mut written: HashMap<(i64, i64), Option<Entry>> = HashMap::with_capacity(changes.len());
    if saves.is_empty() {
        let keys = Vec::from_iter(changes.iter().map(|change| change.key()));
        for row in ask(db, &table.statements.forget, &KEY, keys.iter().map(pair)).await? {
            let mut columns = Columns::of(&row);
            written.insert((columns.read()?, columns.read()?), None);
        }
    } else {
        for row in ask(db, &table.statements.save, &SAVE, saves.iter().map(|sent| sent.cells())).await? {
            if let Some(row) = Row::read(&mut Columns::of(&row))? {
                written.insert((row.user_id, row.video_id), Some(row.shown(&table.rules, Some(true))));
            }
        }
    }
    let idle = Vec::from_iter(changes.iter().copied().filter(|change| !written.contains_key(&change.key())));
    let mut reasons = if idle.is_empty() { Vec::new() } else { why_nothing(db, table, &idle).await? }.into_iter();
    let left = changes.iter().map(|change| match written.remove(&change.key()) {
        Some(left) => Ok(left),
        None => reasons.next().unwrap_or(Err(Error::Busy)),
    });
    Ok(left.collect())
}

/// Why these changes did nothing: a save because the row is newer, which is an answer too.
async fn why_nothing(db: &impl ConnectionTrait, table: &Table, changes: &[&Change]) -> Result<Vec<Left>, DbErr> {
    let keys = Vec::from_iter(changes.iter().map(|change| change.key()));
    let found = look_up(db, table, &keys).await?;
    let explain = |(change, found): (&&Change, Found)| match (change, found.into_row()) {
        (Change::Save(_), Ok(row)) => Ok(Some(row.shown(&table.rules, Some(false)))),
        // It was there when the save was refused, and another process deleted it since: the save may be sent again.
        (Change::Save(_), Err(Error::HistoryNotFound)) => Err(Error::Busy),
        // And here another process made the row since.
        (Change::Forget { .. }, Ok(_)) => Err(Error::HistoryNotFound),
        (_, Err(error)) => Err(error),
    };
    Ok(changes.iter().zip(found).map(explain).collect())
}
