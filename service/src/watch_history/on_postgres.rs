//! The statements on PostgreSQL, each over all the rows of a group, because a round trip costs more than most of what it asks.
//!
//! Changes that wait together are made in one statement where they can be, in the order of their arrival where they must be, and each by
//! itself where one of them spoils the others.

use super::change::{Change, Key, Left};
use super::entry::{Entry, Row};
use super::read::{ContinueWatching, Found, Listed, MORE_ROWS, failed};
use super::statements::{KEY, NEWEST, Newest, SAVE};
use super::{FINDERS, History, LISTERS, ROWS_AT_ONCE, Table};
use crate::Error;
use crate::error::{is_foreign_key_violation, may_concern_one_row};
use crate::storage::RowReader;
use crate::storage::{Batcher, MIN_BATCH};
use crate::storage::{Param, ParamType, bind_arrays};
use crate::storage::{PgConnectionGuard, PgConnector, PgSlot};
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::{DbErr, RuntimeErr};
use std::collections::HashMap;
use std::slice;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How many lanes write: three and four of them were slower, one leaves the database idle while answers are made.
const WRITERS: usize = 2;

/// How long a change that is made by itself waits for a row: so briefly that a whole group of them is done before its lane is given up.
const ALONE: Duration = Duration::from_millis(20);

/// Opens the lanes, as tasks of this runtime.
pub(super) fn open(links: &PgConnector, table: &Arc<Table>) -> History {
    History {
        writers: lanes(WRITERS, ROWS_AT_ONCE, links, table, |link, table, changes| async move {
            write(&mut *link.lock().await, &table, &changes).await
        }),
        finders: lanes(FINDERS, ROWS_AT_ONCE, links, table, |link, table, keys| async move {
            find(&mut *link.lock().await, &table, &keys).await
        }),
        listers: lanes(LISTERS, MIN_BATCH, links, table, |link, table, asked| async move {
            list(&mut *link.lock().await, &table, &asked).await
        }),
    }
}

/// So many lanes, each of which serves groups of `most`.
fn lanes<Q, A, F>(
    count: usize,
    most: usize,
    links: &PgConnector,
    table: &Arc<Table>,
    serve: impl Fn(Arc<Mutex<PgSlot>>, Arc<Table>, Vec<Q>) -> F + Copy + Send + 'static,
) -> Vec<Batcher<Q, A>>
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Future<Output = Vec<Result<A, Error>>> + Send + 'static,
{
    let lane = |_| {
        let (link, table) = (Arc::new(Mutex::new(PgSlot::new(links))), table.clone());
        Batcher::spawn(most, move |group| serve(link.clone(), table.clone(), group))
    };
    (0..count).map(lane).collect()
}

/// The rows of `sql` for all these rows of values.
async fn ask<const N: usize>(
    session: &mut PgConnectionGuard<'_>,
    sql: &Arc<str>,
    columns: &[(&str, ParamType); N],
    values: impl Iterator<Item = [Param; N]>,
) -> Result<Vec<PgRow>, DbErr> {
    session.query(sql, bind_arrays(columns, values)?).await
}

/// The entries of these users and videos.
async fn find(link: &mut PgSlot, table: &Table, keys: &[Key]) -> Vec<Result<Entry, Error>> {
    match look_up(link, table, keys).await {
        Ok(found) => found.into_iter().map(|found| Ok(found.into_row()?.shown(&table.rules, None))).collect(),
        Err(error) => failed(keys.len(), &error.into()),
    }
}

/// The rows of these users and videos, in this order.
async fn look_up(link: &mut PgSlot, table: &Table, keys: &[Key]) -> Result<Vec<Found>, DbErr> {
    let mut session = link.acquire().await?;
    let found = look_up_in(&mut session, table, keys).await?;
    session.release();
    Ok(found)
}

/// As [`look_up`], in a session.
async fn look_up_in(session: &mut PgConnectionGuard<'_>, table: &Table, keys: &[Key]) -> Result<Vec<Found>, DbErr> {
    let rows = ask(session, &table.statements.find, &KEY, keys.iter().map(|key| key.cells())).await?;
    let mut found =
        rows.iter().map(|row| Found::read(&mut RowReader::from_postgres(row))).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|found| found.n);
    Ok(found)
}

