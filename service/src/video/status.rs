//! Where a video stands between upload and deletion.

use entity::video;
use serde::Serialize;
use utoipa::ToSchema;

/// Where a video stands between upload and deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum VideoStatus {
    /// Not to be watched yet.
    Processing,
    /// To be watched by everybody.
    Ready,
    /// Could not be made ready.
    Failed,
    /// Gone.
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
