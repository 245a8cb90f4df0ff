//! How changes that wait together reach the database: in one statement where they can, in the order of their arrival where
//! they must, and each by itself where one of them spoils the others.

use super::Table;
use super::entry::{Entry, Row};
use super::read::{Found, look_up};
use super::statements::Sent;
use crate::Error;
use crate::columns::Columns;
use crate::database::immediate;
use crate::error::{is_foreign_key_violation, may_concern_one_row};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::HashMap;

/// What may happen to a row.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Save(Sent),
    Forget { user_id: i64, video_id: i64 },
}

impl Change {
    fn key(&self) -> (i64, i64) {
        match self {
            Self::Save(Sent { user_id, video_id, .. }) | Self::Forget { user_id, video_id } => (*user_id, *video_id),
        }
    }
}

/// What a change leaves: the row of a save, and nothing of what was forgotten.
type Left = Result<Option<Entry>, Error>;

/// Makes these changes as if one after the other.
pub(super) async fn write(table: &Table, changes: &[Change]) -> Vec<Left> {
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
            why_nothing(&table.writer, table, &changes).await.unwrap_or_else(|error| failed(run, error))
        }
        Err(error) => failed(run, error),
    }
}

fn failed(run: &[Change], error: DbErr) -> Vec<Left> {
    let error = Error::from(error);
    run.iter().map(|_| Err(error.clone())).collect()
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
        return wave(&table.writer, table, &Vec::from_iter(run)).await;
    }
    let transaction = immediate(&table.writer).await?;
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
        for row in db.query_all_raw(table.statements.forget(&keys)).await? {
            let mut columns = Columns::of(&row);
            written.insert((columns.read()?, columns.read()?), None);
        }
    } else {
        for row in db.query_all_raw(table.statements.save(&saves)).await? {
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
