//! The rules of progress: when a video counts as watched, and where it is taken up again.

use crate::Error;
use entity::watch_history;
use sea_orm::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr};

/// From where on a video counts as watched, and where it is taken up again.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `completed` at or above this share of the duration, 1 to 100, and always in the last second.
    pub completed_percent: u8,
    /// A position at or below this many seconds is not worth resuming.
    pub resume_min_seconds: i32,
    /// Progress at or above this share of the duration is as good as the end, 1 to 100.
    pub resume_max_percent: u8,
}

impl Default for Rules {
    fn default() -> Self {
        Self { completed_percent: 90, resume_min_seconds: 5, resume_max_percent: 95 }
    }
}

impl Rules {
    /// Where a player should begin.
    pub(crate) fn resume_at(&self, position: i32, progress: f64, duration: Option<i32>) -> i32 {
        let near_the_end = progress >= f64::from(self.resume_max_percent) || in_last_second(position, duration);
        if position > self.resume_min_seconds && !near_the_end { position } else { 0 }
    }
}

/// Brings `completed` in line with a new duration of a video, for everybody who watched it. That is no new play: it only makes
/// sure that what is finished now was watched once.
///
/// # Errors
/// Those of the database.
pub(crate) async fn recompute_completed(
    db: &impl ConnectionTrait,
    video_id: i64,
    duration: Option<i32>,
    rules: &Rules,
) -> Result<(), Error> {
    use watch_history::Column;
    // A product of two 32-bit numbers needs 64 bits.
    let position = Column::WatchPosition.into_expr().cast_as("bigint");
    let completed = completed(position, Expr::value(duration), rules);
    let first_play = completed.clone().and(Column::PlayCount.eq(0));
    let if_first = |new: Expr, column: Column| {
        SimpleExpr::Case(Box::new(CaseStatement::new().case(first_play.clone(), new).finally(column.into_expr())))
    };
    watch_history::Entity::update_many()
        .col_expr(Column::Completed, completed.clone())
        .col_expr(Column::PlayCount, if_first(Expr::value(1), Column::PlayCount))
        .col_expr(Column::CompletedAt, if_first(Column::LastWatchedAt.into_expr(), Column::CompletedAt))
        .col_expr(Column::CountedSessions, if_first(Expr::cust("player_session || ' '"), Column::CountedSessions))
        .filter(Column::VideoId.eq(video_id))
        // Rows that stay as they are stay free for whoever saves into them.
        .filter(Column::Completed.into_expr().ne(completed))
        .exec(db)
        .await?;
    Ok(())
}

/// Whether `position` is at or past the share of `duration` that counts as watched, or in the last second; false without a
/// duration. The last second counts as the end, because durations are stored rounded and some players round down: of 8.6
/// seconds 9 are stored, and such a player stops at 8. Position 0 is never the end.
pub(crate) fn completed(position: Expr, duration: Expr, rules: &Rules) -> Expr {
    let needed = duration.clone().cast_as("bigint").mul(i64::from(rules.completed_percent));
    let in_last_second = position.clone().gt(0).and(position.clone().add(1).gte(duration.clone()));
    CaseStatement::new()
        .case(duration.gt(0).and(position.mul(100).gte(needed).or(in_last_second)), Expr::value(true))
        .finally(Expr::value(false))
        .into()
}

/// The same for a position that was read.
fn in_last_second(position: i32, duration: Option<i32>) -> bool {
    position > 0 && duration.is_some_and(|duration| duration > 0 && i64::from(position) + 1 >= i64::from(duration))
}
