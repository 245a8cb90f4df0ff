//! Stores what an edit changed.

use super::Edit;
use crate::Error;
use crate::storage::{Event, Transaction};
use crate::watch_history::statements::keep_latest_deletion;
use entity::watch_history::{ActiveModel, Column, Entity, Model};
use entity::{forgotten_entry, play};
use sea_orm::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, IntoActiveModel, Iterable};

/// Rows that one INSERT writes. Each has about thirty values, and SQLite takes 32,766 in all.
const ROWS_PER_INSERT: usize = 100;

/// Stores the columns of an entry that differ, and the play that ended. If none differs, nothing is
/// stored.
///
/// # Errors
/// Database errors.
pub(crate) async fn store_one(
    tx: &Transaction,
    edit: &Edit,
    before: Model,
    entry: &mut Model,
    ended: Option<play::Model>,
) -> Result<(), Error> {
    if *entry == before {
        return Ok(());
    }
    entry.updated_at = edit.now;
    entry.revision = tx.revision().await?;
    insert_plays(tx, ended.into_iter().collect()).await?;
    differences(before, entry.clone()).update(tx).await?;
    record_change(tx, entry);
    Ok(())
}

/// Tells listeners that an entry or its plays changed.
pub(super) fn record_change(tx: &Transaction, entry: &Model) {
    tx.record(Event::EntryChanged { user_id: entry.user_id, video_id: entry.video_id });
}

/// An update of the columns that differ. SQLite rewrites the indexes of every column that is
/// assigned.
fn differences(before: Model, after: Model) -> ActiveModel {
    let (before, mut changed) = (before.into_active_model(), after.into_active_model());
    for column in Column::iter() {
        let value = changed.get(column);
        if let Some(value) = value.clone().into_value()
            && before.get(column).into_value().as_ref() != Some(&value)
        {
            changed.set(column, value);
        }
    }
    changed
}

/// An entry before and after an edit.
pub(super) struct ChangedEntry {
    pub(super) before: Model,
    pub(super) after: Model,
}

/// Stores many entries that exist and are locked, and the plays that ended.
///
/// # Errors
/// Database errors.
pub(super) async fn store_many(
    tx: &Transaction,
    edit: &Edit,
    mut entries: Vec<ChangedEntry>,
    ended: Vec<play::Model>,
) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    insert_plays(tx, ended).await?;
    let revision = tx.revision().await?;
    for ChangedEntry { after, .. } in &mut entries {
        (after.updated_at, after.revision) = (edit.now, revision);
    }
    let changed = changed_columns(&entries);
    for entries in entries.chunks(ROWS_PER_INSERT) {
        // Every row conflicts with its entry, so this INSERT updates many rows, each to its own
        // values.
        let rows = entries.iter().map(|entry| row_of(&entry.after, &changed));
        let mut on_conflict = OnConflict::columns([Column::UserId, Column::VideoId]);
        on_conflict.update_columns(changed.iter().copied());
        Entity::insert_many(rows).on_conflict(on_conflict).exec_without_returning(tx).await?;
    }
    entries.iter().for_each(|entry| record_change(tx, &entry.after));
    Ok(())
}

/// The columns in which at least one of the entries changed.
fn changed_columns(entries: &[ChangedEntry]) -> Vec<Column> {
    let models = entries.iter().map(|entry| (entry.before.clone(), entry.after.clone()));
    let models = Vec::from_iter(models.map(|(before, after)| (before.into_active_model(), after.into_active_model())));
    let differs = |column: &Column| models.iter().any(|(before, after)| before.get(*column) != after.get(*column));
    Column::iter().filter(differs).collect()
}

/// These columns of an entry, and those that an INSERT cannot leave out.
fn row_of(entry: &Model, columns: &[Column]) -> ActiveModel {
    const NEEDED: [Column; 5] =
        [Column::UserId, Column::VideoId, Column::LastWatchedAt, Column::CreatedAt, Column::UpdatedAt];
    let model = entry.clone().into_active_model();
    let mut row = <ActiveModel as ActiveModelTrait>::default();
    for column in NEEDED.iter().chain(columns) {
        if let Some(value) = model.get(*column).into_value() {
            row.set(*column, value);
        }
    }
    row
}

/// Inserts those of these entries that do not exist, and locks the others, in the order of the
/// videos. Returns the videos of the new ones.
///
/// # Errors
/// Database errors.
pub(super) async fn insert_missing(tx: &Transaction, mut entries: Vec<ActiveModel>) -> Result<Vec<i64>, Error> {
    let (revision, mut created) = (tx.revision().await?, Vec::new());
    entries.iter_mut().for_each(|entry| entry.revision = Set(revision));
    for entries in entries.chunks(ROWS_PER_INSERT) {
        // An update whose condition is false locks the row; DO NOTHING would not lock it.
        let mut on_conflict = OnConflict::columns([Column::UserId, Column::VideoId]);
        on_conflict.update_column(Column::UserId).action_and_where(Expr::value(false));
        let insert = Entity::insert_many(entries.to_vec()).on_conflict(on_conflict);
        created.extend(insert.exec_with_returning(tx).await?);
    }
    created.iter().for_each(|entry| record_change(tx, entry));
    Ok(created.into_iter().map(|entry| entry.video_id).collect())
}

/// Deletes entries with their plays. It leaves no tombstones, because new entries replace them.
///
/// # Errors
/// Database errors.
pub(super) async fn remove(tx: &Transaction, entries: &[Model]) -> Result<(), Error> {
    let ids = entries.iter().map(|entry| entry.id);
    Entity::delete_many().filter(Column::Id.is_in(ids)).exec(tx).await?;
    Ok(())
}

async fn insert_plays(tx: &Transaction, plays: Vec<play::Model>) -> Result<(), Error> {
    for plays in plays.chunks(ROWS_PER_INSERT) {
        let rows = plays.iter().map(|play| play.clone().into_active_model().reset_all());
        play::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Deletes entries with their plays, and leaves tombstones, so that no late save brings one back.
///
/// # Errors
/// Database errors.
pub(super) async fn delete_forever(tx: &Transaction, edit: &Edit, entries: &[Model]) -> Result<(), Error> {
    remove(tx, entries).await?;
    let revision = tx.revision().await?;
    for entries in entries.chunks(ROWS_PER_INSERT) {
        let rows = entries.iter().map(|entry| forgotten_entry::ActiveModel {
            user_id: Set(entry.user_id),
            video_id: Set(entry.video_id),
            forgotten_at: Set(edit.now),
            revision: Set(revision),
        });
        let insert = forgotten_entry::Entity::insert_many(rows).on_conflict(keep_latest_deletion());
        insert.exec_without_returning(tx).await?;
    }
    for entry in entries {
        tx.record(Event::EntryForgotten { user_id: entry.user_id, video_id: entry.video_id });
    }
    Ok(())
}
