//! `/api/v1/videos/recommendations`: videos for the caller.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Query, Valid};
use crate::responses::RecommendationsOff;
use crate::state::AppData;
use actix_web::get;
use actix_web::web::Json;
use serde::Deserialize;
use service::recommendations::{self, Recommendation};
use utoipa::IntoParams;
use validator::Validate;

/// Selects a part of the recommendations.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RecommendationQuery {
    /// The maximum number of videos.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: i32,
}

fn default_limit() -> i32 {
    20
}

/// List recommended videos
///
/// Ready videos that the caller has neither completed nor hidden, the best one first, each with a
/// reason. They are learned from what viewers completed who switched recommendations on, and filled
/// up with popular videos.
#[utoipa::path(
    operation_id = "list_recommendations", security(("bearer" = [])), params(RecommendationQuery),
    responses((status = 200, description = "The recommended videos.", body = [Recommendation]), RecommendationsOff)
)]
#[get("/videos/recommendations")]
pub(super) async fn list(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Query(RecommendationQuery { limit })): Valid<Query<RecommendationQuery>>,
    Now(now): Now,
) -> Result<Json<Vec<Recommendation>>, Problem> {
    let limit = limit.unsigned_abs().into();
    app.run_with_links(move |app| async move {
        recommendations::list(&app.db, caller, limit, app.history_max_days, now).await
    })
    .await
}
