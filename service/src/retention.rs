//! How long a viewer's history is kept.

mod expired;
mod sweep;

use crate::Error;
use chrono::{DateTime, TimeDelta, Utc};
use entity::user;
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
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

/// [`retention_cutoff`] of a viewer. `max_days` is the setting `HISTORY_MAX_DAYS`.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone.
pub(crate) async fn find_cutoff(
    db: &impl ConnectionTrait,
    user_id: i64,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Error> {
    let own = user::Entity::find_by_id(user_id).select_only().column(user::Column::RetentionDays);
    let own: Option<Option<i32>> = own.into_tuple().one(db).await?;
    Ok(retention_cutoff(own.ok_or(Error::Unauthenticated)?, max_days, now))
}
