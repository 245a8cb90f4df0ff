//! What pages of the reference ask about a video and this server has nothing to tell of yet: the honest answers.

use super::visible_to;
use crate::Error;
use crate::user::Caller;
use entity::video;
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

/// Proves that the caller may see a video.
///
/// # Errors
/// [`Error::VideoNotFound`].
pub async fn exists(db: &impl ConnectionTrait, caller: Option<Caller>, id: i64) -> Result<(), Error> {
    let visible = video::Entity::find_by_id(id).select_only().column(video::Column::Id).filter(visible_to(caller));
    let found: Option<i64> = visible.into_tuple().one(db).await?;
    found.map(drop).ok_or(Error::VideoNotFound)
}

/// Whether a video can be had as an HLS playlist.
#[derive(Debug, Serialize, ToSchema)]
pub struct HlsStatus {
    /// The video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Always `null`: there is no HLS, and the file is played as it is. `false` would keep the reference's page waiting for it.
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
    /// Of a video without HLS.
    pub fn none(video_id: i64) -> Self {
        Self { video_id, hls_available: None, available_qualities: Vec::new(), master_playlist_url: None }
    }
}

/// The qualities in which a video can be streamed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Qualities {
    /// The video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// `original` alone: files are streamed as they are.
    #[schema(example = json!(["original"]))]
    pub available_qualities: Vec<String>,
}

impl Qualities {
    /// The file as it is.
    pub fn original(video_id: i64) -> Self {
        Self { video_id, available_qualities: vec!["original".to_owned()] }
    }
}

/// The short clips that a card may show of a video.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PreviewClips {
    /// Whether there are any: there are none.
    #[schema(example = false)]
    pub available: bool,
    /// Their numbers.
    #[schema(example = json!([]))]
    pub clips: Vec<i32>,
}

/// How a video was rated.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RatingStats {
    /// The mean score, 0.0 without ratings.
    #[schema(minimum = 0, maximum = 5, example = 0.0)]
    pub avg_rating: f64,
    /// How many rated it.
    #[schema(minimum = 0, example = 0)]
    pub rating_count: i64,
    /// Always `null`: the caller's own rating is asked for by itself.
    #[schema(required = true, example = json!(null))]
    pub user_rating: Option<i32>,
}
