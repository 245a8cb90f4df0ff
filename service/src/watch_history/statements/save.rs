//! The statement that writes most saves on PostgreSQL: `INSERT … SELECT … FROM input … ON CONFLICT
//! DO UPDATE`. The rules are those of [`decide`](crate::watch_history::rules::decide), for saves
//! that close no play and reopen none.

use super::update::{is_failed_start, is_newer, is_simple, updated_value};
use super::{INPUT, concat, cutoff, expiry_days, input, is_allowed, is_entry_of_input, render, select_from_input};
use crate::Error;
use crate::progress::{ProgressRules, completed};
use crate::watch_history::entry::EntryRow;
use crate::watch_history::rules::WATCHED_SLACK;
use crate::watch_history::save::SaveCommand;
use entity::user::HistoryMode;
use entity::watch_history::{Column, Entity};
use entity::{forgotten_entry, user, video};
use sea_orm::DatabaseBackend::Postgres;
use sea_orm::Iterable;
use sea_orm::prelude::*;
use sea_orm::sea_query::{CaseStatement, ExprTrait, Func, OnConflict, Order, Query, SelectStatement};

/// Inserts an entry, or updates it if the save is newer.
pub(super) fn save(rules: &ProgressRules, max_days: Option<i32>) -> Result<String, Error> {
    let values = Column::iter().filter_map(|column| Some((column, inserted_value(column, rules)?)));
    let (columns, values): (Vec<_>, Vec<_>) = values.unzip();
    let video = video::Column::Id.into_expr().equals((Entity, Column::VideoId));
    let duration = Query::select().column(video::Column::Duration).from(video::Entity).and_where(video).take();
    let mut insert = Query::insert();
    let insert = insert
        .into_table(Entity)
        .columns(columns)
        .select_from(select_saves(values, max_days))
        .map_err(|error| Error::Internal(error.to_string()))?
        .on_conflict(on_conflict(rules))
        .returning(Query::returning().exprs(EntryRow::selected(duration.into())));
    Ok(render(Postgres, insert))
}

fn on_conflict(rules: &ProgressRules) -> OnConflict {
    let values = Column::iter().filter_map(|column| Some((column, updated_value(column)?)));
    let mut on_conflict = OnConflict::columns([Column::UserId, Column::VideoId]);
    on_conflict
        .values(values)
        .action_and_where(is_newer())
        .action_and_where(is_failed_start(rules).not())
        .action_and_where(is_simple());
    on_conflict
}

/// The saves that may be written. All statements lock rows in one order, so that two of them cannot
/// deadlock.
fn select_saves(values: Vec<Expr>, max_days: Option<i32>) -> SelectStatement {
    let mut select = select_from_input::<_, SaveCommand>(Postgres);
    select
        .exprs(values)
        .and_where(is_allowed())
        .and_where(user::Column::HistoryMode.ne(HistoryMode::Off))
        .and_where(has_age().not().or(is_after_deletion()))
        .and_where(expiry_days(max_days).is_null().or(is_unexpired(max_days)))
        .and_where(has_storable_played_seconds())
        .order_by((INPUT, Column::UserId), Order::Asc)
        .order_by((INPUT, Column::VideoId), Order::Asc);
    select
}

/// Whether the player was at the position before the save arrived.
fn has_age() -> Expr {
    input(Column::LastWatchedAt).lt(input(Column::UpdatedAt))
}

/// Whether the player was at the position after the deletion of the entry, if it was deleted.
fn is_after_deletion() -> Expr {
    use forgotten_entry::Column::{ForgottenAt, UserId, VideoId};
    let deletion = Query::select()
        .expr(Expr::val(1))
        .from(forgotten_entry::Entity)
        .and_where(UserId.into_expr().equals((INPUT, Column::UserId)))
        .and_where(VideoId.into_expr().equals((INPUT, Column::VideoId)))
        .and_where(ForgottenAt.into_expr().gte(input(Column::LastWatchedAt)))
        .take();
    let cleared_before = user::Column::HistoryClearedBefore.into_expr();
    let is_after_clearing = input(Column::LastWatchedAt).gte(cleared_before.clone());
    cleared_before.is_null().or(is_after_clearing).and(Expr::not_exists(deletion))
}

