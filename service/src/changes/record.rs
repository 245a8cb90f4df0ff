//! What writers of the history record for devices, besides entries and tombstones.

use crate::Error;
use crate::storage::Transaction;
use chrono::{DateTime, Utc};
use entity::{changed_video, history_reset, video};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, OnConflict, Query};
use std::collections::BTreeSet;

/// Makes the devices of these viewers read the whole history again, because many entries were
/// deleted, or other entries have expired.
///
/// # Errors
/// Database errors.
pub(crate) async fn reset_histories(tx: &Transaction, viewers: impl IntoIterator<Item = i64>) -> Result<(), Error> {
    // In one order, so that two transactions cannot deadlock.
    let viewers = BTreeSet::from_iter(viewers);
    if viewers.is_empty() {
        return Ok(());
    }
    let revision = tx.revision().await?;
    let rows = viewers
        .into_iter()
        .map(|user_id| history_reset::ActiveModel { user_id: Set(user_id), revision: Set(revision) });
    let again =
        OnConflict::column(history_reset::Column::UserId).update_column(history_reset::Column::Revision).to_owned();
    history_reset::Entity::insert_many(rows).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// Makes devices get the entries of these videos again. The videos are about to be deleted, or have
/// another duration.
///
/// # Errors
/// Database errors.
pub(crate) async fn record_changed_videos(
    tx: &Transaction,
    videos: impl IntoCondition,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    use changed_video::Column::{ChangedAt, Id, Revision};
    let mut changed = Query::select();
    changed
        .expr(video::Column::Id.into_expr())
        .expr(Expr::value(now))
        .expr(Expr::value(tx.revision().await?).cast_as("bigint"))
        .from(video::Entity)
        .cond_where(videos.into_condition());
    let mut insert = Query::insert();
    insert.into_table(changed_video::Entity).columns([Id, ChangedAt, Revision]);
    insert.select_from(changed).map_err(|error| Error::Internal(error.to_string()))?;
    insert.on_conflict(OnConflict::column(Id).update_columns([ChangedAt, Revision]).to_owned());
    tx.execute(&insert).await?;
    Ok(())
}
