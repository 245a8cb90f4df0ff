//! The statements that read what a save finds.

use super::{INPUT, is_entry_of_input, is_visible, render, select_from_input};
use crate::watch_history::key::EntryKey;
use crate::watch_history::stored_state::StateRequest;
use entity::{forgotten_entry, play, user, video, watch_history, watch_history::Column};
use sea_orm::DatabaseBackend::{self, Postgres, Sqlite};
use sea_orm::Iterable;
use sea_orm::prelude::*;
use sea_orm::sea_query::{BinOper, ExprTrait, JoinType, LockType, Order, Query, SelectStatement};

/// How many of the newest plays of an entry are searched for the play of a session.
const NEWEST_PLAYS: u64 = 1000;
/// The alias of the ended play.
const ENDED_PLAY: &str = "ended_play";

/// Selects what [`read_state`](crate::watch_history::stored_state::read_state) reads. On PostgreSQL
/// that includes the deletion and the plays, for which SQLite has statements of their own: few
/// saves need them.
pub(super) fn state(backend: DatabaseBackend) -> String {
    let mut select = select_from_input::<_, StateRequest>(backend);
    select
        .column((INPUT, "n"))
        .expr(user::Column::IsActive.into_expr().if_null(false))
        .expr(is_visible().if_null(false))
        .columns(
            [user::Column::HistoryMode, user::Column::RetentionDays, user::Column::HistoryClearedBefore]
                .map(|column| (user::Entity, column)),
        )
        .column((video::Entity, video::Column::Duration))
        .left_join(watch_history::Entity, is_entry_of_input());
    if backend != Postgres {
        select.exprs(Column::iter().map(ColumnTrait::into_expr));
        return render(backend, &select);
    }
    let entry_id = || Column::Id.into_expr();
    let ended_play = ended_play(entry_id(), Expr::col((INPUT, "player_session")), "IS NOT DISTINCT FROM");
    select
        .column((forgotten_entry::Entity, forgotten_entry::Column::ForgottenAt))
        .expr(row_version())
        .exprs(Column::iter().map(ColumnTrait::into_expr))
        .expr(last_number(entry_id()))
        .columns(play::Column::iter().map(|column| (ENDED_PLAY, column)))
        .left_join(forgotten_entry::Entity, is_tombstone_of_input())
        .join_lateral(JoinType::LeftJoin, ended_play, ENDED_PLAY, Expr::val(true));
    render(backend, &select)
}

/// The transaction that wrote the entry as it is; PostgreSQL keeps it in each row.
pub(super) fn row_version() -> Expr {
    Expr::col((watch_history::Entity, "xmin")).cast_as("text").cast_as("bigint")
}

/// Whether a deletion is that of the entry of the input row.
pub(super) fn is_tombstone_of_input() -> Expr {
    let is_user = forgotten_entry::Column::UserId.into_expr().equals((INPUT, Column::UserId));
    is_user.and(forgotten_entry::Column::VideoId.into_expr().equals((INPUT, Column::VideoId)))
}

/// Selects the time of the deletion of an entry.
pub(super) fn tombstone() -> String {
    let mut select = Query::select();
    select
        .column(forgotten_entry::Column::ForgottenAt)
        .from(forgotten_entry::Entity)
        .and_where(forgotten_entry::Column::UserId.into_expr().eq(Expr::cust("?1")))
        .and_where(forgotten_entry::Column::VideoId.into_expr().eq(Expr::cust("?2")));
    render(Sqlite, &select)
}

/// Selects the greatest number of the ended plays of an entry, and the last one of a session.
pub(super) fn ended_plays() -> String {
    let (entry_id, session) = (|| Expr::cust("?1"), Expr::cust("?2"));
    let mut select = Query::select();
    select
        .expr(last_number(entry_id()))
        .columns(play::Column::iter().map(|column| (ENDED_PLAY, column)))
        .from_subquery(Query::select().expr_as(Expr::val(1), "n").take(), INPUT)
        .join_subquery(JoinType::LeftJoin, ended_play(entry_id(), session, "IS"), ENDED_PLAY, Expr::val(true));
    render(Sqlite, &select)
}

fn last_number(entry_id: Expr) -> Expr {
    let numbers = Query::select().expr(play::Column::Number.max()).from(play::Entity).take();
    numbers.clone().and_where(play::Column::EntryId.into_expr().eq(entry_id)).take().into()
}

/// The last ended play of an entry with this session; `is` compares NULL as a value.
fn ended_play(entry_id: Expr, session: Expr, is: &'static str) -> SelectStatement {
    const NEWEST: &str = "newest";
    let newest = Query::select()
        .columns(play::Column::iter())
        .from(play::Entity)
        .and_where(play::Column::EntryId.into_expr().eq(entry_id))
        .order_by(play::Column::Number, Order::Desc)
        .limit(NEWEST_PLAYS)
        .take();
    Query::select()
        .columns(play::Column::iter())
        .from_subquery(newest, NEWEST)
        .and_where(Expr::col((NEWEST, play::Column::PlayerSession)).binary(BinOper::Custom(is), session))
        .order_by((NEWEST, play::Column::Number), Order::Desc)
        .limit(1)
        .take()
}

/// Locks the accounts of the input in the order of their ids.
pub(super) fn lock_accounts() -> String {
    let input = crate::storage::select_input::<_, EntryKey>(Postgres);
    let user_ids = Query::select().column(Column::UserId).from_subquery(input, INPUT).take();
    let mut select = Query::select();
    select
        .expr(Expr::val(1))
        .from(user::Entity)
        .and_where(user::Column::Id.in_subquery(user_ids))
        .order_by(user::Column::Id, Order::Asc)
        .lock_with_tables(LockType::NoKeyUpdate, [user::Entity]);
    render(Postgres, &select)
}

/// Locks the entries of the input, in the order in which all statements lock them.
pub(super) fn lock_entries() -> String {
    let mut select = Query::select();
    select
        .expr(Expr::val(1))
        .from_subquery(crate::storage::select_input::<_, EntryKey>(Postgres), INPUT)
        .inner_join(watch_history::Entity, is_entry_of_input())
        .order_by((INPUT, Column::UserId), Order::Asc)
        .order_by((INPUT, Column::VideoId), Order::Asc)
        .lock_with_tables(LockType::NoKeyUpdate, [watch_history::Entity]);
    render(Postgres, &select)
}