/// What these users have begun and not finished, each with how many they want to see, the last watched first.
async fn list(link: &mut PgSlot, table: &Table, asked: &[Newest]) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    match lists(link, table, asked).await {
        Ok(lists) => lists.into_iter().zip(asked).map(|(list, wanted)| list.shown(wanted.most, &table.rules)).collect(),
        Err(error) => failed(asked.len(), &error.into()),
    }
}

async fn lists(link: &mut PgSlot, table: &Table, asked: &[Newest]) -> Result<Vec<Listed>, DbErr> {
    let mut session = link.acquire().await?;
    let mut lists = Vec::from_iter(asked.iter().map(|_| Listed::default()));
    let (mut short, mut times) = (Vec::from_iter(0..asked.len()), 1);
    while !short.is_empty() {
        let newest = |at: &usize| Newest { most: asked[*at].most * times, ..asked[*at] };
        let rows =
            ask(&mut session, &table.statements.list, &NEWEST, short.iter().map(|at| newest(at).cells())).await?;
        short.iter().for_each(|at| lists[*at] = Listed::default());
        for row in &rows {
            let mut columns = RowReader::from_postgres(row);
            let n: i64 = columns.read()?;
            if let Some(at) = usize::try_from(n - 1).ok().and_then(|n| short.get(n)) {
                lists[*at].take(&mut columns)?;
            }
        }
        short.retain(|at| lists[*at].is_short(asked[*at].most, newest(at).most));
        times *= MORE_ROWS;
    }
    session.release();
    Ok(lists)
}

/// Makes these changes as if one after the other.
async fn write(link: &mut PgSlot, table: &Table, changes: &[Change]) -> Vec<Left> {
    let mut left = Vec::with_capacity(changes.len());
    let alike = |one: &Change, next: &Change| matches!(one, Change::Save(_)) == matches!(next, Change::Save(_));
    for run in changes.chunk_by(alike) {
        left.extend(write_run(link, table, run).await);
    }
    left
}

/// Saves only, or deletions only. Where one of many may have spoiled the others, each is made by itself, so that it fails alone.
async fn write_run(link: &mut PgSlot, table: &Table, run: &[Change]) -> Vec<Left> {
    match in_waves(link, table, run).await {
        Ok(left) => left,
        Err(error) if run.len() > 1 && may_concern_one_row(&error) => {
            let mut left = Vec::with_capacity(run.len());
            for change in run {
                match alone(link, table, change).await {
                    Ok(made) => left.extend(made),
                    Err(error) => left.extend(why_failed(link, table, slice::from_ref(change), &error).await),
                }
            }
            left
        }
        Err(error) => why_failed(link, table, run, &error).await,
    }
}

/// A change of a group that has waited for a row that somebody holds. It waits little more: what is held for seconds must not keep those
/// waiting whose rows are free.
async fn alone(link: &mut PgSlot, table: &Table, change: &Change) -> Result<Vec<Left>, DbErr> {
    let mut session = link.acquire().await?;
    session.begin(Some(ALONE)).await?;
    match wave(&mut session, table, &[change]).await {
        Ok(left) => {
            session.commit().await?;
            session.release();
            Ok(left)
        }
        Err(error) => {
            if is_refusal(&error) && session.rollback().await.is_ok() {
                session.release();
            }
            Err(error)
        }
    }
}

/// What becomes of changes that failed together.
async fn why_failed(link: &mut PgSlot, table: &Table, run: &[Change], error: &DbErr) -> Vec<Left> {
    if !is_foreign_key_violation(error) {
        return failed(run.len(), &error.into());
    }
    // The user or the video was deleted by a transaction that ended while the statement ran.
    let keys = Vec::from_iter(run.iter().map(Change::key));
    match look_up(link, table, &keys).await {
        Ok(found) => run.iter().zip(found).map(|(change, found)| why_nothing(table, change, found)).collect(),
        Err(error) => failed(run.len(), &error.into()),
    }
}

