//! The statements that read.

use super::{INPUT, is_entry_of_input, is_visible, render, select_from_input};
use crate::storage::select_input;
use crate::video::VideoSummary;
use crate::watch_history::entry::EntryRow;
use crate::watch_history::key::EntryKey;
use crate::watch_history::list::{ListRequest, ListRows};
use entity::{user, video, watch_history, watch_history::Column};
use sea_orm::DatabaseBackend::{self, Postgres};
use sea_orm::prelude::*;
use sea_orm::sea_query::{ExprTrait, JoinType, Order, Query, SelectStatement};

/// Selects what [`Lookup`](crate::watch_history::lookup::Lookup) reads.
pub(super) fn find(backend: DatabaseBackend) -> String {
    let mut select = select_from_input::<_, EntryKey>(backend);
    select
        .column((INPUT, "n"))
        .expr(user::Column::IsActive.into_expr().if_null(false))
        .expr(is_visible().if_null(false))
        .column((user::Entity, user::Column::RetentionDays))
        .exprs(EntryRow::selected(video::Column::Duration.into_expr()))
        .left_join(watch_history::Entity, is_entry_of_input());
    render(backend, &select)
}

/// Selects what [`ListRows`] reads: the entries, without their videos, which are remembered
/// ([`SummaryCache`](crate::video::SummaryCache)).
pub(super) fn list(backend: DatabaseBackend) -> String {
    let entries = entries_by_time(backend);
    let mut select = Query::select();
    select
        .column((INPUT, "n"))
        .exprs(ListRows::selected())
        .from_subquery(select_input::<_, ListRequest>(backend), INPUT)
        .left_join(user::Entity, user::Column::Id.into_expr().equals((INPUT, "user_id")));
    match backend {
        Postgres => select.join_lateral(JoinType::LeftJoin, entries, watch_history::Entity, Expr::val(true)),
        _ => select.join_subquery(JoinType::LeftJoin, entries, watch_history::Entity, Expr::val(true)),
    };
    render(backend, &select)
}

/// Selects what [`VideoSummary`] reads.
pub(super) fn summaries(backend: DatabaseBackend) -> String {
    render(backend, &VideoSummary::select(backend))
}

/// The entries of the input's user that are started, not completed and not hidden, the last watched
/// first.
///
/// They are read in the order of the index on the hour; those of the last hours are sorted by time.
fn entries_by_time(backend: DatabaseBackend) -> SelectStatement {
    // SQLite has no LATERAL, so its subquery uses the parameters directly.
    let [user_id, limit, now] =
        if backend == Postgres { ["input.user_id", "input.\"limit\"", "input.now"] } else { ["?1", "?2", "?3"] };
    let columns = [
        Column::Id,
        Column::VideoId,
        Column::WatchPosition,
        Column::Device,
        Column::PlayCount,
        Column::LastWatchedAt,
        Column::PreviousPosition,
        Column::PreviousDevice,
        Column::PreviousAt,
    ];
    let is_shown_again = Column::HiddenUntil.into_expr().lte(Expr::cust(now));
    let mut select = Query::select();
    select
        .columns(columns)
        .from(watch_history::Entity)
        .and_where(Column::UserId.into_expr().eq(Expr::cust(user_id)))
        .and_where(Column::Completed.eq(false))
        .and_where(Column::WatchPosition.gt(0))
        .and_where(Column::Hidden.into_expr().not().or(is_shown_again))
        .order_by(Column::WatchedHour, Order::Desc)
        .order_by(Column::LastWatchedAt, Order::Desc)
        .order_by(Column::Id, Order::Desc);
    let sql = render(backend, &select);
    // sea-query takes only a number as the limit.
    Query::select().expr(Expr::cust(format!("{} LIMIT {limit}", sql.trim_start_matches("SELECT ")))).take()
}
