//! Figures of the whole library.

use crate::{Database, Error};
use sea_orm::{ConnectionTrait, Statement};
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// A library with more ready videos than this is counted once in [`FRESH`], not for everybody who asks.
const LARGE: u64 = 10_000;
/// For how long a count of a large library is told again.
const FRESH: Duration = Duration::from_secs(1);

/// Figures of the ready videos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = Summary)]
pub struct LibrarySummary {
    /// How many there are.
    #[schema(minimum = 0, example = 1)]
    pub total_videos: u64,
    /// How often they were opened in all.
    #[schema(minimum = 0, example = 0)]
    pub total_views: u64,
    /// How many ratings there are.
    #[schema(minimum = 0, example = 0)]
    pub total_ratings: u64,
    /// The mean of all ratings, 0.0 without any.
    #[schema(minimum = 0, maximum = 5, example = 0.0)]
    pub average_rating: f64,
}

/// The last count of a large library.
type SummaryCache = Mutex<Option<(Instant, LibrarySummary)>>;

/// How many ready videos there are, and how often they were opened.
///
/// # Errors
/// Those of the database.
pub async fn summary(db: &Database) -> Result<LibrarySummary, Error> {
    // Kept while it counts, so that many who ask at once count once.
    let cache = db.shared::<SummaryCache>();
    let mut counted = cache.lock().await;
    if let Some((moment, summary)) = *counted
        && moment.elapsed() < FRESH
    {
        return Ok(summary);
    }
    let sql = "SELECT count(*) AS videos, CAST(coalesce(sum(view_count), 0) AS bigint) AS views FROM videos \
        WHERE status = 'ready'";
    let row = db.reader().query_one_raw(Statement::from_string(db.backend(), sql)).await?;
    let row = row.ok_or_else(|| Error::Internal("the database answers nothing".into()))?;
    let number = |column: &str| row.try_get::<i64>("", column).map(i64::unsigned_abs);
    let summary =
        LibrarySummary { total_videos: number("videos")?, total_views: number("views")?, ..LibrarySummary::default() };
    *counted = (summary.total_videos > LARGE).then(|| (Instant::now(), summary));
    Ok(summary)
}
