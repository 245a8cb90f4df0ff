//! Recommendations for viewers who switched them on, learned from viewers who switched them on.
//!
//! **Item to item.** Two videos are related if the same viewers completed them. With `n(a)` the
//! number of viewers who completed `a`, and `n(a, b)` of those who completed both:
//!
//! ```text
//! score(a, b) = n(a, b) / (n(a) · n(b))^0.7  ·  n(a, b) / (n(a, b) + 3)
//! ```
//!
//! With the exponent 0.5 the first factor is the cosine between the two sets of viewers (Sarwar,
//! Karypis, Konstan and Riedl: *Item-based collaborative filtering recommendation algorithms*, WWW
//! 2001). A larger exponent damps videos that everybody watches (Deshpande and Karypis: *Item-based
//! top-N recommendation algorithms*, ACM Transactions on Information Systems 22 (1), 2004). The
//! second factor keeps a few viewers from making a high score by chance (shrinkage; Bell and Koren:
//! *Scalable collaborative filtering with jointly derived neighborhood interpolation weights*, ICDM
//! 2007). That the neighbours of each video are computed in the background, and a list only adds
//! them up, is the plan of Linden, Smith and York: *Amazon.com recommendations*, IEEE Internet
//! Computing 7 (1), 2003.
//!
//! A background job ([`compute`]) writes the best neighbours of each video into `related_videos`.
//! A pair that fewer than [`MIN_VIEWERS`] viewers share is never written, so that no list tells of
//! a single viewer. A list ([`list`]) adds up the scores of the neighbours of the videos that the
//! caller watched last, and is filled with the most viewed videos.
//!
//! Only viewers are learned from whose account is active, whose preference is on and whose history
//! mode is `on`. A viewer who switches it off is left out of the next computation.

mod completions;
mod compute;
mod list;
mod pace;
mod similarity;
mod store;

pub use compute::compute;
pub use list::list;

use crate::video::Video;
use serde::Serialize;
use utoipa::ToSchema;

/// The fewest viewers that a pair of videos must share.
pub const MIN_VIEWERS: u32 = 3;
/// The related videos that are kept for each video.
pub const MAX_RELATED: usize = 50;
/// The completed videos of one viewer that are learned from, the last watched ones. It bounds the
/// time of the computation, which grows with the square.
pub const MAX_VIDEOS_PER_VIEWER: u64 = 500;

/// A recommended video.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recommendation {
    /// The video.
    #[serde(flatten)]
    pub video: Video,
    /// Why it is recommended.
    pub reason: RecommendationReason,
}

/// Why a video is recommended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecommendationReason {
    /// `watched_together`: viewers who completed the video of the caller that is named here
    /// completed this one too. `popular`: it is one of the most viewed videos.
    pub kind: ReasonKind,
    /// The video of the caller, with `watched_together`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, minimum = 1, example = 1)]
    pub video_id: Option<i64>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "Harbour at dawn")]
    pub video_title: Option<String>,
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Viewers of a video of the caller watched it.
    WatchedTogether,
    /// Many watched it.
    Popular,
}
