//! The rules of progress: when a video is completed, and where a player resumes it.

use crate::Error;
use crate::changes::record_changed_videos;
use crate::storage::Transaction;
use chrono::{DateTime, Utc};
use entity::{video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{BinOper, CaseStatement, Expr, ExprTrait};

/// The limits at which a video is completed, and between which it is resumed.
#[derive(Clone, Copy, Debug)]
pub struct ProgressRules {
    /// A video is completed from this share of its duration on, 1 to 100 percent, and always in its
    /// last second.
    pub completed_percent: u8,
    /// A player starts over when the position is at most this many seconds.
    pub resume_min_seconds: i32,
    /// A player starts over from this share of the duration on, 1 to 100 percent.
    pub resume_max_percent: u8,
}

impl Default for ProgressRules {
    fn default() -> Self {
        Self { completed_percent: 90, resume_min_seconds: 5, resume_max_percent: 95 }
    }
}

impl ProgressRules {
    /// Whether a video is completed at `position`: the rule that [`completed`] states in SQL.
    pub(crate) fn is_completed(&self, position: i32, duration: Option<i32>) -> bool {
        let Some(duration) = duration.filter(|duration| *duration > 0) else { return false };
        let needed = i64::from(duration) * i64::from(self.completed_percent);
        i64::from(position) * 100 >= needed || in_last_second(position, Some(duration))
    }

    /// The position where a player should start, in seconds; 0 is the start of the video.
    pub(crate) fn resume_at(&self, position: i32, progress: f64, duration: Option<i32>) -> i32 {
        let near_the_end = progress >= f64::from(self.resume_max_percent) || in_last_second(position, duration);
        if position > self.resume_min_seconds && !near_the_end { position } else { 0 }
    }
}

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

/// An expression: whether a video is completed at `position`, in its last second too. It is false
/// when the duration is unknown, and at position 0.
///
/// The last second counts because durations are rounded and some players round positions down: 8.6
/// seconds are stored as 9, and such a player stops at 8.
pub(crate) fn completed(position: Expr, duration: Expr, rules: &ProgressRules) -> Expr {
    let needed = duration.clone().cast_as("bigint").mul(i64::from(rules.completed_percent));
    let in_last_second = position.clone().gt(0).and(position.clone().add(1).gte(duration.clone()));
    CaseStatement::new()
        .case(duration.gt(0).and(position.mul(100).gte(needed).or(in_last_second)), Expr::value(true))
        .finally(Expr::value(false))
        .into()
}

/// The rule of the last second in [`completed`], for a position that was read.
fn in_last_second(position: i32, duration: Option<i32>) -> bool {
    position > 0 && duration.is_some_and(|duration| duration > 0 && i64::from(position) + 1 >= i64::from(duration))
}
