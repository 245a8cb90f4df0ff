//! What another duration of a video changes in the watch history.

use crate::Error;
use crate::changes::record_changed_videos;
use crate::progress::{ProgressRules, completed};
use crate::storage::Transaction;
use chrono::{DateTime, Utc};
use entity::{video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{BinOper, CaseStatement, Expr, ExprTrait};

/// Recomputes `completed` of every entry of a video whose duration has changed. A viewer who has
/// completed the video by the new duration has a play count of at least 1. Devices get all
/// of them: the progress in percent changes too.
///
/// # Errors
/// Database errors.
pub(crate) async fn recompute_completed(
    tx: &Transaction,
    video_id: i64,
    duration: Option<i32>,
    rules: &ProgressRules,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    use watch_history::Column;
    // The product of two 32-bit numbers needs 64 bits.
    let position = Column::WatchPosition.into_expr().cast_as("bigint");
    let completed = completed(position, Expr::value(duration), rules);
    let counted_session = Column::PlayerSession.into_expr().binary(BinOper::Custom("||"), " ");
    let first_play = completed.clone().and(Column::PlayCount.eq(0));
    let if_first = |new: Expr, column: Column| -> Expr {
        CaseStatement::new().case(first_play.clone(), new).finally(column.into_expr()).into()
    };
    let completes_play = first_play.clone().and(Column::PlayStartedAt.into_expr().is_not_null());
    watch_history::Entity::update_many()
        .col_expr(Column::PlayCompleted, Column::PlayCompleted.into_expr().or(completes_play))
        .col_expr(Column::Completed, completed.clone())
        .col_expr(Column::PlayCount, if_first(Expr::value(1), Column::PlayCount))
        .col_expr(Column::CompletedAt, if_first(Column::LastWatchedAt.into_expr(), Column::CompletedAt))
        .col_expr(Column::CountedSessions, if_first(counted_session, Column::CountedSessions))
        .col_expr(Column::Revision, Expr::value(tx.revision().await?).cast_as("bigint"))
        .filter(Column::VideoId.eq(video_id))
        // Unchanged rows are not locked, so that saves need not wait for them.
        .filter(Column::Completed.into_expr().ne(completed))
        .exec(tx)
        .await?;
    record_changed_videos(tx, video::Column::Id.eq(video_id), now).await
}
