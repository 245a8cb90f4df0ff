//! The rules of progress: when a video is completed, and where a player resumes it.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};

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
