//! Answers for the reference's pages about features that this server does not have yet.

use super::visible_to;
use crate::Error;
use crate::caller::Caller;
use entity::video;
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

/// Checks that there is a video that the caller may see.
///
/// # Errors
/// [`Error::VideoNotFound`].
pub async fn exists(db: &impl ConnectionTrait, caller: Option<Caller>, id: i64) -> Result<(), Error> {
    let visible = video::Entity::find_by_id(id).select_only().column(video::Column::Id).filter(visible_to(caller));
    let found: Option<i64> = visible.into_tuple().one(db).await?;
    found.map(drop).ok_or(Error::VideoNotFound)
}

/// Whether a video is available as an HLS playlist.
#[derive(Debug, Serialize, ToSchema)]
pub struct HlsStatus {
    /// The id of the video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Always `null`: there is no HLS, and the file is played as it is. With `false` the
    /// reference's page would wait for it.
    #[schema(required = true, example = json!(null))]
    pub hls_available: Option<bool>,
    /// The qualities of the playlist: none.
    #[schema(example = json!([]))]
    pub available_qualities: Vec<String>,
    /// The address of the playlist: none.
    #[schema(required = true, example = json!(null))]
    pub master_playlist_url: Option<String>,
}

impl HlsStatus {
    /// The status of a video without HLS.
    pub fn none(video_id: i64) -> Self {
        Self { video_id, hls_available: None, available_qualities: Vec::new(), master_playlist_url: None }
    }
}

/// The qualities that a video can be streamed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VideoQualities)]
pub struct Qualities {
    /// The id of the video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// `original` alone: files are streamed as they are.
    #[schema(example = json!(["original"]))]
    pub available_qualities: Vec<String>,
}

impl Qualities {
    /// The original file only.
    pub fn original(video_id: i64) -> Self {
        Self { video_id, available_qualities: vec!["original".to_owned()] }
    }
}

/// The short clips that a card may show of a video.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PreviewClips {
    /// Whether there are clips; always false.
    #[schema(example = false)]
    pub available: bool,
    /// Their numbers.
    #[schema(example = json!([]))]
    pub clips: Vec<i32>,
}

/// The ratings of a video.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RatingStats {
    /// The mean score, 0.0 without ratings.
    #[schema(minimum = 0, maximum = 5, example = 0.0)]
    pub avg_rating: f64,
    /// The number of ratings.
    #[schema(minimum = 0, example = 0)]
    pub rating_count: i64,
    /// Always `null`: the caller's own rating has an operation of its own.
    #[schema(required = true, example = json!(null))]
    pub user_rating: Option<i32>,
}
