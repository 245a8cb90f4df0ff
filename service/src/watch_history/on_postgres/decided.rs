//! Saves on PostgreSQL about which the rules decide in Rust: read what is stored, decide, write.

use super::Writer;
use crate::Error;
use crate::plays::PlayId;
use crate::storage::{
    IntoParam, Param, PgConnectionGuard, RowReader, bind_arrays, bind_columns, columns_of, params_of,
};
use crate::watch_history::command::Outcome;
use crate::watch_history::entry::Entry;
use crate::watch_history::key::EntryKey;
use crate::watch_history::rules::{Decision, EntryWrite, decide};
use crate::watch_history::save::SaveCommand;
use crate::watch_history::statements::{
    PLAY_KEY, REVIVED, entry_columns, play_columns, unchanged_columns, updated_columns,
};
use crate::watch_history::stored_state::{StateRequest, read_state};
use entity::watch_history;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::{ColumnTrait, DbErr};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How often a save is decided again because another process has just inserted its entry.
const ATTEMPTS: usize = 3;

/// A save with the decision about it.
struct DecidedSave<'a> {
    save: &'a SaveCommand,
    decision: Decision,
    duration: Option<i32>,
    /// The version of the entry as it was read.
    version: Option<i64>,
}

impl DecidedSave<'_> {
    /// Whether the decision updates the entry, and inserts one ended play at most.
    fn is_update(&self) -> bool {
        let Decision { expired, reopened, write, .. } = &self.decision;
        expired.is_none() && reopened.is_none() && *write != EntryWrite::Insert
    }

    fn into_outcome(self, writer: &Writer) -> Outcome {
        let Decision { entry, applied, .. } = self.decision;
        let entry = Entry::of_model(entry, self.duration, &writer.context.rules, self.save.updated_at);
        Ok(Some(Entry { applied: Some(applied), ..entry }))
    }
}

/// Decides about saves of different entries, and writes those that only update their entry. The
/// others get no outcome, and neither do saves whose entry was changed meanwhile. It locks nothing
/// beforehand, so it needs no transaction.
pub(super) async fn write_unlocked(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&SaveCommand],
) -> Result<HashMap<EntryKey, Outcome>, DbErr> {
    if saves.is_empty() {
        return Ok(HashMap::new());
    }
    let (mut outcomes, decided) = decide_all(connection, writer, saves).await?;
    let (skipped, mut updates): (Vec<_>, Vec<_>) =
        decided.into_iter().filter(DecidedSave::is_update).partition(|one| one.decision.write == EntryWrite::Skip);
    let columns = unchanged_columns();
    updates.sort_by_key(|one| (one.save.user_id, one.save.video_id));
    let rows = updates.iter().map(unchanged_params).collect::<Result<Vec<_>, _>>()?;
    let mut updated = HashSet::with_capacity(rows.len());
    if !rows.is_empty() {
        let input = bind_columns(&columns, rows.into_iter())?;
        for row in connection.query(&writer.statements.update_unchanged, input).await? {
            updated.insert(RowReader::from_postgres(&row).read::<i64>()?);
        }
    }
    let updates = updates.into_iter().filter(|one| updated.contains(&one.decision.entry.id));
    outcomes.extend(updates.chain(skipped).map(|one| (one.save.key(), one.into_outcome(writer))));
    Ok(outcomes)
}

/// The parameters of [`unchanged_columns`].
fn unchanged_params(one: &DecidedSave<'_>) -> Result<Vec<Param>, DbErr> {
    let DecidedSave { decision: Decision { entry, closed, .. }, version, .. } = one;
    let version = version.map_or(Param::Number(None), IntoParam::into_param);
    let closed = match closed {
        Some(play) => params_of(play, &play_columns())?,
        None => columns_of(&play_columns()).into_iter().map(|(_, of)| of.null()).collect(),
    };
    Ok(params_of(entry, &updated_columns())?.into_iter().chain([version]).chain(closed).collect())
}

/// Locks the accounts of these entries. A statement locks entries in one order, but a transaction
/// of several statements does not. Two of them could wait for each other, so only one at a time
/// works on the entries of a viewer. For a single entry nothing is locked: it needs no order.
pub(super) async fn lock_accounts(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    keys: &[EntryKey],
) -> Result<(), DbErr> {
    if keys.len() > 1 {
        connection.query(&writer.statements.lock_accounts, bind_arrays(keys.iter().copied())?).await?;
    }
    Ok(())
}

/// Locks these entries, as far as they exist.
pub(super) async fn lock_entries(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    keys: &[EntryKey],
) -> Result<(), DbErr> {
    connection.query(&writer.statements.lock_entries, bind_arrays(keys.iter().copied())?).await?;
    Ok(())
}

/// Decides about saves of different entries and writes them, in a transaction.
pub(super) async fn write_locked(
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
        lock_entries(connection, writer, &Vec::from_iter(pending.iter().map(|save| save.key()))).await?;
        // The entries are locked, and this statement sees what was committed until now.
        let (finished, decided) = decide_all(connection, writer, &pending).await?;
        outcomes.extend(finished);
        outcomes.extend(write(connection, writer, decided).await?);
    }
    Ok(saves.iter().map(|save| outcomes.remove(&save.key()).unwrap_or(Err(Error::Busy))).collect())
}

