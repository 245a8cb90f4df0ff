//! The statements that write a save: `INSERT … SELECT … FROM input … ON CONFLICT DO UPDATE`.

use super::update::{changes_with_index, is_failed_start, is_index_unchanged, is_newer, updated_value};
use super::{INPUT, concat, input, is_allowed, render, select_from_input};
use crate::Error;
use crate::progress::{ProgressRules, completed};
use crate::watch_history::entry::EntryRow;
use crate::watch_history::save::SaveCommand;
use entity::video;
use entity::watch_history::{Column, Entity};
use sea_orm::DatabaseBackend::{self, Postgres};
use sea_orm::Iterable;
use sea_orm::prelude::*;
use sea_orm::sea_query::{CaseStatement, ExprTrait, Func, InsertStatement, OnConflict, Order, Query};

/// Inserts an entry, or updates it if the save is newer.
pub(super) fn save(backend: DatabaseBackend, rules: &ProgressRules) -> Result<String, Error> {
    let on_conflict = on_conflict(Column::iter(), backend, rules);
    Ok(render(backend, insert(backend, rules)?.on_conflict(on_conflict)))
}

/// As [`save`], but a no-op if an indexed column of the entry would change. It does not assign the
/// columns that only change then, because SQLite rewrites the index of every assigned column.
pub(super) fn heartbeat(backend: DatabaseBackend, rules: &ProgressRules) -> Result<String, Error> {
    let columns = Column::iter().filter(|column| !changes_with_index(*column));
    let mut on_conflict = on_conflict(columns, backend, rules);
    on_conflict.action_and_where(is_index_unchanged());
    Ok(render(backend, insert(backend, rules)?.on_conflict(on_conflict)))
}

fn on_conflict(columns: impl Iterator<Item = Column>, backend: DatabaseBackend, rules: &ProgressRules) -> OnConflict {
    let values = columns.filter_map(|column| Some((column, updated_value(column, backend)?)));
    let mut on_conflict = OnConflict::columns([Column::UserId, Column::VideoId]);
    on_conflict.values(values).action_and_where(is_newer()).action_and_where(is_failed_start(rules).not());
    on_conflict
}

fn insert(backend: DatabaseBackend, rules: &ProgressRules) -> Result<InsertStatement, Error> {
    let values = Column::iter().filter_map(|column| Some((column, inserted_value(column, rules)?)));
    let (columns, values): (Vec<_>, Vec<_>) = values.unzip();
    let mut select = select_from_input::<_, SaveCommand>(backend);
    select.exprs(values).and_where(is_allowed());
    let mut insert = Query::insert();
    if backend == Postgres {
        // All statements lock rows in one order, so that two of them cannot deadlock.
        select.order_by((INPUT, Column::UserId), Order::Asc).order_by((INPUT, Column::VideoId), Order::Asc);
        let video = video::Column::Id.into_expr().equals((Entity, Column::VideoId));
        let duration = Query::select().column(video::Column::Duration).from(video::Entity).and_where(video).take();
        insert.returning(Query::returning().exprs(EntryRow::selected(duration.into())));
    }
    // SQLite copies returned rows into a temporary table: there a second statement costs no more.
    let insert = insert.into_table(Entity).columns(columns).select_from(select);
    insert.map(InsertStatement::take).map_err(|error| Error::Internal(error.to_string()))
}

/// The value of a column in a new entry; `None` where the database generates it.
fn inserted_value(column: Column, rules: &ProgressRules) -> Option<Expr> {
    let completed = completed(input(Column::WatchPosition), video::Column::Duration.into_expr(), rules);
    Some(match column {
        Column::Id
        | Column::Hidden
        | Column::HiddenUntil
        | Column::PreviousPosition
        | Column::PreviousDevice
        | Column::PreviousAt
        | Column::PlayNumber
        | Column::PlayIsKept
        | Column::PlayHasSession
        | Column::PlayStartedAt
        | Column::PlayStartPosition
        | Column::PlayWatchedMs
        | Column::PlayCompleted => return None,
        Column::UserId
        | Column::VideoId
        | Column::WatchDuration
        | Column::LastWatchedAt
        | Column::WatchedHour
        | Column::UpdatedAt => input(column),
        Column::WatchPosition => position_within_video(),
        Column::Completed => completed,
        Column::PlayerSession | Column::Device => null_if(input(column), ""),
        Column::Sequence => null_if(input(column), 0),
        Column::PlayCount => CaseStatement::new().case(completed, 1).finally(0).into(),
        Column::CompletedAt => CaseStatement::new().case(completed, input(Column::LastWatchedAt)).into(),
        Column::CountedSessions => {
            let session = input(Column::PlayerSession);
            CaseStatement::new().case(completed.and(session.clone().ne("")), concat(session, " ")).into()
        }
        Column::CreatedAt => input(Column::UpdatedAt),
    })
}

/// The position of the save, or the duration of the video if that is less.
fn position_within_video() -> Expr {
    let (position, duration) = (input(Column::WatchPosition), video::Column::Duration.into_expr());
    let is_beyond = duration.clone().gt(0).and(duration.clone().lt(position.clone()));
    CaseStatement::new().case(is_beyond, duration).finally(position).into()
}

/// NULL if the parameter has the value that was bound instead of NULL ([`Param`](crate::storage)).
fn null_if(param: Expr, null: impl Into<Expr>) -> Expr {
    Func::cust("nullif").arg(param).arg(null).into()
}
