//! How long a viewer's history is kept.

mod expired;
mod sweep;

use chrono::{DateTime, TimeDelta, Utc};
pub use sweep::{SWEEP_INTERVAL, SweptRows, sweep};

/// The time before which entries and plays have expired; `None` if they never do.
///
/// `retention_days` is the viewer's own preference and `max_days` the setting `HISTORY_MAX_DAYS`:
/// the smaller one counts.
pub fn retention_cutoff(
    retention_days: Option<i32>,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let days = match (retention_days, max_days) {
        (Some(own), Some(max)) => own.min(max),
        (own, max) => own.or(max)?,
    };
    Some(now - TimeDelta::days(days.into()))
}
