//! The rules of progress: when a video counts as watched, and where it is taken up again.

use crate::Error;
use entity::watch_history;
use sea_orm::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};

/// From where on a video counts as watched, and where it is taken up again.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `completed` at or above this share of the duration, 1 to 100.
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
    pub(crate) fn resume_at(&self, position: i32, progress: f64) -> i32 {
        let worth_it = position > self.resume_min_seconds && progress < f64::from(self.resume_max_percent);
        if worth_it { position } else { 0 }
    }
}

/// Brings `completed` in line with a new duration of a video, for everybody who watched it.
///
/// # Errors
/// Those of the database.
pub(crate) async fn judge_again(
    db: &impl ConnectionTrait,
    video_id: i64,
    duration: Option<i32>,
    rules: &Rules,
) -> Result<(), Error> {
    // A product of two 32-bit numbers needs 64 bits.
    let position = watch_history::Column::WatchPosition.into_expr().cast_as("bigint");
    let completed = completed(position, Expr::value(duration), rules);
    let update = watch_history::Entity::update_many().col_expr(watch_history::Column::Completed, completed);
    update.filter(watch_history::Column::VideoId.eq(video_id)).exec(db).await?;
    Ok(())
}

/// Whether `position` is at or past the share of `duration` that counts as watched; false without a duration.
pub(crate) fn completed(position: Expr, duration: Expr, rules: &Rules) -> Expr {
    let needed = duration.clone().cast_as("bigint").mul(i64::from(rules.completed_percent));
    CaseStatement::new()
        .case(duration.gt(0).and(position.mul(100).gte(needed)), Expr::value(true))
        .finally(Expr::value(false))
        .into()
}
