//! What a viewer watched, in sums: by day, weekday and hour, by video, uploader and device.
//!
//! A play counts on the day and in the hour at which it began, in the time zone of the request,
//! with its whole seconds. So the sums of the days, of the weekdays and of the hours are the total.
//! The database adds up, by one statement; what it needs to know of the time zone is when its
//! offset from UTC changes ([`zone`]). Plays that have expired do not count.

mod range;
mod statement;
mod sums;
mod zone;

use crate::caller::Caller;
use crate::retention::retention_cutoff;
use crate::{Database, Error};
use chrono::{DateTime, NaiveDate, Utc};
use entity::user;
use range::ViewingRange;
use sea_orm::prelude::*;
use sea_orm::{FromQueryResult, QuerySelect};
use serde::Serialize;
use statement::SumRow;
use utoipa::ToSchema;

/// The days of a request, and how days and hours are told apart.
#[derive(Clone, Debug, Default)]
pub struct ViewingQuery {
    /// The first day; 29 days before the last one by default.
    pub from: Option<NaiveDate>,
    /// The last day; today by default.
    pub to: Option<NaiveDate>,
    /// The IANA name of a time zone; UTC by default.
    pub tz: Option<String>,
}

/// What the caller watched in a range of days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ViewingStatistics {
    /// The first day of the range.
    #[schema(example = "2026-11-01")]
    pub from: NaiveDate,
    /// The last day of the range.
    #[schema(example = "2026-11-30")]
    pub to: NaiveDate,
    /// The time zone of the days and hours.
    #[schema(example = "Asia/Seoul")]
    pub tz: String,
    /// How long the caller watched: the sum of the whole seconds of each play.
    #[schema(minimum = 0, example = 5400)]
    pub watched_seconds: i64,
    /// The number of plays that began in the range.
    #[schema(minimum = 0, example = 3)]
    pub plays: i64,
    /// The number of different videos that these plays are of.
    #[schema(minimum = 0, example = 2)]
    pub videos_started: i64,
    /// The number of different videos that one of these plays completed.
    #[schema(minimum = 0, example = 1)]
    pub videos_completed: i64,
    /// Every day of the range, the first one first.
    pub days: Vec<ViewingDay>,
    /// The seconds of each weekday, Monday first.
    #[schema(min_items = 7, max_items = 7, example = json!([0, 0, 0, 1800, 0, 3600, 0]))]
    pub weekdays: Vec<i64>,
    /// The seconds of each hour of the day, midnight first.
    #[schema(min_items = 24, max_items = 24, example = json!([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5400, 0, 0, 0]))]
    pub hours: Vec<i64>,
    /// The videos that were watched longest, at most 10. Those that the caller may no longer see
    /// are left out.
    #[schema(max_items = 10)]
    pub top_videos: Vec<TopVideo>,
    /// The uploaders whose videos were watched longest, at most 10.
    #[schema(max_items = 10)]
    pub top_uploaders: Vec<TopUploader>,
    /// The devices that were used longest, at most 100.
    #[schema(max_items = 100)]
    pub devices: Vec<DeviceTime>,
    /// The most days in a row with a play.
    #[schema(minimum = 0, example = 3)]
    pub longest_streak_days: u32,
    /// The days in a row with a play up to the last day of the range, or up to the day before it.
    #[schema(minimum = 0, example = 1)]
    pub current_streak_days: u32,
}

/// What the caller watched on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ViewingDay {
    /// The day.
    #[schema(example = "2026-11-01")]
    pub date: NaiveDate,
    /// How long the plays that began on it were watched.
    #[schema(minimum = 0, example = 1800)]
    pub watched_seconds: i64,
    /// The number of these plays.
    #[schema(minimum = 0, example = 1)]
    pub plays: i64,
    /// How many of them completed their video.
    #[schema(minimum = 0, example = 1)]
    pub completed: i64,
}

/// A video and how long the caller watched it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TopVideo {
    /// The video's id.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Its title.
    #[schema(example = "Harbour at dawn")]
    pub video_title: String,
    /// How long it was watched.
    #[schema(minimum = 0, example = 3600)]
    pub watched_seconds: i64,
    /// How often it was begun.
    #[schema(minimum = 0, example = 2)]
    pub plays: i64,
}

/// An uploader and how long the caller watched their videos.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TopUploader {
    /// The user name.
    #[schema(example = "ann")]
    pub username: String,
    /// How long their videos were watched.
    #[schema(minimum = 0, example = 5400)]
    pub watched_seconds: i64,
}

/// A device and how long the caller watched on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceTime {
    /// The name of the device; null for plays of players that name none.
    #[schema(required = true, example = "Living room")]
    pub device: Option<String>,
    /// How long it was used.
    #[schema(minimum = 0, example = 5400)]
    pub watched_seconds: i64,
}

/// What the caller watched, in sums. `max_days` is the setting `HISTORY_MAX_DAYS`.
///
/// # Errors
/// [`Error::Invalid`] with the field `tz`, `from` or `to`: the time zone is unknown, the range
/// begins after it ends, or it has more than 366 days.
pub async fn statistics(
    db: &Database,
    caller: Caller,
    query: ViewingQuery,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<ViewingStatistics, Error> {
    let range = ViewingRange::new(query, now)?;
    let retention_days = user::Entity::find_by_id(caller.id).select_only().column(user::Column::RetentionDays);
    let retention_days: Option<i32> =
        retention_days.into_tuple().one(db.reader()).await?.ok_or(Error::Unauthenticated)?;
    let kept_since = retention_cutoff(retention_days, max_days, now);
    let statement = statement::sums(db.backend(), caller, &range, kept_since);
    let rows = db.reader().query_all(&statement).await?;
    let rows: Result<Vec<_>, _> = rows.iter().map(|row| SumRow::from_query_result(row, "")).collect();
    sums::collect(&range, rows?)
}
