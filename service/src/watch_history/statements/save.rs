//! The statement for saves of which nothing is known on PostgreSQL: `INSERT … SELECT … ON CONFLICT
//! DO UPDATE`. The rules are those of [`decide`](crate::watch_history::rules::decide), for saves
//! without an age that begin the entry or its first play, or go on with the running play. The
//! statement is kept small: to start a large one costs as much as ten rows.

use super::update::{is_failed_start, is_newer, is_simple, updated_value};
use super::{INPUT, concat, expiry_days, input, is_allowed, is_entry_of_input, render, select_from_input};
use crate::Error;
use crate::progress::{ProgressRules, completed};
use crate::watch_history::entry::EntryRow;
use crate::watch_history::rules::WATCHED_SLACK;
use crate::watch_history::save::SaveCommand;
use entity::user::HistoryMode;
use entity::watch_history::{Column, Entity};
use entity::{user, video};
use sea_orm::DatabaseBackend::Postgres;
use sea_orm::Iterable;
use sea_orm::prelude::*;
use sea_orm::sea_query::{CaseStatement, ExprTrait, OnConflict, Order, Query, SelectStatement};

/// The alias of [`select_saves`].
const SAVES: &str = "saves";
/// The time before which entries of the viewer have expired.
pub(super) const EXPIRED_BEFORE: &str = "expired_before";

/// Inserts an entry, or updates it if the save is newer.
pub(super) fn save(rules: &ProgressRules, max_days: Option<i32>) -> Result<String, Error> {
    let values = Column::iter().filter_map(|column| Some((column, inserted_value(column)?)));
    let (columns, values): (Vec<_>, Vec<_>) = values.unzip();
    let video = video::Column::Id.into_expr().equals((Entity, Column::VideoId));
    let duration = Query::select().column(video::Column::Duration).from(video::Entity).and_where(video).take();
    let mut saves = select_saves(rules, max_days);
    saves
        .and_where(input(Column::LastWatchedAt).gte(input(Column::UpdatedAt)))
        .and_where(expiry_days(max_days).is_null())
        .and_where(has_storable_played_seconds());
    let mut insert = Query::insert();
    let insert = insert
        .into_table(Entity)
        .columns(columns)
        .select_from(Query::select().exprs(values).from_subquery(saves, SAVES).take())
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

/// The saves that may be written, under the names of the columns that they go into. All statements
/// lock rows in one order, so that two of them cannot deadlock; the order also keeps PostgreSQL
/// from computing each value anew wherever it is used.
pub(super) fn select_saves(rules: &ProgressRules, max_days: Option<i32>) -> SelectStatement {
    let mut select = select_from_input::<_, SaveCommand>(Postgres);
    for column in Column::iter() {
        if let Some(value) = value_of_save(column, rules) {
            select.expr_as(value, column.as_str());
        }
    }
    select
        .expr_as(super::cutoff(max_days, input(Column::UpdatedAt)), EXPIRED_BEFORE)
        .column((video::Entity, video::Column::Duration))
        .and_where(is_allowed())
        .and_where(user::Column::HistoryMode.ne(HistoryMode::Off))
        .order_by((INPUT, Column::UserId), Order::Asc)
        .order_by((INPUT, Column::VideoId), Order::Asc);
    select
}

/// The value for a column that comes from the save, its user and its video.
fn value_of_save(column: Column, rules: &ProgressRules) -> Option<Expr> {
    Some(match column {
        Column::Id
        | Column::UserId
        | Column::VideoId
        | Column::WatchDuration
        | Column::PlayerSession
        | Column::Sequence
        | Column::Device
        | Column::LastWatchedAt
        | Column::WatchedHour
        | Column::UpdatedAt => input(column),
        Column::WatchPosition => position_within_video(),
        Column::Completed => completed(input(Column::WatchPosition), video::Column::Duration.into_expr(), rules),
        Column::PlayIsKept => user::Column::HistoryMode.eq(HistoryMode::On),
        Column::PlayHasSession => input(Column::PlayerSession).is_not_null(),
        Column::PlayWatchedMs => Expr::col((INPUT, PLAYED_SECONDS)).if_null(0).mul(1000),
        Column::PlayCount
        | Column::CompletedAt
        | Column::CountedSessions
        | Column::Hidden
        | Column::HiddenUntil
        | Column::PreviousPosition
        | Column::PreviousDevice
        | Column::PreviousAt
        | Column::PlayNumber
        | Column::PlayStartedAt
        | Column::PlayStartPosition
        | Column::PlayCompleted
        | Column::CreatedAt
        | Column::Revision => return None,
    })
}

/// The value of a column in a new entry; `None` for its default.
fn inserted_value(column: Column) -> Option<Expr> {
    let of = |column: Column| Expr::col((SAVES, column));
    let if_completed = |value: Expr| CaseStatement::new().case(of(Column::Completed), value);
    Some(match column {
        Column::Hidden
        | Column::HiddenUntil
        | Column::PreviousPosition
        | Column::PreviousDevice
        | Column::PreviousAt
        | Column::Revision => return None,
        Column::PlayStartPosition => of(Column::WatchPosition),
        Column::PlayCompleted => of(Column::Completed),
        Column::PlayCount => if_completed(1.into()).finally(0).into(),
        Column::CompletedAt => if_completed(of(Column::LastWatchedAt)).into(),
        // NULL without a session.
        Column::CountedSessions => if_completed(concat(of(Column::PlayerSession), " ")).into(),
        Column::PlayNumber => CaseStatement::new().case(of(Column::PlayIsKept), 1).finally(0).into(),
        Column::PlayStartedAt => of(Column::LastWatchedAt),
        Column::CreatedAt => of(Column::UpdatedAt),
        Column::Id
        | Column::UserId
        | Column::VideoId
        | Column::WatchPosition
        | Column::WatchDuration
        | Column::Completed
        | Column::PlayerSession
        | Column::Sequence
        | Column::Device
        | Column::LastWatchedAt
        | Column::WatchedHour
        | Column::PlayIsKept
        | Column::PlayHasSession
        | Column::PlayWatchedMs
        | Column::UpdatedAt => of(column),
    })
}

/// Whether the statement can store the seconds played. The row hands them to the update, with 0 for
/// no report. So a save that reports 0 may only insert, and a save that reports more than a new
/// play may begin with may only update.
fn has_storable_played_seconds() -> Expr {
    let played = || Expr::col((INPUT, PLAYED_SECONDS));
    let is_usual = played().is_null().or(played().between(1, WATCHED_SLACK.num_seconds()));
    let entry = Query::select().expr(Expr::val(1)).from(Entity).and_where(is_entry_of_input()).take();
    CaseStatement::new().case(is_usual, true).finally(played().gt(0).eq(Expr::exists(entry))).into()
}

pub(super) const PLAYED_SECONDS: &str = "played_seconds";

/// The position of the save, or the duration of the video if that is less.
fn position_within_video() -> Expr {
    let (position, duration) = (input(Column::WatchPosition), video::Column::Duration.into_expr());
    let is_beyond = duration.clone().gt(0).and(duration.clone().lt(position.clone()));
    CaseStatement::new().case(is_beyond, duration).finally(position).into()
}
