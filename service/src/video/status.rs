//! The state of a video between upload and deletion.

use entity::video;
use serde::Serialize;
use utoipa::ToSchema;

/// The state of a video between upload and deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(example = "ready")]
pub enum VideoStatus {
    /// It cannot be watched yet.
    Processing,
    /// Everybody can watch it.
    Ready,
    /// It could not be made ready.
    Failed,
    /// It is deleted.
    Deleted,
}

impl From<video::Status> for VideoStatus {
    fn from(status: video::Status) -> Self {
        match status {
            video::Status::Processing => Self::Processing,
            video::Status::Ready => Self::Ready,
            video::Status::Failed => Self::Failed,
            video::Status::Deleted => Self::Deleted,
        }
    }
}
