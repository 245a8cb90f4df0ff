//! The statement that reads a page of the history.

use super::{HistoryQuery, HistoryState};
use crate::caller::Caller;
use crate::search::{self, VideoMatch};
use crate::video::visible_to;
use crate::watch_history::rules::hour_of;
use chrono::{DateTime, Utc};
use entity::{user, video, watch_history, watch_history::Column};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType};
use sea_orm::{Condition, DatabaseBackend, FromQueryResult, Iden, Iterable, QueryResult};

/// The prefix of the entry's columns in the result, because the video has columns of the same
/// names.
const ENTRY: &str = "entry_";
const VIDEO: &str = "video_";
/// The alias of `users` for the uploader of the video.
const UPLOADER: &str = "uploader";

/// An entry, its video and the uploader.
pub(super) struct HistoryRow {
    pub(super) entry: watch_history::Model,
    pub(super) video: video::Model,
    pub(super) uploader_username: String,
    pub(super) uploader_role: user::Role,
}

impl FromQueryResult for HistoryRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        Ok(Self {
            entry: watch_history::Model::from_query_result(row, ENTRY)?,
            video: video::Model::from_query_result(row, VIDEO)?,
            uploader_username: row.try_get(UPLOADER, "_username")?,
            uploader_role: row.try_get(UPLOADER, "_role")?,
        })
    }
}

/// Selects the [`HistoryRow`]s of a page, and one more, which tells that there is a next page.
///
/// The index keeps the open entries of a viewer apart from the completed ones. A list of all
/// entries reads the first of both parts, so it reads at most twice as many rows as wanted.
pub(super) fn select(
    backend: DatabaseBackend,
    caller: Caller,
    query: &HistoryQuery,
    found: Option<&VideoMatch>,
    cutoff: Option<DateTime<Utc>>,
) -> SelectStatement {
    let part = |condition: Condition| {
        let mut part = select_part(caller, query, cutoff);
        part.cond_where(condition);
        if let Some(found) = found {
            search::filter(backend, &mut part, found, Column::VideoId.as_column_ref().into());
        }
        part
    };
    let is_completed = |value: bool| Condition::all().add(Column::Completed.eq(value));
    match query.state {
        HistoryState::All => {
            let wrap = |part| Query::select().column(Asterisk).from_subquery(part, "part").take();
            let completed = wrap(part(is_completed(true)));
            wrap(part(is_completed(false))).union(UnionType::All, completed).take()
        }
        HistoryState::InProgress => part(is_completed(false).add(Column::WatchPosition.gt(0))),
        // SQLite uses the partial index only if the statement repeats its condition letter by
        // letter, and searches by its second column, `completed_at`.
        HistoryState::Completed => {
            part(Condition::all().add(Expr::cust("play_count > 0")).add(Column::CompletedAt.is_not_null()))
        }
    }
}

/// Selects the first entries of the page. The caller adds the condition on the state.
fn select_part(caller: Caller, query: &HistoryQuery, cutoff: Option<DateTime<Utc>>) -> SelectStatement {
    let is_video = video::Column::Id.into_expr().equals(Column::VideoId.as_column_ref());
    let is_uploader = Expr::col((UPLOADER, user::Column::Id)).equals(video::Column::UserId.as_column_ref());
    let mut part = Query::select();
    for column in Column::iter() {
        part.expr_as(column.into_expr(), format!("{ENTRY}{}", column.unquoted()));
    }
    for column in video::Column::iter() {
        part.expr_as(column.into_expr(), format!("{VIDEO}{}", column.unquoted()));
    }
    for column in [user::Column::Username, user::Column::Role] {
        part.expr_as(Expr::col((UPLOADER, column)), format!("{UPLOADER}_{}", column.unquoted()));
    }
    part.from(watch_history::Entity)
        .inner_join(video::Entity, is_video)
        .join_as(JoinType::InnerJoin, user::Entity, UPLOADER, is_uploader)
        .and_where(Column::UserId.eq(caller.id))
        .cond_where(visible_to(Some(caller)))
        .cond_where(place_of(query));
    if let Some(cutoff) = cutoff {
        part.and_where(Column::LastWatchedAt.gte(cutoff));
    }
    if matches!(time_column(query.state), Column::LastWatchedAt) {
        // The index has the hour, so only the entries of one hour are sorted.
        part.cond_where(hours_of(query, cutoff)).order_by(Column::WatchedHour.as_column_ref(), Order::Desc);
    }
    part.order_by(time_column(query.state).as_column_ref(), Order::Desc)
        .order_by(Column::Id.as_column_ref(), Order::Desc)
        .limit(query.limit + 1)
        .take()
}

/// The time that the entries are sorted by.
fn time_column(state: HistoryState) -> Column {
    match state {
        HistoryState::All | HistoryState::InProgress => Column::LastWatchedAt,
        HistoryState::Completed => Column::CompletedAt,
    }
}

/// The range of times, and only what comes after the last entry of the previous page.
fn place_of(query: &HistoryQuery) -> Condition {
    let time = time_column(query.state);
    Condition::all()
        .add_option(query.since.map(|since| time.gte(since)))
        .add_option(query.until.map(|until| time.lt(until)))
        .add_option(query.cursor.map(|cursor| cursor.older(time.into_expr(), Column::Id.into_expr())))
}

/// The range of [`place_of`] in hours, as the index has them.
fn hours_of(query: &HistoryQuery, cutoff: Option<DateTime<Utc>>) -> Condition {
    let oldest = Ord::max(query.since, cutoff);
    let newest = query.until.into_iter().chain(query.cursor.map(|cursor| cursor.time)).min();
    Condition::all()
        .add_option(oldest.map(|oldest| Column::WatchedHour.gte(hour_of(oldest))))
        .add_option(newest.map(|newest| Column::WatchedHour.lte(hour_of(newest))))
}
