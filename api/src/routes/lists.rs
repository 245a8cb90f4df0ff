//! Lists of videos: numbered pages, search, my videos, and statistics.

use crate::error::Problem;
use crate::extractors::{CurrentUser, OptionalUser, Query, Valid};
use crate::state::AppData;
use actix_web::get;
use actix_web::web::Json;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use service::search::MAX_SKIP;
use service::statistics::{self, LibrarySummary};
use service::text;
use service::video::{self, NumberedPage, PageRequest, SearchRequest, SortDirection, SortKey, Video};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// The sort keys of numbered pages.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PageOrder {
    /// When the video was registered.
    #[default]
    CreatedAt,
    /// How often it was viewed.
    ViewCount,
    /// The mean rating. There are no ratings yet, so all are equal.
    Rating,
}

impl From<PageOrder> for SortKey {
    fn from(order: PageOrder) -> Self {
        match order {
            PageOrder::CreatedAt => Self::CreatedAt,
            PageOrder::ViewCount => Self::ViewCount,
            PageOrder::Rating => Self::Rating,
        }
    }
}

/// Selects a numbered page.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Counted from 1.
    #[serde(default = "one")]
    #[validate(range(min = 1))]
    #[param(minimum = 1, maximum = 2_147_483_647_i64, default = 1, example = 1)]
    page: i32,
    /// Videos on a page.
    #[serde(default = "twenty")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    page_size: i32,
    /// The sort key. Default: `created_at`.
    #[serde(default)]
    #[param(inline)]
    sort_by: PageOrder,
    /// The sort direction. Default: `desc`.
    #[serde(default)]
    #[param(inline)]
    order: SortDirection,
    /// Comma-separated ids of tags: videos that have any of them. No video has tags yet.
    #[serde(default, deserialize_with = "tag_ids")]
    #[param(value_type = Option<String>)]
    tag_ids: Vec<i64>,
}

fn one() -> i32 {
    1
}

fn ten() -> i32 {
    10
}

fn twenty() -> i32 {
    20
}

/// Parses comma-separated whole numbers.
pub(super) fn tag_ids<'de, D: Deserializer<'de>>(field: D) -> Result<Vec<i64>, D::Error> {
    let text = String::deserialize(field)?;
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let ids: Result<_, _> = items.map(str::parse).collect();
    ids.map_err(|_| D::Error::custom("must be comma-separated whole numbers"))
}

/// List videos in numbered pages
#[utoipa::path(
    operation_id = "list_videos_in_pages", security((), ("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page of ready videos.", body = NumberedPage))
)]
#[get("/videos/paginated")]
pub(super) async fn paginated(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(Query(query)): Valid<Query<PageQuery>>,
) -> Result<Json<NumberedPage>, Problem> {
    let PageQuery { page, page_size, sort_by, order, tag_ids } = query;
    let paging = PageRequest {
        page: page.unsigned_abs().into(),
        page_size: page_size.unsigned_abs().into(),
        by: sort_by.into(),
        direction: order,
    };
    if !tag_ids.is_empty() {
        return Ok(Json(NumberedPage::empty(paging)));
    }
    app.run_with_links(move |app| async move { video::list_page(&app.db, caller, paging).await }).await
}

/// The sort keys of a search.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SearchOrder {
    /// The newest first.
    #[default]
    CreatedAt,
    /// The most viewed first.
    ViewCount,
    /// By the title, from A on.
    Title,
}

impl From<SearchOrder> for SortKey {
    fn from(order: SearchOrder) -> Self {
        match order {
            SearchOrder::CreatedAt => Self::CreatedAt,
            SearchOrder::ViewCount => Self::ViewCount,
            SearchOrder::Title => Self::Title,
        }
    }
}

/// What to search for.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// A text in the title, the description or the uploader's name; case does not matter.
    #[validate(length(min = 1, max = 200), custom(function = text::storable))]
    #[param(min_length = 1, max_length = 200, example = "clip")]
    q: String,
    /// How many videos to skip.
    #[serde(default)]
    #[validate(range(min = 0, max = MAX_SKIP))]
    #[param(minimum = 0, maximum = 10_000, default = 0, example = 0)]
    skip: i32,
    /// The maximum number of videos.
    #[serde(default = "twenty")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: i32,
    /// The sort key. Default: `created_at`.
    #[serde(default)]
    #[param(inline)]
    sort_by: SearchOrder,
    /// Comma-separated ids of tags: videos that have any of them. No video has tags yet.
    #[serde(default, deserialize_with = "tag_ids")]
    #[param(value_type = Option<String>)]
    include_tags: Vec<i64>,
    /// Comma-separated ids of tags: videos that have none of them.
    #[serde(default, deserialize_with = "tag_ids")]
    #[param(value_type = Option<String>)]
    #[expect(dead_code, reason = "it is validated; no video has tags yet")]
    exclude_tags: Vec<i64>,
}

