//! `/api/v1/users/me/statistics`: what the caller watched, in sums.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Query, Valid};
use crate::state::AppData;
use actix_web::get;
use actix_web::web::Json;
use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use service::text;
use service::viewing::{self, ViewingQuery, ViewingStatistics};
use utoipa::IntoParams;
use validator::Validate;

/// Selects the days of my statistics.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatisticsQuery {
    /// The first day. Default: 29 days before `to`. A range has at most 366 days.
    #[serde(default, deserialize_with = "date")]
    #[param(example = "2026-11-01")]
    from: Option<NaiveDate>,
    /// The last day. Default: today in the time zone.
    #[serde(default, deserialize_with = "date")]
    #[param(example = "2026-11-30")]
    to: Option<NaiveDate>,
    /// The IANA name of the time zone that days and hours are of. Default: UTC.
    #[validate(length(max = 100), custom(function = text::storable))]
    #[param(max_length = 100, example = "Asia/Seoul")]
    tz: Option<String>,
}

/// Parses a date in the form of RFC 3339, which has four digits for the year.
fn date<'de, D: Deserializer<'de>>(field: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = String::deserialize(field)?;
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|date| date.to_string() == text);
    let known = date.filter(|_| text.len() == "2026-11-30".len());
    known.map(Some).ok_or_else(|| D::Error::custom("must be a date such as 2026-11-30"))
}

/// Get my statistics
///
/// Sums of my plays by day, weekday and hour, and the videos, uploaders and devices that I watched
/// most. A play counts on the day and in the hour at which it began.
#[utoipa::path(
    operation_id = "read_my_statistics", security(("bearer" = [])), params(StatisticsQuery),
    responses((status = 200, description = "The statistics of the caller.", body = ViewingStatistics))
)]
#[get("/users/me/statistics")]
pub(super) async fn statistics(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Query(StatisticsQuery { from, to, tz })): Valid<Query<StatisticsQuery>>,
    Now(now): Now,
) -> Result<Json<ViewingStatistics>, Problem> {
    let query = ViewingQuery { from, to, tz };
    app.run(move |app| async move { viewing::statistics(&app.db, caller, query, app.history_max_days, now).await })
        .await
        .map(Json)
}
