//! Saves on PostgreSQL: one statement for most of them, and for the others a transaction that locks
//! the entries, reads what is stored, and writes what the rules decide.

use super::Writer;
use crate::Error;
use crate::plays::PlayId;
use crate::storage::{IntoParam, Param, PgConnectionGuard, RowReader, bind_arrays, bind_columns};
use crate::watch_history::command::Outcome;
use crate::watch_history::entry::{Entry, EntryRow};
use crate::watch_history::key::EntryKey;
use crate::watch_history::rules::{Decision, EntryWrite, StoredState, decide};
use crate::watch_history::save::SaveCommand;
use crate::watch_history::statements::{
    PLAY_KEY, REVIVED, columns_of, entry_columns, params_of, play_columns, updated_columns,
};
use crate::watch_history::stored_state::{StateRequest, read_state};
use entity::{play, watch_history};
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::{ColumnTrait, DbErr};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How often the entries that another process inserted at the same time are read again.
const ATTEMPTS: usize = 3;

/// Writes the saves that one statement can write. The others have no outcome.
pub(super) async fn write_saves(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&SaveCommand],
) -> Result<Vec<Option<Outcome>>, DbErr> {
    let input = bind_arrays(saves.iter().map(|save| (*save).clone()))?;
    let mut written = HashMap::with_capacity(saves.len());
    for row in connection.query(&writer.statements.save, input).await? {
        let row = EntryRow::read(&mut RowReader::from_postgres(&row))?;
        written.insert(row.key(), row);
    }
    let revived = delete_revived(connection, writer, saves, &written).await?;
    let outcomes = saves.iter().map(|save| {
        let row = written.remove(&save.key())?;
        let entry = (!revived.contains(&save.key()))
            .then(|| row.into_entry(&writer.context.rules, save.updated_at, Some(true)));
        Some(Ok(entry))
    });
    Ok(outcomes.collect())
}

/// Deletes entries that late saves made again: the deletion was committed after the statement
/// began, and before it inserted the row.
async fn delete_revived(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&SaveCommand],
    written: &HashMap<EntryKey, EntryRow>,
) -> Result<HashSet<EntryKey>, DbErr> {
    let is_inserted = |row: &&EntryRow| row.created_at == row.updated_at;
    let late = saves.iter().filter(|save| save.has_age());
    let inserted = Vec::from_iter(late.filter_map(|save| written.get(&save.key()).filter(is_inserted)));
    let mut deleted = HashSet::new();
    let rows = inserted.into_iter().map(|row| {
        let EntryRow { id, user_id, video_id, last_watched_at, .. } = *row;
        Ok([id.into_param(), user_id.into_param(), video_id.into_param(), last_watched_at.into_param()])
    });
    for row in execute(connection, &writer.statements.delete_revived, &REVIVED, rows).await? {
        let mut row = RowReader::from_postgres(&row);
        deleted.insert(EntryKey { user_id: row.read()?, video_id: row.read()? });
    }
    Ok(deleted)
}

/// Decides about saves of different entries and writes them, in a transaction.
pub(super) async fn decide_saves(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&SaveCommand],
) -> Result<Vec<Outcome>, DbErr> {
    let mut outcomes: HashMap<EntryKey, Outcome> = HashMap::with_capacity(saves.len());
    for _ in 0..ATTEMPTS {
        let pending = saves.iter().copied().filter(|save| !outcomes.contains_key(&save.key()));
        let pending = Vec::from_iter(pending);
        if pending.is_empty() {
            break;
        }
        let keys = pending.iter().map(|save| save.key());
        connection.query(&writer.statements.lock, bind_arrays(keys)?).await?;
        // The entries are locked, and this statement sees what was committed until now.
        let states = read_states(connection, writer, &pending).await?;
        let mut writes = Writes::default();
        for (save, state) in pending.into_iter().zip(states) {
            match decide_one(writer, save, state) {
                Ok(Some((decision, duration))) => writes.add(save, decision, duration),
                Ok(None) => drop(outcomes.insert(save.key(), Ok(None))),
                Err(error) => drop(outcomes.insert(save.key(), Err(error))),
            }
        }
        outcomes.extend(writes.execute(connection, writer).await?);
    }
    Ok(saves.iter().map(|save| outcomes.remove(&save.key()).unwrap_or(Err(Error::Busy))).collect())
}

fn decide_one(
    writer: &Writer,
    save: &SaveCommand,
    state: Result<StoredState, Error>,
) -> Result<Option<(Decision, Option<i32>)>, Error> {
    let state = state?;
    let duration = state.duration;
    Ok(decide(state, save, &writer.context.rules).map(|decision| (decision, duration)))
}

