//! Saves on PostgreSQL. One statement writes heartbeats, another one writes saves of which nothing
//! is known. About the rest the rules decide in Rust ([`super::decided`]).

use super::Writer;
use super::decided::write_unlocked;
use super::recent::Expectation;
use crate::storage::{PgConnectionGuard, RowReader, bind_arrays};
use crate::watch_history::command::Outcome;
use crate::watch_history::entry::EntryRow;
use crate::watch_history::key::EntryKey;
use crate::watch_history::save::SaveCommand;
use sea_orm::DbErr;
use sea_orm::sqlx::Arguments;
use sea_orm::sqlx::postgres::PgArguments;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The fewest heartbeats for which a second statement pays. Fewer go into the one for unknown
/// saves.
const MIN_HEARTBEATS: usize = 6;
/// How many ids for new entries are taken at least.
const NEW_IDS: usize = 64;

/// Writes those saves of different entries that need no locks beforehand, and adds their outcomes
/// after each statement.
pub(super) async fn write_saves(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&SaveCommand],
    outcomes: &mut HashMap<EntryKey, Outcome>,
) -> Result<(), DbErr> {
    let (mut heartbeats, mut unknown) = (Vec::with_capacity(saves.len()), Vec::new());
    let expected = writer.recent().expect(saves);
    for (save, expected) in saves.iter().zip(expected) {
        match expected {
            Expectation::Heartbeat => heartbeats.push(*save),
            Expectation::Unknown => unknown.push(*save),
            Expectation::AnotherPlay => {}
        }
    }
    if !unknown.is_empty() && heartbeats.len() < MIN_HEARTBEATS {
        unknown.append(&mut heartbeats);
    }
    let written = write_with(connection, &writer.statements.heartbeat, &heartbeats).await?;
    outcomes.extend(into_outcomes(writer, &heartbeats, written));
    outcomes.extend(write_unknown(connection, writer, &unknown).await?);
    let pending = Vec::from_iter(saves.iter().copied().filter(|save| !outcomes.contains_key(&save.key())));
    outcomes.extend(write_unlocked(connection, writer, &pending).await?);
    Ok(())
}

/// Writes saves of which nothing is known. Each brings an unused id, in case it creates its entry.
async fn write_unknown(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    saves: &[&SaveCommand],
) -> Result<Vec<(EntryKey, Outcome)>, DbErr> {
    let mut ids = take_ids(connection, writer, saves.len()).await?;
    let with_ids = saves.iter().zip(&ids).map(|(save, id)| SaveCommand { id: *id, ..(*save).clone() });
    let with_ids = Vec::from_iter(with_ids);
    let written = write_with(connection, &writer.statements.save, &Vec::from_iter(&with_ids)).await?;
    let used = HashSet::<i64>::from_iter(written.values().map(|row| row.id));
    ids.retain(|id| !used.contains(id));
    writer.return_ids(ids);
    Ok(into_outcomes(writer, saves, written))
}

/// Runs a statement over these saves, and returns the entries that it wrote.
async fn write_with(
    connection: &mut PgConnectionGuard<'_>,
    statement: &Arc<str>,
    saves: &[&SaveCommand],
) -> Result<HashMap<EntryKey, EntryRow>, DbErr> {
    if saves.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = connection.query(statement, bind_arrays(saves.iter().map(|save| (*save).clone()))?).await?;
    let row = |row| EntryRow::read(&mut RowReader::from_postgres(row)).map(|row| (row.key(), row));
    rows.iter().map(row).collect()
}

/// The outcomes of the saves whose entries were written.
fn into_outcomes(
    writer: &Writer,
    saves: &[&SaveCommand],
    mut written: HashMap<EntryKey, EntryRow>,
) -> Vec<(EntryKey, Outcome)> {
    let outcome = |save: &&SaveCommand| {
        let row = written.remove(&save.key())?;
        Some((save.key(), Ok(Some(row.into_entry(&writer.context.rules, save.updated_at, Some(true))))))
    };
    saves.iter().filter_map(outcome).collect()
}

/// Takes unused ids for new entries.
async fn take_ids(connection: &mut PgConnectionGuard<'_>, writer: &Writer, count: usize) -> Result<Vec<i64>, DbErr> {
    let mut ids = writer.take_ids(count);
    if ids.len() < count {
        let wanted = i64::try_from(NEW_IDS.max(count)).unwrap_or(i64::MAX);
        let mut arguments = PgArguments::default();
        arguments.add(wanted).map_err(|error| DbErr::Type(error.to_string()))?;
        for row in connection.query(&writer.statements.new_ids, arguments).await? {
            ids.push(RowReader::from_postgres(&row).read()?);
        }
        writer.return_ids(ids.split_off(count));
    }
    Ok(ids)
}
