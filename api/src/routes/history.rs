//! `GET /api/v1/watch-history`: the history of the caller.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Query, Valid};
use crate::pagination::{KeptParameters, check_range, default_limit, parse_cursor, respond};
use crate::paths;
use crate::state::AppData;
use actix_web::{Responder, get};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use service::watch_history::{self, HistoryItem, HistoryQuery, HistoryState};
use service::{text, time};
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

/// Selects a page of my history.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[validate(schema(function = "validate_range"))]
pub(super) struct HistoryListQuery {
    /// Which entries: all, those begun and not completed, or those completed at least once.
    /// Default: `all`.
    #[serde(default)]
    #[param(inline)]
    state: HistoryState,
    /// A text in the title or the description; case and Unicode composition do not matter.
    #[validate(length(max = 200), custom(function = text::storable))]
    #[param(max_length = 200, example = "harbour")]
    q: Option<String>,
    /// Only entries that were watched last at this time or later; completed last, with
    /// `state=completed`.
    #[serde(default, deserialize_with = "time::time_or_null")]
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    since: Option<DateTime<Utc>>,
    /// Only entries of which the same time is before this one.
    #[serde(default, deserialize_with = "time::time_or_null")]
    #[param(value_type = Option<String>, format = DateTime, example = "2026-12-01T00:00:00Z")]
    until: Option<DateTime<Utc>>,
    /// The maximum number of entries.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: i32,
    /// The cursor from the `Link` header of the previous page.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    cursor: Option<String>,
}

fn validate_range(query: &HistoryListQuery) -> Result<(), ValidationError> {
    check_range(query.since, query.until)
}

/// List my history
///
/// The entries of the caller with their videos, hidden ones too: the last watched first, and with
/// `state=completed` the last completed first. The header `Link` has the URL of the next page, if
/// there is one.
#[utoipa::path(
    operation_id = "list_watch_history", security(("bearer" = [])), params(HistoryListQuery),
    responses((
        status = 200, description = "A page of entries.", body = [HistoryItem],
        headers(("Link" = Option<String>, description = "`<URL>; rel=\"next\"` if there is a next page"))
    ))
)]
#[get("/watch-history")]
pub(super) async fn list(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Query(query)): Valid<Query<HistoryListQuery>>,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let HistoryListQuery { state, q, since, until, limit, cursor } = query;
    let search = q.filter(|text| !text.is_empty());
    let kept = KeptParameters::new(limit)
        .with("state", Some(name_of(state)))
        .with("q", search.clone())
        .with_time("since", since)
        .with_time("until", until);
    let cursor = parse_cursor(cursor)?;
    let asked = HistoryQuery { state, search, since, until, limit: limit.unsigned_abs().into(), cursor };
    let use_case = app.run(move |app| async move {
        watch_history::list_history(&app.db, caller, asked, &app.rules, app.history_max_days, now).await
    });
    Ok(respond(&app.public_path, paths::HISTORY, &kept, use_case.await?))
}

fn name_of(state: HistoryState) -> &'static str {
    match state {
        HistoryState::All => "all",
        HistoryState::InProgress => "in_progress",
        HistoryState::Completed => "completed",
    }
}
