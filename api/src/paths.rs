//! The paths of the API that are named outside their routes.

/// All operations but the health checks are below it.
pub(crate) const API: &str = "/api/v1";
pub(crate) const REGISTER: &str = "/api/v1/auth/register";
/// Takes JSON, and the password form of OAuth2.
pub(crate) const LOGIN: &str = "/api/v1/auth/login";
pub(crate) const TOKEN: &str = "/api/v1/auth/token";
pub(crate) const MY_ACCOUNT: &str = "/api/v1/users/me";
pub(crate) const SAVE_BATCH: &str = "/api/v1/watch-history/batch";
pub(crate) const HISTORY: &str = "/api/v1/watch-history";
pub(crate) const PLAYS: &str = "/api/v1/plays";
pub(crate) const VIDEOS: &str = "/api/v1/videos";
/// What the paths of one video begin with.
pub(crate) const VIDEO_PREFIX: &str = "/api/v1/videos/";

/// The path of one video.
pub(crate) fn video(id: i64) -> String {
    format!("{VIDEO_PREFIX}{id}")
}

/// The path that a video is streamed from.
pub(crate) fn stream(video_id: i64) -> String {
    format!("{VIDEO_PREFIX}{video_id}/stream")
}

/// The path of the picture beside a video's file.
pub(crate) fn thumbnail(video_id: i64) -> String {
    format!("{VIDEO_PREFIX}{video_id}/thumbnail")
}

/// The path of the caller's plays of a video.
pub(crate) fn plays_of(video_id: i64) -> String {
    format!("{VIDEO_PREFIX}{video_id}/plays")
}