/// Reads what each save finds, and decides: the outcomes of saves that fail or are not taken, and
/// the decisions about the others.
async fn decide_all<'a>(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&'a SaveCommand],
) -> Result<(HashMap<EntryKey, Outcome>, Vec<DecidedSave<'a>>), DbErr> {
    let (mut outcomes, mut decided) = (HashMap::new(), Vec::with_capacity(saves.len()));
    let requests = saves.iter().map(|save| StateRequest::from(*save));
    for row in connection.query(&writer.statements.state, bind_arrays(requests)?).await? {
        let mut row = RowReader::from_postgres(&row);
        let n: i64 = row.read()?;
        let save = usize::try_from(n - 1).ok().and_then(|index| saves.get(index));
        let save = *save.ok_or_else(|| DbErr::Type(format!("there is no save {n}")))?;
        let state = match read_state(&mut row, save.updated_at, writer.context.max_days, true)? {
            Ok(state) => state,
            Err(error) => {
                outcomes.insert(save.key(), Err(error));
                continue;
            }
        };
        let (duration, version) = (state.duration, state.version);
        match decide(state, save, &writer.context.rules) {
            Some(decision) => decided.push(DecidedSave { save, decision, duration, version }),
            None => drop(outcomes.insert(save.key(), Ok(None))),
        }
    }
    Ok((outcomes, decided))
}

/// Writes all rows. A save whose entry another process has just inserted gets no outcome.
async fn write(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    mut decided: Vec<DecidedSave<'_>>,
) -> Result<HashMap<EntryKey, Outcome>, DbErr> {
    let statements = &writer.statements;
    let expired = decided.iter().filter_map(|one| one.decision.expired).map(|id| Ok([id.into_param()]));
    execute(connection, &statements.delete_entries, &[watch_history::Column::Id], expired).await?;
    let key = |play: PlayId| Ok([play.entry_id.into_param(), play.number.into_param()]);
    let reopened = decided.iter().filter_map(|one| one.decision.reopened).map(key);
    execute(connection, &statements.delete_plays, &PLAY_KEY, reopened).await?;
    let columns = play_columns();
    let closed = decided.iter().filter_map(|one| one.decision.closed.as_ref()).map(|play| params_of(play, &columns));
    execute(connection, &statements.insert_plays, &columns, closed).await?;
    let columns = updated_columns();
    let is_updated = |one: &&DecidedSave<'_>| matches!(one.decision.write, EntryWrite::Heartbeat | EntryWrite::Update);
    let updated = decided.iter().filter(is_updated).map(|one| params_of(&one.decision.entry, &columns));
    execute(connection, &statements.update_entries, &columns, updated).await?;
    insert(connection, writer, &mut decided).await?;
    let revived = delete_revived(connection, writer, &decided).await?;
    let outcome = |one: DecidedSave<'_>| {
        let key = one.save.key();
        let outcome = if revived.contains(&key) { Ok(None) } else { one.into_outcome(writer) };
        (key, outcome)
    };
    Ok(decided.into_iter().map(outcome).collect())
}

/// Inserts the new entries, and removes from `decided` those that another process inserted first.
async fn insert(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    decided: &mut Vec<DecidedSave<'_>>,
) -> Result<(), DbErr> {
    let columns = entry_columns();
    decided.sort_by_key(|one| (one.save.user_id, one.save.video_id));
    let is_new = |one: &&DecidedSave<'_>| one.decision.write == EntryWrite::Insert;
    let new = decided.iter().filter(is_new).map(|one| params_of(&one.decision.entry, &columns));
    let mut ids = HashMap::new();
    for row in execute(connection, &writer.statements.insert_entries, &columns, new).await? {
        let mut row = RowReader::from_postgres(&row);
        let id: i64 = row.read()?;
        ids.insert(EntryKey { user_id: row.read()?, video_id: row.read()? }, id);
    }
    decided.retain_mut(|one| {
        let id = ids.get(&one.save.key());
        one.decision.entry.id = id.copied().unwrap_or(one.decision.entry.id);
        one.decision.write != EntryWrite::Insert || id.is_some()
    });
    Ok(())
}

/// Deletes entries that late saves created again: the deletion was committed after the decision.
async fn delete_revived(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    decided: &[DecidedSave<'_>],
) -> Result<HashSet<EntryKey>, DbErr> {
    let is_late_insert = |one: &&DecidedSave<'_>| one.decision.write == EntryWrite::Insert && one.save.has_age();
    let rows = decided.iter().filter(is_late_insert).map(|one| params_of(&one.decision.entry, &REVIVED));
    let mut deleted = HashSet::new();
    for row in execute(connection, &writer.statements.delete_revived, &REVIVED, rows).await? {
        let mut row = RowReader::from_postgres(&row);
        deleted.insert(EntryKey { user_id: row.read()?, video_id: row.read()? });
    }
    Ok(deleted)
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
