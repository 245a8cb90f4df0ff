//! Lists of plays: of a viewer, or of one of the viewer's videos, the newest first.
//!
//! One statement reads the ended plays and the running ones, so that a play that ends or goes on
//! meanwhile is neither missed nor listed twice.

use super::{Play, PlayId, watched_seconds};
use crate::caller::Caller;
use crate::page::{Cursor, Page};
use crate::retention::find_cutoff;
use crate::video::{self as videos, visible_to};
use crate::watch_history::rules::hour_of;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::{play, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{
    Asterisk, CommonTableExpression, Expr, ExprTrait, Order, Query, SelectStatement, UnionType, WithClause, WithQuery,
};
use sea_orm::{Condition, DatabaseBackend, FromQueryResult};
use std::cmp::Reverse;

/// Which page of the list of plays to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlayQuery {
    /// The most plays to return.
    pub limit: u64,
    /// The place to continue from.
    pub cursor: Option<Cursor>,
    /// Only plays of this video.
    pub video_id: Option<i64>,
    /// Only plays that began at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only plays that began before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Lists the caller's plays, the running ones too, the newest first. `max_days` is the setting
/// `HISTORY_MAX_DAYS`.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone.
pub async fn list(
    db: &Database,
    caller: Caller,
    query: PlayQuery,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Page<Play>, Error> {
    let cutoff = find_cutoff(db.reader(), caller.id, max_days, now).await?;
    let statement = select(db.backend(), caller, query, cutoff);
    let mut rows = PlayRow::find_by_statement(db.backend().build(&statement)).all(db.reader()).await?;
    rows.sort_by_key(|row| Reverse((row.started_at, row.id())));
    Ok(Page::new(rows, query.limit, PlayRow::cursor).map(Into::into))
}

/// [`list`] of one video.
///
/// # Errors
/// Those of [`list`]; [`Error::VideoNotFound`], also when the caller may not see it.
pub async fn list_of_video(
    db: &Database,
    caller: Caller,
    video_id: i64,
    query: PlayQuery,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Page<Play>, Error> {
    videos::exists(db.reader(), Some(caller), video_id).await?;
    list(db, caller, PlayQuery { video_id: Some(video_id), ..query }, max_days, now).await
}

/// A play with its video.
#[derive(FromQueryResult)]
struct PlayRow {
    entry_id: i64,
    number: i32,
    video_id: i64,
    video_title: String,
    device: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    start_position: i32,
    end_position: i32,
    watched_ms: i64,
    completed: bool,
}

impl PlayRow {
    fn id(&self) -> i64 {
        PlayId { entry_id: self.entry_id, number: self.number }.encode()
    }

    fn cursor(&self) -> Cursor {
        Cursor { time: self.started_at, id: self.id() }
    }
}

impl From<PlayRow> for Play {
    fn from(row: PlayRow) -> Self {
        Self {
            id: row.id(),
            video_id: row.video_id,
            video_title: row.video_title,
            device: row.device,
            started_at: row.started_at.into(),
            ended_at: row.ended_at.into(),
            start_position: row.start_position,
            end_position: row.end_position,
            watched_seconds: watched_seconds(row.watched_ms),
            completed: row.completed,
        }
    }
}

/// The expressions of a [`PlayRow`]: a running play is in its entry, an ended one in `plays`.
struct PlayColumns {
    number: Expr,
    device: Expr,
    started_at: Expr,
    ended_at: Expr,
    start_position: Expr,
    end_position: Expr,
    watched_ms: Expr,
    completed: Expr,
}

impl PlayColumns {
    /// Those of a play that has ended.
    fn ended() -> Self {
        use play::Column;
        Self {
            number: Column::Number.into_expr(),
            device: Column::Device.into_expr(),
            started_at: Column::StartedAt.into_expr(),
            ended_at: Column::EndedAt.into_expr(),
            start_position: Column::StartPosition.into_expr(),
            end_position: Column::EndPosition.into_expr(),
            watched_ms: Column::WatchedMs.into_expr(),
            completed: Column::Completed.into_expr(),
        }
    }

    /// Those of the running play of an entry.
    fn running() -> Self {
        use watch_history::Column;
        Self {
            number: Column::PlayNumber.into_expr(),
            device: Column::Device.into_expr(),
            started_at: Column::PlayStartedAt.into_expr(),
            ended_at: Column::LastWatchedAt.into_expr(),
            start_position: Column::PlayStartPosition.into_expr(),
            end_position: Column::WatchPosition.into_expr(),
            watched_ms: Column::PlayWatchedMs.into_expr(),
            completed: Column::PlayCompleted.into_expr(),
        }
    }

    /// Selects the first plays of the page. The caller adds the table.
    fn select(self, caller: Caller, query: PlayQuery, cutoff: Option<DateTime<Utc>>) -> SelectStatement {
        let entry_id = watch_history::Column::Id.into_expr();
        let id = entry_id.clone().mul(i64::from(PlayId::MAX_NUMBER) + 1).add(self.number.clone());
        let place = query.cursor.map(|cursor| cursor.older(self.started_at.clone(), id.clone()));
        let range = Condition::all()
            .add_option(query.since.map(|since| self.started_at.clone().gte(since)))
            .add_option(query.until.map(|until| self.started_at.clone().lt(until)))
            .add_option(cutoff.map(|cutoff| self.ended_at.clone().gte(cutoff)))
            .add_option(place);
        let is_video = video::Column::Id.into_expr().equals(watch_history::Column::VideoId.as_column_ref());
        Query::select()
            .expr_as(entry_id, "entry_id")
            .expr_as(self.number, "number")
            .expr_as(video::Column::Id.into_expr(), "video_id")
            .expr_as(video::Column::Title.into_expr(), "video_title")
            .expr_as(self.device, "device")
            .expr_as(self.started_at.clone(), "started_at")
            .expr_as(self.ended_at, "ended_at")
            .expr_as(self.start_position, "start_position")
            .expr_as(self.end_position, "end_position")
            .expr_as(self.watched_ms, "watched_ms")
            .expr_as(self.completed, "completed")
            .from(watch_history::Entity)
            .inner_join(video::Entity, is_video)
            .cond_where(visible_to(Some(caller)))
            .cond_where(range)
            .order_by_expr(self.started_at, Order::Desc)
            .order_by_expr(id, Order::Desc)
            .limit(query.limit + 1)
            .take()
    }
}

/// The name of the ended plays of the page.
const ENDED: &str = "ended";

fn select(backend: DatabaseBackend, caller: Caller, query: PlayQuery, cutoff: Option<DateTime<Utc>>) -> WithQuery {
    use watch_history::Column;
    let is_own = |column: Column| column.into_expr().eq(caller.id);
    let is_of_entry = play::Column::EntryId.into_expr().equals(Column::Id.as_column_ref());
    let mut ended = PlayColumns::ended().select(caller, query, cutoff).inner_join(play::Entity, is_of_entry).take();
    let mut running = PlayColumns::running().select(caller, query, cutoff);
    running.and_where(is_own(Column::UserId)).and_where(Column::PlayIsKept.eq(true));
    let mut with = WithClause::new();
    match query.video_id {
        // A condition on the viewer of the play would make the planner read the index of all their
        // plays.
        Some(video_id) => {
            let is_video = Column::VideoId.eq(video_id);
            ended.and_where(is_own(Column::UserId)).and_where(is_video.clone());
            running.and_where(is_video);
            with.cte(named(ENDED, ended));
        }
        None => {
            with.cte(named(ENDED, ended.and_where(play::Column::UserId.eq(caller.id)).take()));
            for (name, is_completed) in NEWEST {
                with.cte(named(name, newest(&running, query, is_completed)));
            }
            let oldest = Ord::max(query.since, cutoff).map(hour_of).unwrap_or_default();
            running
                .and_where(Column::Completed.is_in([false, true]))
                .and_where(Column::WatchedHour.into_expr().gte(oldest_hour(backend, query.limit + 1, oldest)));
        }
    }
    let mut all = Query::select().column(Asterisk).from(ENDED).take();
    let running = Query::select().column(Asterisk).from_subquery(running, "running").take();
    all.union(UnionType::All, running).to_owned().with(with)
}

fn named(name: &'static str, query: SelectStatement) -> CommonTableExpression {
    CommonTableExpression::new().table_name(name).query(query).to_owned()
}

/// The names of the running plays that were saved last, of open and of completed entries, which the
/// index keeps apart.
const NEWEST: [(&str, bool); 2] = [("newest_open", false), ("newest_completed", true)];

/// The running plays of these entries that were saved last, none later than the start of the page.
fn newest(running: &SelectStatement, query: PlayQuery, is_completed: bool) -> SelectStatement {
    use watch_history::Column;
    let place = query.cursor.map(|cursor| cursor.time).into_iter().chain(query.until).min();
    running
        .clone()
        .clear_order_by()
        .and_where(Column::Completed.eq(is_completed))
        .and_where_option(place.map(|place| Column::WatchedHour.lte(hour_of(place))))
        .order_by(Column::WatchedHour.as_column_ref(), Order::Desc)
        .take()
}

/// The earliest hour in which a running play of the page can have been saved last, not before
/// `oldest`.
///
/// If a full page of plays began at some time or later, no play that began earlier is on the page.
/// A play that was saved last before that time also began before it. So the index on the hour can
/// skip the rest of a long history.
fn oldest_hour(backend: DatabaseBackend, full: u64, oldest: i32) -> Expr {
    let hour = match backend {
        DatabaseBackend::Postgres => "CAST(floor(extract(epoch FROM min(started_at)) / 3600) AS integer)",
        _ => "unixepoch(min(started_at)) / 3600",
    };
    let bound = |plays: &'static str| {
        let hour = format!("CASE WHEN count(*) >= {full} THEN {hour} ELSE {oldest} END");
        Query::select().expr_as(Expr::cust(hour), "hour").from(plays).take()
    };
    let mut bounds = bound(ENDED);
    for (name, _) in NEWEST {
        bounds.union(UnionType::All, bound(name));
    }
    let latest = Query::select().expr(Expr::col("hour").max()).from_subquery(bounds, "bounds").take();
    Expr::SubQuery(None, Box::new(latest.into()))
}