/// Whether neither the save nor the entry has expired.
fn is_unexpired(max_days: Option<i32>) -> Expr {
    let cutoff = || cutoff(max_days, input(Column::UpdatedAt));
    let expired = select_entry().and_where(Column::LastWatchedAt.into_expr().lt(cutoff())).take();
    input(Column::LastWatchedAt).gte(cutoff()).and(Expr::not_exists(expired))
}

fn select_entry() -> SelectStatement {
    Query::select().expr(Expr::val(1)).from(Entity).and_where(is_entry_of_input()).take()
}

/// The inserted row carries the seconds played to the update, 0 where the player reports none. So a
/// reported 0 can only be inserted, and more than a play may begin with can only be an update.
fn has_storable_played_seconds() -> Expr {
    let played = || Expr::col((INPUT, PLAYED_SECONDS));
    let is_usual = played().is_null().or(played().between(1, WATCHED_SLACK.num_seconds()));
    let exists = Expr::exists(select_entry());
    CaseStatement::new().case(is_usual, true).finally(played().gt(0).eq(exists)).into()
}

const PLAYED_SECONDS: &str = "played_seconds";

/// The value of a column in a new entry; `None` for its default.
fn inserted_value(column: Column, rules: &ProgressRules) -> Option<Expr> {
    let completed = || completed(input(Column::WatchPosition), video::Column::Duration.into_expr(), rules);
    let keeps_plays = || user::Column::HistoryMode.eq(HistoryMode::On);
    Some(match column {
        Column::Id => known_or_new_id(),
        Column::Hidden
        | Column::HiddenUntil
        | Column::PreviousPosition
        | Column::PreviousDevice
        | Column::PreviousAt
        | Column::Revision => return None,
        Column::UserId
        | Column::VideoId
        | Column::WatchDuration
        | Column::PlayerSession
        | Column::Sequence
        | Column::Device
        | Column::LastWatchedAt
        | Column::WatchedHour
        | Column::UpdatedAt => input(column),
        Column::WatchPosition | Column::PlayStartPosition => position_within_video(),
        Column::Completed | Column::PlayCompleted => completed(),
        Column::PlayCount => CaseStatement::new().case(completed(), 1).finally(0).into(),
        Column::CompletedAt => CaseStatement::new().case(completed(), input(Column::LastWatchedAt)).into(),
        // NULL without a session.
        Column::CountedSessions => {
            CaseStatement::new().case(completed(), concat(input(Column::PlayerSession), " ")).into()
        }
        Column::PlayNumber => CaseStatement::new().case(keeps_plays(), 1).finally(0).into(),
        Column::PlayIsKept => keeps_plays(),
        Column::PlayHasSession => input(Column::PlayerSession).is_not_null(),
        Column::PlayStartedAt => input(Column::LastWatchedAt),
        Column::PlayWatchedMs => Expr::col((INPUT, PLAYED_SECONDS)).if_null(0).mul(1000),
        Column::CreatedAt => input(Column::UpdatedAt),
    })
}

/// The id of the entry, or a new one. The default of the column would take a number of the sequence
/// for every save, also for one that updates.
fn known_or_new_id() -> Expr {
    let known = Query::select().column(Column::Id).from(Entity).and_where(is_entry_of_input()).take();
    let new = Expr::cust("nextval(pg_get_serial_sequence('watch_history', 'id'))");
    Func::coalesce([known.into(), new]).into()
}

/// The position of the save, or the duration of the video if that is less.
fn position_within_video() -> Expr {
    let (position, duration) = (input(Column::WatchPosition), video::Column::Duration.into_expr());
    let is_beyond = duration.clone().gt(0).and(duration.clone().lt(position.clone()));
    CaseStatement::new().case(is_beyond, duration).finally(position).into()
}
