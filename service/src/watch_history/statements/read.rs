//! The statements that read.

use super::{INPUT, is_entry_of_input, is_visible, render, select_from_input};
use crate::storage::select_input;
use crate::video::VideoSummary;
use crate::watch_history::entry::EntryRow;
use crate::watch_history::key::EntryKey;
use crate::watch_history::list::{ListEntry, ListRequest, ListRows};
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
    let select = if backend == Postgres { list_on_postgres() } else { list_on_sqlite() };
    render(backend, &select)
}

fn list_on_postgres() -> SelectStatement {
    Query::select()
        .column((INPUT, "n"))
        .exprs(ListRows::selected())
        .from_subquery(select_input::<_, ListRequest>(Postgres), INPUT)
        .left_join(user::Entity, user::Column::Id.into_expr().equals((INPUT, "user_id")))
        .join_lateral(JoinType::LeftJoin, entries_by_time(), watch_history::Entity, Expr::val(true))
        .take()
}

/// Takes the user and the time, and begins each row with the hour. The rows come in the order of
/// the index, hour by hour: their reader stops in time and sorts them, because a sort in SQLite
/// takes half as long as the whole statement.
fn list_on_sqlite() -> SelectStatement {
    let is_of_user = Column::UserId.into_expr().equals((user::Entity, user::Column::Id));
    let is_listed = is_listed(Expr::cust("?2")).into_iter().fold(is_of_user, ExprTrait::and);
    Query::select()
        .column((watch_history::Entity, Column::WatchedHour))
        .exprs(ListRows::selected())
        .from(user::Entity)
        .left_join(watch_history::Entity, is_listed)
        .and_where(user::Column::Id.into_expr().eq(Expr::cust("?1")))
        .order_by((watch_history::Entity, Column::WatchedHour), Order::Desc)
        .take()
}

/// Whether an entry is started, not completed and not hidden at the time `now`.
fn is_listed(now: Expr) -> [Expr; 3] {
    let is_shown_again = Column::HiddenUntil.into_expr().lte(now);
    [Column::Completed.eq(false), Column::WatchPosition.gt(0), Column::Hidden.into_expr().not().or(is_shown_again)]
}

/// Selects what [`VideoSummary`] reads.
pub(super) fn summaries(backend: DatabaseBackend) -> String {
    render(backend, &VideoSummary::select(backend))
}

/// The listed entries of the input's user on PostgreSQL, the last watched first.
///
/// The index has the hour, so they are read in its order, and only those of one hour are sorted.
fn entries_by_time() -> SelectStatement {
    let mut select = Query::select();
    select
        .exprs(ListEntry::selected())
        .from(watch_history::Entity)
        .and_where(Column::UserId.into_expr().equals((INPUT, "user_id")))
        .order_by(Column::WatchedHour, Order::Desc)
        .order_by(Column::LastWatchedAt, Order::Desc)
        .order_by(Column::Id, Order::Desc);
    for condition in is_listed(Expr::col((INPUT, "now"))) {
        select.and_where(condition);
    }
    let sql = render(Postgres, &select);
    // sea-query takes only a number as the limit.
    let limited = format!("{} LIMIT input.\"limit\"", sql.trim_start_matches("SELECT "));
    Query::select().expr(Expr::cust(limited)).take()
}
