//! The deletion of entries.

use super::{INPUT, cutoff, input, is_allowed, is_entry_of_input, render, select_from_input};
use crate::Error;
use crate::storage::select_columns;
use crate::watch_history::key::EntryRequest;
use crate::watch_history::statements::columns_of;
use entity::forgotten_entry;
use entity::user;
use entity::watch_history::{Column, Entity};
use sea_orm::DatabaseBackend::{Postgres, Sqlite};
use sea_orm::prelude::*;
use sea_orm::sea_query::{
    CommonTableExpression, ExprTrait, InsertStatement, LockType, OnConflict, Order, Query, SelectStatement, WithClause,
};

const FOUND: &str = "found";
const DELETED: &str = "deleted";
const IS_EXPIRED: &str = "is_expired";
const NOW: &str = "now";

/// Deletes the entries of the input, as far as the account is active and may see the video. It
/// remembers the deletions and returns their keys, but for those that had expired: for the viewer
/// they were gone already.
pub(super) fn forget(max_days: Option<i32>) -> Result<String, Error> {
    let is_expired = Column::LastWatchedAt.into_expr().lt(cutoff(max_days, Expr::col((INPUT, NOW))));
    let mut select = select_from_input::<_, EntryRequest>(Postgres);
    select
        .column((Entity, Column::Id))
        .expr(input(Column::UserId))
        .expr(input(Column::VideoId))
        .column((INPUT, NOW))
        .expr_as(is_expired.if_null(false), IS_EXPIRED)
        .inner_join(Entity, is_entry_of_input())
        .and_where(is_allowed())
        // DELETE has no fixed order. Lock the rows first by user and video, as a save does.
        .order_by((INPUT, Column::UserId), Order::Asc)
        .order_by((INPUT, Column::VideoId), Order::Asc)
        .lock_with_tables(LockType::Update, [Entity]);
    let found = CommonTableExpression::new().table_name(FOUND).query(select).to_owned();
    let ids = Query::select().column(Column::Id).from(FOUND).take();
    let delete = Query::delete().from_table(Entity).and_where(Column::Id.in_subquery(ids)).take();
    let deleted = CommonTableExpression::new().table_name(DELETED).query(delete).to_owned();
    let mut remembered = Query::select();
    remembered.columns([Column::UserId, Column::VideoId].map(|column| (FOUND, column))).column((FOUND, NOW));
    remembered.from(FOUND).and_where(Expr::col((FOUND, IS_EXPIRED)).not());
    let mut insert = remember_rows(remembered)?;
    insert.returning(Query::returning().columns([Column::UserId, Column::VideoId]));
    Ok(render(Postgres, insert.with_cte(WithClause::new().cte(found).cte(deleted).to_owned())))
}

/// Writes the deletion of the entry of a user and a video at a time down.
pub(super) fn remember() -> Result<String, Error> {
    let values = ["?1", "?2", "?3"].map(Expr::cust);
    Ok(render(Sqlite, &remember_rows(Query::select().exprs(values).and_where(Expr::val(true)).take())?))
}

/// Inserts deletions, or replaces those of before.
fn remember_rows(select: SelectStatement) -> Result<InsertStatement, Error> {
    use forgotten_entry::Column::{ForgottenAt, UserId, VideoId};
    let (stored, excluded) = (ForgottenAt.into_expr(), Expr::col(("excluded", ForgottenAt)));
    let is_later = excluded.clone().gt(stored.clone());
    let latest = Expr::case(is_later, excluded).finally(stored);
    let mut insert = Query::insert();
    let inserted =
        insert.into_table(forgotten_entry::Entity).columns([UserId, VideoId, ForgottenAt]).select_from(select);
    let on_conflict = OnConflict::columns([UserId, VideoId]).value(ForgottenAt, latest).to_owned();
    inserted.map(|insert| insert.on_conflict(on_conflict).take()).map_err(|error| Error::Internal(error.to_string()))
}

/// The columns that [`delete_revived`] gets.
pub(in crate::watch_history) const REVIVED: [Column; 4] =
    [Column::Id, Column::UserId, Column::VideoId, Column::LastWatchedAt];

/// Deletes entries of the input that were deleted, or cleared with all others, after they were
/// watched last; returns their keys.
pub(super) fn delete_revived() -> String {
    use forgotten_entry::Column::{ForgottenAt, UserId, VideoId};
    let is_same_user = UserId.into_expr().equals((INPUT, Column::UserId));
    let is_same_video = VideoId.into_expr().equals((INPUT, Column::VideoId));
    let watched_at = || input(Column::LastWatchedAt);
    let is_forgotten = ForgottenAt.into_expr().gte(watched_at());
    let is_cleared = user::Column::HistoryClearedBefore.into_expr().gt(watched_at());
    let mut select = Query::select();
    select
        .expr(input(Column::Id))
        .from_subquery(select_columns(Postgres, &columns_of(&REVIVED)), INPUT)
        .inner_join(user::Entity, user::Column::Id.into_expr().equals((INPUT, Column::UserId)))
        .left_join(forgotten_entry::Entity, is_same_user.and(is_same_video))
        .and_where(is_forgotten.if_null(false).or(is_cleared.if_null(false)));
    let mut delete = Query::delete();
    delete
        .from_table(Entity)
        .and_where(Column::Id.in_subquery(select))
        .returning(Query::returning().columns([Column::UserId, Column::VideoId]));
    render(Postgres, &delete)
}
