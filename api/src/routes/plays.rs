//! Lists of the caller's plays.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Query, Valid, VideoPath};
use crate::pagination::{KeptParameters, check_range, default_limit, parse_cursor, respond};
use crate::paths;
use crate::responses::VideoNotFound;
use crate::state::AppData;
use actix_web::web::Path;
use actix_web::{Responder, get};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use service::plays::{self, Play, PlayQuery};
use service::time;
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

/// Selects a page of my plays.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[validate(schema(function = "validate_range"))]
pub(super) struct PlaysQuery {
    /// The maximum number of plays.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: i32,
    /// The cursor from the `Link` header of the previous page.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    cursor: Option<String>,
    /// Only plays that began at this time or later.
    #[serde(default, deserialize_with = "time::time_or_null")]
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    since: Option<DateTime<Utc>>,
    /// Only plays that began before this time.
    #[serde(default, deserialize_with = "time::time_or_null")]
    #[param(value_type = Option<String>, format = DateTime, example = "2026-12-01T00:00:00Z")]
    until: Option<DateTime<Utc>>,
    /// Only plays of this video.
    #[validate(range(min = 1))]
    #[param(minimum = 1, example = 1)]
    video_id: Option<i64>,
}

fn validate_range(query: &PlaysQuery) -> Result<(), ValidationError> {
    check_range(query.since, query.until)
}

/// List my plays
///
/// Every opening of a player, with its dates, the last begun first; running plays too. The header
/// `Link` has the URL of the next page, if there is one.
#[utoipa::path(
    operation_id = "list_plays", security(("bearer" = [])), params(PlaysQuery),
    responses((
        status = 200, description = "A page of plays.", body = [Play],
        headers(("Link" = Option<String>, description = "`<URL>; rel=\"next\"` if there is a next page"))
    ))
)]
#[get("/plays")]
pub(super) async fn list(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Query(query)): Valid<Query<PlaysQuery>>,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let PlaysQuery { limit, cursor, since, until, video_id } = query;
    let cursor = parse_cursor(cursor)?;
    let asked = PlayQuery { limit: limit.unsigned_abs().into(), cursor, video_id, since, until };
    let use_case =
        app.run(move |app| async move { plays::list(&app.db, caller, asked, app.history_max_days, now).await });
    let kept =
        KeptParameters::new(limit).with_time("since", since).with_time("until", until).with("video_id", video_id);
    Ok(respond(&app.public_path, paths::PLAYS, &kept, use_case.await?))
}

/// Selects a page of my plays of one video.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VideoPlaysQuery {
    /// The maximum number of plays.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: i32,
    /// The cursor from the `Link` header of the previous page.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    cursor: Option<String>,
}

/// List my plays of a video
///
/// The last begun first, the running one too; none if the caller has not watched the video.
#[utoipa::path(
    operation_id = "list_plays_of_video", security(("bearer" = [])),
    params(VideoPath, VideoPlaysQuery),
    responses((
        status = 200, description = "A page of plays.", body = [Play],
        headers(("Link" = Option<String>, description = "`<URL>; rel=\"next\"` if there is a next page"))
    ), VideoNotFound)
)]
#[get("/videos/{video_id}/plays")]
pub(super) async fn list_of_video(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    Valid(Query(query)): Valid<Query<VideoPlaysQuery>>,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let VideoPlaysQuery { limit, cursor } = query;
    let asked = PlayQuery { limit: limit.unsigned_abs().into(), cursor: parse_cursor(cursor)?, ..PlayQuery::default() };
    let id = path.video_id;
    let use_case =
        app.run(
            move |app| async move { plays::list_of_video(&app.db, caller, id, asked, app.history_max_days, now).await },
        );
    Ok(respond(&app.public_path, &paths::plays_of(id), &KeptParameters::new(limit), use_case.await?))
}
