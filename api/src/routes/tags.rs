//! Tags of videos. There are none yet: every list is empty.

use crate::extractors::{Query, Valid, VideoPath, VisibleVideo};
use crate::responses::VideoNotFound;
use actix_web::get;
use actix_web::web::Json;
use serde::{Deserialize, Serialize};
use service::text;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A tag of videos.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VideoTag)]
pub(super) struct Tag {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    id: i64,
    /// The name.
    #[schema(example = "Sea")]
    name: String,
    /// The name in URLs.
    #[schema(example = "sea")]
    slug: String,
    /// The colour.
    #[schema(example = "#3B82F6")]
    color: String,
}

/// List the tags of a video
///
/// There are none yet.
#[utoipa::path(
    operation_id = "list_video_tags", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "No tags.", body = [Tag]), VideoNotFound)
)]
#[get("/videos/{video_id}/tags")]
pub(super) async fn video_tags(_: VisibleVideo) -> Json<Vec<Tag>> {
    Json(Vec::new())
}

/// Selects a part of the tags.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TagsQuery {
    /// How many tags to skip.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, maximum = 2_147_483_647_i64, default = 0, example = 0)]
    skip: i32,
    /// The maximum number of tags.
    #[serde(default = "hundred")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 100, example = 100)]
    limit: i32,
    /// A text in the name.
    #[validate(length(max = 200), custom(function = text::storable))]
    #[param(max_length = 200, example = "sea")]
    search: Option<String>,
}

fn hundred() -> i32 {
    100
}

fn ten() -> i32 {
    10
}

/// List tags
///
/// There are none yet.
#[utoipa::path(
    operation_id = "list_tags", params(TagsQuery),
    responses((status = 200, description = "No tags.", body = [Tag]))
)]
#[get("/tags")]
pub(super) async fn tags(_query: Valid<Query<TagsQuery>>) -> Json<Vec<Tag>> {
    Json(Vec::new())
}

/// The length of the list.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PopularTagsQuery {
    /// The maximum number of tags.
    #[serde(default = "ten")]
    #[validate(range(min = 1, max = 50))]
    #[param(minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: i32,
}

/// List popular tags
///
/// There are none yet.
#[utoipa::path(
    operation_id = "popular_tags", params(PopularTagsQuery),
    responses((status = 200, description = "No tags.", body = [Tag]))
)]
#[get("/tags/popular")]
pub(super) async fn popular_tags(_query: Valid<Query<PopularTagsQuery>>) -> Json<Vec<Tag>> {
    Json(Vec::new())
}

/// What to search for.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TagSearchQuery {
    /// A text in the name.
    #[validate(length(min = 1, max = 200), custom(function = text::storable))]
    #[param(min_length = 1, max_length = 200, example = "sea")]
    q: String,
    /// The maximum number of tags.
    #[serde(default = "ten")]
    #[validate(range(min = 1, max = 50))]
    #[param(minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: i32,
}

/// Search tags
///
/// There are none yet.
#[utoipa::path(
    operation_id = "search_tags", params(TagSearchQuery),
    responses((status = 200, description = "No tags.", body = [Tag]))
)]
#[get("/tags/search")]
pub(super) async fn search_tags(_query: Valid<Query<TagSearchQuery>>) -> Json<Vec<Tag>> {
    Json(Vec::new())
}
