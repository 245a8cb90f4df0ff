//! The deletion of entries.

use super::{INPUT, cutoff, input, is_allowed, is_entry_of_input, render, select_from_input};
use crate::Error;
use crate::storage::{columns_of, select_columns};
use crate::watch_history::key::EntryRequest;
use entity::forgotten_entry::{self, Column as Tombstone};
use entity::user;
use entity::watch_history::{Column, Entity};
use sea_orm::DatabaseBackend::{Postgres, Sqlite};
use sea_orm::prelude::*;
use sea_orm::sea_query::{
    CommonTableExpression, DeleteStatement, ExprTrait, InsertStatement, LockType, OnConflict, Order, Query,
    SelectStatement, WithClause,
};

const FOUND: &str = "found";
const DELETED: &str = "deleted";
const NOW: &str = "now";

/// Deletes the entries of the input, if the account is active and may see the video. It writes
/// tombstones and returns their keys. An expired entry is gone for the viewer already; the sweep
/// deletes it.
pub(super) fn forget(max_days: Option<i32>) -> Result<String, Error> {
    let is_expired = Column::LastWatchedAt.into_expr().lt(cutoff(max_days, Expr::col((INPUT, NOW))));
    let mut select = select_from_input::<_, EntryRequest>(Postgres);
    select
        .column((Entity, Column::Id))
        .expr(input(Column::UserId))
        .expr(input(Column::VideoId))
        .column((INPUT, NOW))
        .inner_join(Entity, is_entry_of_input())
        .and_where(is_allowed())
        .and_where(is_expired.if_null(false).not())
        // DELETE has no fixed order. Lock the rows first by user and video, as a save does.
        .order_by((INPUT, Column::UserId), Order::Asc)
        .order_by((INPUT, Column::VideoId), Order::Asc)
        .lock_with_tables(LockType::Update, [Entity]);
    let found = CommonTableExpression::new().table_name(FOUND).query(select).to_owned();
    let deleted = CommonTableExpression::new().table_name(DELETED).query(delete_found()).to_owned();
    let mut remembered = Query::select();
    remembered
        .columns([Column::UserId, Column::VideoId].map(|column| (FOUND, column)))
        .column((FOUND, NOW))
        .from(FOUND);
    let mut insert = write_tombstones(&DELETION, remembered)?;
    insert.returning(Query::returning().columns([Column::UserId, Column::VideoId]));
    Ok(render(Postgres, insert.with_cte(WithClause::new().cte(found).cte(deleted).to_owned())))
}

/// Deletes the entries that the query before found.
fn delete_found() -> DeleteStatement {
    let ids = Query::select().column(Column::Id).from(FOUND).take();
    Query::delete().from_table(Entity).and_where(Column::Id.in_subquery(ids)).take()
}

/// The columns of a tombstone on PostgreSQL.
const DELETION: [Tombstone; 3] = [Tombstone::UserId, Tombstone::VideoId, Tombstone::ForgottenAt];

/// Writes one tombstone: the user, the video, the time, and the revision of the transaction.
pub(super) fn write_tombstone() -> Result<String, Error> {
    let values = Query::select().exprs(["?1", "?2", "?3", "?4"].map(Expr::cust)).and_where(Expr::val(true)).take();
    let columns = Vec::from_iter(DELETION.into_iter().chain([Tombstone::Revision]));
    Ok(render(Sqlite, &write_tombstones(&columns, values)?))
}

/// Inserts tombstones, or updates those that exist.
fn write_tombstones(columns: &[Tombstone], select: SelectStatement) -> Result<InsertStatement, Error> {
    let mut insert = Query::insert();
    let inserted = insert.into_table(forgotten_entry::Entity).columns(columns.iter().copied()).select_from(select);
    let inserted = inserted.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(inserted.on_conflict(keep_latest_deletion()).take())
}

/// Of two deletions of an entry the later time counts. The row is written even if its time stays
/// the same, so that devices hear of the deletion.
pub(in crate::watch_history) fn keep_latest_deletion() -> OnConflict {
    let (stored, excluded) = (Tombstone::ForgottenAt.into_expr(), Expr::col(("excluded", Tombstone::ForgottenAt)));
    let is_later = excluded.clone().gt(stored.clone());
    let latest = Expr::case(is_later, excluded).finally(stored);
    OnConflict::columns([Tombstone::UserId, Tombstone::VideoId])
        .value(Tombstone::ForgottenAt, latest)
        .value(Tombstone::Revision, Expr::col(("excluded", Tombstone::Revision)))
        .to_owned()
}

/// The columns that [`delete_revived`] gets.
pub(in crate::watch_history) const REVIVED: [Column; 4] =
    [Column::Id, Column::UserId, Column::VideoId, Column::LastWatchedAt];

/// Deletes entries of the input that were deleted or cleared after they were watched last, and
/// returns their keys. A device may know such an entry, so its tombstone is written again.
pub(super) fn delete_revived() -> Result<String, Error> {
    use forgotten_entry::Column::{ForgottenAt, UserId, VideoId};
    let is_same_user = UserId.into_expr().equals((INPUT, Column::UserId));
    let is_same_video = VideoId.into_expr().equals((INPUT, Column::VideoId));
    let watched_at = || input(Column::LastWatchedAt);
    let is_forgotten = ForgottenAt.into_expr().gte(watched_at());
    let is_cleared = user::Column::HistoryClearedBefore.into_expr().gt(watched_at());
    let mut select = Query::select();
    select
        .exprs(REVIVED.map(input))
        .from_subquery(select_columns(Postgres, &columns_of(&REVIVED)), INPUT)
        .inner_join(user::Entity, user::Column::Id.into_expr().equals((INPUT, Column::UserId)))
        .left_join(forgotten_entry::Entity, is_same_user.and(is_same_video))
        .and_where(is_forgotten.if_null(false).or(is_cleared.if_null(false)));
    let found = CommonTableExpression::new().table_name(FOUND).query(select).to_owned();
    let mut delete = delete_found();
    delete.returning(Query::returning().columns([Column::UserId, Column::VideoId, Column::LastWatchedAt]));
    let deleted = CommonTableExpression::new().table_name(DELETED).query(delete).to_owned();
    let remembered = [Column::UserId, Column::VideoId, Column::LastWatchedAt].map(|column| (DELETED, column));
    let mut insert = write_tombstones(&DELETION, Query::select().columns(remembered).from(DELETED).take())?;
    insert.returning(Query::returning().columns([Column::UserId, Column::VideoId]));
    Ok(render(Postgres, insert.with_cte(WithClause::new().cte(found).cte(deleted).to_owned())))
}
