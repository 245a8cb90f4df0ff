//! Figures of the whole library.

use crate::{Database, Error};
use sea_orm::{ConnectionTrait, Statement};
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// A library with more ready videos than this is counted once in [`CACHE_LIFETIME`], not for every
/// request.
const LARGE_LIBRARY: u64 = 10_000;
/// How long the count of a large library is reused.
const CACHE_LIFETIME: Duration = Duration::from_secs(1);

/// Figures of the ready videos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct LibrarySummary {
    /// The number of ready videos.
    #[schema(minimum = 0, example = 1)]
    pub total_videos: u64,
    /// The sum of their views.
    #[schema(minimum = 0, example = 0)]
    pub total_views: u64,
    /// The number of ratings.
    #[schema(minimum = 0, example = 0)]
    pub total_ratings: u64,
    /// The mean of all ratings, 0.0 without any.
    #[schema(minimum = 0, maximum = 5, example = 0.0)]
    pub average_rating: f64,
}

/// The last count of a large library, and when it was made.
type LibrarySummaryCache = Mutex<Option<(Instant, LibrarySummary)>>;

/// Counts the ready videos and their views.
///
/// # Errors
/// Database errors.
pub async fn summary(db: &Database) -> Result<LibrarySummary, Error> {
    // Locked while it counts, so that many requests at once count once.
    let cache = db.shared::<LibrarySummaryCache>();
    let mut counted = cache.lock().await;
    if let Some((counted_at, summary)) = *counted
        && counted_at.elapsed() < CACHE_LIFETIME
    {
        return Ok(summary);
    }
    let sql = "SELECT count(*) AS videos, CAST(coalesce(sum(view_count), 0) AS bigint) AS views FROM videos \
        WHERE status = 'ready'";
    let row = db.reader().query_one_raw(Statement::from_string(db.backend(), sql)).await?;
    let row = row.ok_or_else(|| Error::Internal("the database returned no row".into()))?;
    let number = |column: &str| row.try_get::<i64>("", column).map(i64::unsigned_abs);
    let summary =
        LibrarySummary { total_videos: number("videos")?, total_views: number("views")?, ..LibrarySummary::default() };
    *counted = (summary.total_videos > LARGE_LIBRARY).then(|| (Instant::now(), summary));
    Ok(summary)
}