/// Several changes of one row cannot be in one statement, so that the second of them waits for the second wave, and so on.
async fn in_waves(link: &mut PgSlot, table: &Table, run: &[Change]) -> Result<Vec<Left>, DbErr> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut met: HashMap<Key, usize> = HashMap::with_capacity(run.len());
    for (at, change) in run.iter().enumerate() {
        let times = met.entry(change.key()).or_default();
        if waves.len() == *times {
            waves.push(Vec::new());
        }
        waves[*times].push(at);
        *times += 1;
    }
    let mut session = link.acquire().await?;
    if let [_] = waves[..] {
        let left = wave(&mut session, table, &Vec::from_iter(run)).await;
        // What the server refuses leaves the connection as it was.
        if left.as_ref().err().is_none_or(is_refusal) {
            session.release();
        }
        return left;
    }
    session.begin(None).await?;
    let mut left: Vec<Option<Left>> = run.iter().map(|_| None).collect();
    for places in waves {
        let changes = Vec::from_iter(places.iter().map(|at| &run[*at]));
        for (at, result) in places.into_iter().zip(wave(&mut session, table, &changes).await?) {
            left[at] = Some(result);
        }
    }
    session.commit().await?;
    session.release();
    let unanswered = || Err(Error::Internal("a change was in no statement".into()));
    Ok(left.into_iter().map(|left| left.unwrap_or_else(unanswered)).collect())
}

/// Whether the server refused what was asked, and goes on.
fn is_refusal(error: &DbErr) -> bool {
    let by_the_server =
        matches!(error, DbErr::Query(RuntimeErr::SqlxError(cause)) if cause.as_database_error().is_some());
    by_the_server && (may_concern_one_row(error) || !matches!(Error::from(error), Error::DatabaseAway(_)))
}

/// One statement for all of them, and a second one for those that it changed nothing for, if any.
async fn wave(session: &mut PgConnectionGuard<'_>, table: &Table, changes: &[&Change]) -> Result<Vec<Left>, DbErr> {
    let saves = Vec::from_iter(changes.iter().filter_map(|change| match change {
        Change::Save(sent) => Some(sent),
        Change::Forget(_) => None,
    }));
    let mut written: HashMap<Key, Option<Entry>> = HashMap::with_capacity(changes.len());
    if saves.is_empty() {
        let keys = Vec::from_iter(changes.iter().map(|change| change.key()));
        for row in ask(session, &table.statements.forget, &KEY, keys.iter().map(|key| key.cells())).await? {
            let mut columns = RowReader::from_postgres(&row);
            written.insert(Key { user_id: columns.read()?, video_id: columns.read()? }, None);
        }
    } else {
        for row in ask(session, &table.statements.save, &SAVE, saves.iter().map(|sent| sent.cells())).await? {
            if let Some(row) = Row::read(&mut RowReader::from_postgres(&row))? {
                let key = Key { user_id: row.user_id, video_id: row.video_id };
                written.insert(key, Some(row.shown(&table.rules, Some(true))));
            }
        }
    }
    let idle = Vec::from_iter(changes.iter().copied().filter(|change| !written.contains_key(&change.key())));
    let mut reasons = Vec::new();
    if !idle.is_empty() {
        let keys = Vec::from_iter(idle.iter().map(|change| change.key()));
        let found = look_up_in(session, table, &keys).await?;
        reasons.extend(idle.into_iter().zip(found).map(|(change, found)| why_nothing(table, change, found)));
    }
    let mut reasons = reasons.into_iter();
    let left = changes.iter().map(|change| match written.remove(&change.key()) {
        Some(left) => Ok(left),
        None => reasons.next().unwrap_or(Err(Error::Busy)),
    });
    Ok(left.collect())
}

/// Why a change did nothing, by what was found afterwards: a save because the row is newer, which is an answer too.
fn why_nothing(table: &Table, change: &Change, found: Found) -> Left {
    match (change, found.into_row()) {
        (Change::Save(_), Ok(row)) => Ok(Some(row.shown(&table.rules, Some(false)))),
        // It was there when the save was refused, and another process deleted it since: the save may be sent again.
        (Change::Save(_), Err(Error::HistoryNotFound)) => Err(Error::Busy),
        // And here another process made the row since.
        (Change::Forget(_), Ok(_)) => Err(Error::HistoryNotFound),
        (_, Err(error)) => Err(error),
    }
}
