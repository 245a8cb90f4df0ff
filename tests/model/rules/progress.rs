//! When a video is completed, and where a player resumes it.

use super::Row;
use service::progress::ProgressRules;

/// Whether the position is at or after the completed share of the duration, or in the last second.
pub fn is_completed(position: i32, duration: Option<i32>, rules: &ProgressRules) -> bool {
    match known(duration) {
        Some(duration) => {
            100 * i64::from(position) >= i64::from(rules.completed_percent) * i64::from(duration)
                || is_last_second(position, duration)
        }
        None => false,
    }
}

/// A duration of 0 is none.
pub fn known(duration: Option<i32>) -> Option<i32> {
    duration.filter(|duration| *duration > 0)
}

/// The second before the duration, and later; never the start.
fn is_last_second(position: i32, duration: i32) -> bool {
    position >= i32::max(duration - 1, 1)
}

/// The position in percent of the duration, from 0 to 100; 0 without a duration.
pub fn percentage(position: i32, duration: Option<i32>) -> f64 {
    match known(duration) {
        Some(duration) => f64::min(100.0 * f64::from(position) / f64::from(duration), 100.0),
        None => 0.0,
    }
}

/// Where a player starts: at the position, unless that is near the start or the end.
pub fn resume_at(position: i32, duration: Option<i32>, rules: &ProgressRules) -> i32 {
    let near_the_start = position <= rules.resume_min_seconds;
    let near_the_end = percentage(position, duration) >= f64::from(rules.resume_max_percent)
        || known(duration).is_some_and(|duration| is_last_second(position, duration));
    if near_the_start || near_the_end { 0 } else { position }
}

/// Applies a new duration to a row. That is no new play, but a completed video was watched once.
pub fn recompute_completed(row: &mut Row, duration: Option<i32>, rules: &ProgressRules) {
    let was_completed = std::mem::replace(&mut row.completed, is_completed(row.position, duration, rules));
    if row.completed && !was_completed && row.play_count == 0 {
        row.play_count = 1;
        row.completed_at = Some(row.last_watched_at);
        row.counted = row.session.iter().cloned().collect();
        row.running.iter_mut().for_each(|play| play.completed = true);
    }
}