/// Search videos
///
/// Searches titles, descriptions and names of uploaders. Case and Unicode composition do not
/// matter.
#[utoipa::path(
    operation_id = "search_videos", security((), ("bearer" = [])), params(SearchQuery),
    responses((status = 200, description = "The ready videos that match.", body = [Video]))
)]
#[get("/videos/search")]
pub(super) async fn search(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(Query(query)): Valid<Query<SearchQuery>>,
) -> Result<Json<Vec<Video>>, Problem> {
    let SearchQuery { q, skip, limit, sort_by, include_tags, exclude_tags: _ } = query;
    if !include_tags.is_empty() {
        return Ok(Json(Vec::new()));
    }
    let search = SearchRequest {
        text: q,
        by: sort_by.into(),
        limit: limit.unsigned_abs().into(),
        skip: skip.unsigned_abs().into(),
    };
    app.run_with_links(move |app| async move { video::search(&app.db, caller, search).await }).await
}

/// Selects a part of my videos.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OwnQuery {
    /// How many videos to skip.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, maximum = 2_147_483_647_i64, default = 0, example = 0)]
    skip: i32,
    /// The maximum number of videos.
    #[serde(default = "twenty")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: i32,
}

/// List my videos
///
/// Videos that the caller uploaded, ready or not, the newest first.
#[utoipa::path(
    operation_id = "list_my_videos", security(("bearer" = [])), params(OwnQuery),
    responses((status = 200, description = "My videos.", body = [Video]))
)]
#[get("/videos/my-videos")]
pub(super) async fn my_videos(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Query(OwnQuery { skip, limit })): Valid<Query<OwnQuery>>,
) -> Result<Json<Vec<Video>>, Problem> {
    let (limit, skip) = (limit.unsigned_abs().into(), skip.unsigned_abs().into());
    app.run_with_links(move |app| async move { video::list_own(&app.db, caller, limit, skip).await }).await
}

/// Selects a part of a ranking.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RankingQuery {
    /// The maximum number of videos.
    #[serde(default = "ten")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10, example = 10)]
    limit: i32,
    /// How many videos to skip.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, maximum = 2_147_483_647_i64, default = 0, example = 0)]
    skip: i32,
}

/// List popular videos
///
/// The ready videos with the most views.
#[utoipa::path(
    operation_id = "popular_videos", security((), ("bearer" = [])), params(RankingQuery),
    responses((status = 200, description = "The most viewed videos.", body = [Video]))
)]
#[get("/statistics/popular")]
pub(super) async fn popular(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(Query(RankingQuery { limit, skip })): Valid<Query<RankingQuery>>,
) -> Result<Json<Vec<Video>>, Problem> {
    let (limit, skip) = (limit.unsigned_abs().into(), skip.unsigned_abs().into());
    app.run_with_links(move |app| async move { video::list_popular(&app.db, caller, limit, skip).await }).await
}

/// Selects top rated videos.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TopRatedQuery {
    /// The maximum number of videos.
    #[serde(default = "ten")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10, example = 10)]
    limit: i32,
    /// How many videos to skip.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, maximum = 2_147_483_647_i64, default = 0, example = 0)]
    skip: i32,
    /// The minimum number of ratings.
    #[serde(default = "five")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 5, example = 5)]
    min_ratings: i32,
}

fn five() -> i32 {
    5
}

/// A video and its mean rating.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RatedVideo {
    /// The video.
    video: Video,
    /// The mean score.
    #[schema(minimum = 1, maximum = 5, example = 4.5)]
    avg_rating: f64,
    /// The number of ratings.
    #[schema(minimum = 1, example = 5)]
    rating_count: i64,
}

/// List top rated videos
///
/// There are no ratings yet, so the list is empty.
#[utoipa::path(
    operation_id = "top_rated_videos", params(TopRatedQuery),
    responses((status = 200, description = "The best rated videos.", body = [RatedVideo]))
)]
#[get("/statistics/top-rated")]
pub(super) async fn top_rated(_query: Valid<Query<TopRatedQuery>>) -> Json<Vec<RatedVideo>> {
    Json(Vec::new())
}

/// Get statistics of the library
///
/// Counts ready videos.
#[utoipa::path(
    operation_id = "library_summary",
    responses((status = 200, description = "The statistics.", body = LibrarySummary))
)]
#[get("/statistics/summary")]
pub(super) async fn summary(app: AppData) -> Result<Json<LibrarySummary>, Problem> {
    app.run(|app| async move { statistics::summary(&app.db).await }).await.map(Json)
}
