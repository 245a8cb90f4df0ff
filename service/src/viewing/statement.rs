//! The statement of the statistics: it reads the plays of the range once, and adds them up.

use super::range::ViewingRange;
use crate::caller::Caller;
use crate::video::visible_to;
use chrono::{DateTime, Utc};
use entity::{play, user, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{
    CaseStatement, CommonTableExpression, ExprTrait, Func, JoinType, Order, Query, SelectStatement, UnionType,
    WithClause, WithQuery,
};
use sea_orm::{Condition, DatabaseBackend, FromQueryResult};

/// The most videos, and the most uploaders, of a ranking.
const TOP: u64 = 10;
/// The most devices. Nobody has more, but a client can make up names.
const MAX_DEVICES: u64 = 100;

/// The plays of the range, each with its entry, device, hour, seconds, and 1 if it completed.
const PLAYED: &str = "played";
/// The local hours in which these plays began, with their sums.
const BY_HOUR: &str = "by_hour";
/// The entries that these plays belong to, with their sums.
const BY_ENTRY: &str = "by_entry";
/// The videos of these entries that the caller may see, with title and uploader.
const BY_VIDEO: &str = "by_video";

/// What a row of the result is a sum of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub(super) enum SumKind {
    /// Of the day in `id`, counted from the first day of the range, which is 0.
    Day = 1,
    /// Of the device in `name`.
    Device = 2,
    /// Of everything: `plays` is the number of entries, `completed` that of completed ones.
    Entries = 3,
    /// Of the video with this `id` and title.
    Video = 4,
    /// Of the uploader with this `id` and user name.
    Uploader = 5,
    /// Of the hour of the day in `id`.
    Hour = 6,
}

/// A row of the result.
#[derive(Debug, FromQueryResult)]
pub(super) struct SumRow {
    pub(super) kind: SumKind,
    pub(super) id: i64,
    pub(super) name: Option<String>,
    pub(super) seconds: i64,
    pub(super) plays: i64,
    pub(super) completed: i64,
}

/// The statement that adds up the plays of the caller. Plays that ended before `kept_since` have
/// expired.
pub(super) fn sums(
    backend: DatabaseBackend,
    caller: Caller,
    range: &ViewingRange,
    kept_since: Option<DateTime<Utc>>,
) -> WithQuery {
    let (first, _) = range.hours();
    let since_first = || Expr::col("hour").sub(first);
    let mut rows = sums_of_hours(SumKind::Day, since_first().div(24_i64));
    rows.union(UnionType::All, sums_of_hours(SumKind::Hour, since_first().modulo(24_i64)));
    rows.union(UnionType::All, top(sums_by_device(), MAX_DEVICES));
    rows.union(UnionType::All, sums_of_entries());
    rows.union(UnionType::All, top(sums_by_video(), TOP));
    rows.union(UnionType::All, top(sums_by_uploader(), TOP));
    let mut played = plays_of(backend, caller.id, range, &ended(), kept_since);
    played.union(UnionType::All, plays_of(backend, caller.id, range, &running(), kept_since));
    let mut with = WithClause::new();
    for (name, query) in [(PLAYED, played), (BY_HOUR, by_hour()), (BY_ENTRY, by_entry()), (BY_VIDEO, by_video(caller))]
    {
        with.cte(CommonTableExpression::new().table_name(name).query(query).materialized(true).to_owned());
    }
    rows.with(with)
}

/// The columns that tell of a play.
struct ViewingColumns {
    table: SelectStatement,
    entry_id: Expr,
    user_id: Expr,
    device: Expr,
    started_at: Expr,
    ended_at: Expr,
    watched_ms: Expr,
    completed: Expr,
}

