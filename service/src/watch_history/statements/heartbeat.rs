//! The statement for heartbeats on PostgreSQL: saves that go on with the running play, as most do.
//! It costs two thirds of the statement for any save.

use super::save::{EXPIRED_BEFORE, PLAYED_SECONDS, select_saves};
use super::state::is_tombstone_of_input;
use super::update::{EXCLUDED, heartbeat_value, is_heartbeat, is_newer};
use super::{HEARTBEAT, INPUT, input, render};
use crate::progress::ProgressRules;
use crate::watch_history::entry::EntryRow;
use entity::watch_history::{Column, Entity};
use entity::{forgotten_entry, user, video};
use sea_orm::DatabaseBackend::Postgres;
use sea_orm::prelude::*;
use sea_orm::sea_query::{CaseStatement, ExprTrait, IntoIden, Query, TableRef};

/// Whether the player was at the position after the viewer deleted the entry last. A play may run
/// that began before: the process that deleted may be ahead by its clock. Saves without an age need
/// no look.
fn is_after_deletion() -> Expr {
    let is_late = input(Column::LastWatchedAt).lt(input(Column::UpdatedAt));
    // Not EXISTS: PostgreSQL might read the whole table for that.
    let deleted_at = Query::select()
        .column(forgotten_entry::Column::ForgottenAt)
        .from(forgotten_entry::Entity)
        .and_where(is_tombstone_of_input())
        .take();
    let is_after = Expr::from(deleted_at).lt(input(Column::LastWatchedAt)).if_null(true);
    CaseStatement::new().case(is_late, is_after).finally(true).into()
}

/// Updates the columns of a heartbeat where nothing else changes.
pub(super) fn heartbeat(rules: &ProgressRules, max_days: Option<i32>) -> String {
    // A reported 0 looks like no report in the row, so such a save is not written here.
    let played = Expr::col((INPUT, PLAYED_SECONDS));
    let cleared_before = user::Column::HistoryClearedBefore.into_expr();
    let is_after_clearing = cleared_before.clone().lte(input(Column::LastWatchedAt));
    let mut saves = select_saves(rules, max_days);
    saves
        .and_where(played.clone().is_null().or(played.gt(0)))
        .and_where(cleared_before.is_null().or(is_after_clearing))
        .and_where(is_after_deletion());
    let is_same = |column: Column| column.into_expr().equals((EXCLUDED, column));
    let expired_before = || Expr::col((EXCLUDED, EXPIRED_BEFORE));
    let is_unexpired = Column::LastWatchedAt.into_expr().gte(expired_before());
    let changed = HEARTBEAT.into_iter().filter_map(|column| Some((column, heartbeat_value(column)?)));
    let duration = Expr::col((EXCLUDED, video::Column::Duration));
    let mut update = Query::update();
    update
        .table(Entity)
        .from(TableRef::SubQuery(Box::new(saves), EXCLUDED.into_iden()))
        .values(changed)
        .and_where(is_same(Column::UserId))
        .and_where(is_same(Column::VideoId))
        .and_where(expired_before().is_null().or(is_unexpired))
        .and_where(is_heartbeat())
        .and_where(is_newer())
        .returning(Query::returning().exprs(EntryRow::selected(duration)));
    render(Postgres, &update)
}