/// What each save finds, in their order.
async fn read_states(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&SaveCommand],
) -> Result<Vec<Result<StoredState, Error>>, DbErr> {
    let requests = saves.iter().map(|save| StateRequest::from(*save));
    let mut states = Vec::with_capacity(saves.len());
    for row in connection.query(&writer.statements.state, bind_arrays(requests)?).await? {
        let mut row = RowReader::from_postgres(&row);
        let n: i64 = row.read()?;
        let save = usize::try_from(n - 1).ok().and_then(|index| saves.get(index));
        let now = save.map(|save| save.updated_at).ok_or_else(|| DbErr::Type(format!("there is no save {n}")))?;
        states.push((n, read_state(&mut row, now, writer.context.max_days, true)?));
    }
    states.sort_by_key(|(n, _)| *n);
    Ok(states.into_iter().map(|(_, state)| state).collect())
}

/// What was decided about the saves of a batch.
#[derive(Default)]
struct Writes<'a> {
    expired: Vec<i64>,
    reopened: Vec<PlayId>,
    closed: Vec<play::Model>,
    entries: Vec<DecidedEntry<'a>>,
}

/// The entry of a save as it was decided.
struct DecidedEntry<'a> {
    save: &'a SaveCommand,
    write: EntryWrite,
    entry: watch_history::Model,
    duration: Option<i32>,
    applied: bool,
}

impl<'a> Writes<'a> {
    fn add(&mut self, save: &'a SaveCommand, decision: Decision, duration: Option<i32>) {
        let Decision { expired, reopened, closed, write, entry, applied } = decision;
        self.expired.extend(expired);
        self.reopened.extend(reopened);
        self.closed.extend(closed);
        self.entries.push(DecidedEntry { save, write, entry, duration, applied });
    }

    /// Writes all rows. The entries that another process inserted just now have no outcome.
    async fn execute(
        mut self,
        connection: &mut PgConnectionGuard<'_>,
        writer: &Writer,
    ) -> Result<HashMap<EntryKey, Outcome>, DbErr> {
        let statements = &writer.statements;
        let expired = self.expired.iter().map(|id| Ok([id.into_param()]));
        execute(connection, &statements.delete_entries, &[watch_history::Column::Id], expired).await?;
        let reopened = self.reopened.iter().map(|play| Ok([play.entry_id.into_param(), play.number.into_param()]));
        execute(connection, &statements.delete_plays, &PLAY_KEY, reopened).await?;
        let columns = play_columns();
        let closed = self.closed.iter().map(|play| params_of(play, &columns));
        execute(connection, &statements.insert_plays, &columns, closed).await?;
        let columns = updated_columns();
        let is_updated =
            |decided: &&DecidedEntry<'_>| matches!(decided.write, EntryWrite::Heartbeat | EntryWrite::Update);
        let updated = self.entries.iter().filter(is_updated).map(|decided| params_of(&decided.entry, &columns));
        execute(connection, &statements.update_entries, &columns, updated).await?;
        self.insert_entries(connection, writer).await?;
        Ok(self.entries.into_iter().map(|decided| (decided.save.key(), decided.into_outcome(writer))).collect())
    }

    /// Inserts the new entries, and drops those that are there already.
    async fn insert_entries(&mut self, connection: &mut PgConnectionGuard<'_>, writer: &Writer) -> Result<(), DbErr> {
        let columns = entry_columns();
        self.entries.sort_by_key(|decided| (decided.entry.user_id, decided.entry.video_id));
        let is_new = |decided: &&DecidedEntry<'_>| decided.write == EntryWrite::Insert;
        let new = self.entries.iter().filter(is_new).map(|decided| params_of(&decided.entry, &columns));
        let mut ids = HashMap::new();
        for row in execute(connection, &writer.statements.insert_entries, &columns, new).await? {
            let mut row = RowReader::from_postgres(&row);
            let id: i64 = row.read()?;
            ids.insert(EntryKey { user_id: row.read()?, video_id: row.read()? }, id);
        }
        self.entries.retain_mut(|decided| {
            let id = ids.get(&decided.save.key());
            decided.entry.id = id.copied().unwrap_or(decided.entry.id);
            decided.write != EntryWrite::Insert || id.is_some()
        });
        Ok(())
    }
}

impl DecidedEntry<'_> {
    fn into_outcome(self, writer: &Writer) -> Outcome {
        let Self { save, entry, duration, applied, .. } = self;
        let entry = Entry::of_model(entry, duration, &writer.context.rules, save.updated_at);
        Ok(Some(Entry { applied: Some(applied), ..entry }))
    }
}

/// Runs a statement over these rows, if there are any.
async fn execute<C: ColumnTrait>(
    connection: &mut PgConnectionGuard<'_>,
    statement: &Arc<str>,
    columns: &[C],
    rows: impl Iterator<Item = Result<impl IntoIterator<Item = Param>, DbErr>>,
) -> Result<Vec<PgRow>, DbErr> {
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    connection.query(statement, bind_columns(&columns_of(columns), rows.into_iter())?).await
}