/// The plays that have ended.
fn ended() -> ViewingColumns {
    ViewingColumns {
        table: Query::select().from(play::Entity).take(),
        entry_id: play::Column::EntryId.into_expr(),
        user_id: play::Column::UserId.into_expr(),
        device: play::Column::Device.into_expr(),
        started_at: play::Column::StartedAt.into_expr(),
        ended_at: play::Column::EndedAt.into_expr(),
        watched_ms: play::Column::WatchedMs.into_expr(),
        completed: play::Column::Completed.into_expr(),
    }
}

/// The running plays, which are in their entries.
fn running() -> ViewingColumns {
    use watch_history::{Column, Entity};
    ViewingColumns {
        table: Query::select().from(Entity).and_where(Column::PlayIsKept.eq(true)).take(),
        entry_id: Column::Id.into_expr(),
        user_id: Column::UserId.into_expr(),
        device: Column::Device.into_expr(),
        started_at: Column::PlayStartedAt.into_expr(),
        ended_at: Column::LastWatchedAt.into_expr(),
        watched_ms: Column::PlayWatchedMs.into_expr(),
        completed: Column::PlayCompleted.into_expr(),
    }
}

fn plays_of(
    backend: DatabaseBackend,
    user_id: i64,
    range: &ViewingRange,
    columns: &ViewingColumns,
    kept_since: Option<DateTime<Utc>>,
) -> SelectStatement {
    let hour = local_hour(backend, &columns.started_at, range);
    let started_at = || columns.started_at.clone();
    let times = range.times().into_iter().map(|(start, end)| started_at().gte(start).and(started_at().lt(end)));
    let is_in_range = times.fold(Condition::any(), Condition::add);
    let mut plays = columns.table.clone();
    plays
        .expr_as(columns.entry_id.clone(), "entry_id")
        .expr_as(columns.device.clone(), "device")
        .expr_as(hour, "hour")
        // As `plays::watched_seconds`.
        .expr_as(columns.watched_ms.clone().div(1000_i64), "seconds")
        .expr_as(one_if(columns.completed.clone()), "completed")
        .and_where(columns.user_id.clone().eq(user_id))
        .cond_where(is_in_range);
    if let Some(kept_since) = kept_since {
        plays.and_where(columns.ended_at.clone().gte(kept_since));
    }
    plays
}

/// The [`super::zone::LocalHour`] of a time.
fn local_hour(backend: DatabaseBackend, time: &Expr, range: &ViewingRange) -> Expr {
    let seconds: Expr = match backend {
        DatabaseBackend::Postgres => {
            let epoch = Func::cust("date_part").arg("epoch").arg(time.clone());
            Func::cust("floor").arg(epoch).cast_as("bigint")
        }
        _ => Func::cust("unixepoch").arg(time.clone()).into(),
    };
    let mut periods = range.offsets();
    let Some(last) = periods.pop() else { return seconds };
    let offset = if periods.is_empty() {
        Expr::val(last.seconds)
    } else {
        let case = periods
            .iter()
            .fold(CaseStatement::new(), |case, period| case.case(time.clone().lt(period.until), period.seconds));
        case.finally(last.seconds).into()
    };
    seconds.add(offset).div(3600_i64)
}

fn one_if(condition: Expr) -> Expr {
    CaseStatement::new().case(condition, 1_i64).finally(0_i64).into()
}

/// `sum` as a number of 64 bits: that of PostgreSQL has any length.
fn sum(column: &'static str) -> Expr {
    Func::sum(Expr::col(column)).cast_as("bigint")
}

fn count_rows() -> Expr {
    Func::count(Expr::val(1)).into()
}

fn by_hour() -> SelectStatement {
    Query::select()
        .column("hour")
        .expr_as(sum("seconds"), "seconds")
        .expr_as(count_rows(), "plays")
        .expr_as(sum("completed"), "completed")
        .from(PLAYED)
        .group_by_col("hour")
        .take()
}

fn by_entry() -> SelectStatement {
    Query::select()
        .column("entry_id")
        .expr_as(sum("seconds"), "seconds")
        .expr_as(count_rows(), "plays")
        .expr_as(Func::max(Expr::col("completed")), "completed")
        .from(PLAYED)
        .group_by_col("entry_id")
        .take()
}

fn by_video(caller: Caller) -> SelectStatement {
    let entry = watch_history::Column::Id.into_expr().equals((BY_ENTRY, "entry_id"));
    let video = video::Column::Id.into_expr().equals((watch_history::Entity, watch_history::Column::VideoId));
    Query::select()
        .expr_as(video::Column::Id.into_expr(), "video_id")
        .expr_as(video::Column::Title.into_expr(), "title")
        .expr_as(video::Column::UserId.into_expr(), "uploader_id")
        .columns([(BY_ENTRY, "seconds"), (BY_ENTRY, "plays")])
        .from(BY_ENTRY)
        .join(JoinType::InnerJoin, watch_history::Entity, entry)
        .join(JoinType::InnerJoin, video::Entity, video)
        .cond_where(visible_to(Some(caller)))
        .take()
}

/// A select of the columns of a [`SumRow`].
fn sum_row(kind: SumKind, id: Expr, name: Expr, [seconds, plays, completed]: [Expr; 3]) -> SelectStatement {
    Query::select()
        .expr_as(Expr::val(kind.to_value()), "kind")
        .expr_as(id, "id")
        .expr_as(name, "name")
        .expr_as(seconds, "seconds")
        .expr_as(plays, "plays")
        .expr_as(completed, "completed")
        .take()
}

fn no_name() -> Expr {
    Expr::val(None::<String>)
}

fn zero() -> Expr {
    Expr::val(0_i64)
}

/// The sums of hours that are the same by `number`.
fn sums_of_hours(kind: SumKind, number: Expr) -> SelectStatement {
    let sums = [sum("seconds"), sum("plays"), sum("completed")];
    let hours =
        Query::select().expr_as(number, "number").columns(["seconds", "plays", "completed"]).from(BY_HOUR).take();
    sum_row(kind, Expr::col("number"), no_name(), sums).from_subquery(hours, "hours").group_by_col("number").take()
}

fn sums_by_device() -> SelectStatement {
    let sums = [sum("seconds"), zero(), zero()];
    sum_row(SumKind::Device, zero(), Expr::col("device"), sums).from(PLAYED).group_by_col("device").take()
}

fn sums_of_entries() -> SelectStatement {
    let completed = sum("completed").if_null(0_i64);
    sum_row(SumKind::Entries, zero(), no_name(), [zero(), count_rows(), completed]).from(BY_ENTRY).take()
}

fn sums_by_video() -> SelectStatement {
    let sums = [Expr::col("seconds"), Expr::col("plays"), zero()];
    sum_row(SumKind::Video, Expr::col("video_id"), Expr::col("title"), sums).from(BY_VIDEO).take()
}

fn sums_by_uploader() -> SelectStatement {
    let uploader = user::Column::Id.into_expr().equals((BY_VIDEO, "uploader_id"));
    let username = user::Column::Username.into_expr();
    let sums = [sum("seconds"), sum("plays"), zero()];
    sum_row(SumKind::Uploader, user::Column::Id.into_expr(), username.clone(), sums)
        .from(BY_VIDEO)
        .join(JoinType::InnerJoin, user::Entity, uploader)
        .add_group_by([user::Column::Id.into_expr(), username])
        .take()
}

/// The rows with the most seconds. They are a subquery, because a part of a UNION cannot have an
/// order on SQLite.
fn top(mut rows: SelectStatement, limit: u64) -> SelectStatement {
    rows.order_by("seconds", Order::Desc).order_by("plays", Order::Desc).order_by("id", Order::Asc);
    rows.order_by("name", Order::Asc).limit(limit);
    let columns = ["kind", "id", "name", "seconds", "plays", "completed"];
    Query::select().columns(columns).from_subquery(rows, "ranked").take()
}
