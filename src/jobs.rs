//! The background jobs of the server.

use crate::settings::Settings;
use chrono::{DateTime, Utc};
use service::jobs::Jobs;
use service::retention::{self, SWEEP_INTERVAL, SweptRows};
use service::time::Clock;
use service::watch_history::edit::finish_clearings;
use service::{Database, Error, recommendations};

/// Starts the background jobs. They end when the result is dropped.
pub(crate) fn start(db: &Database, settings: &Settings) -> Jobs {
    let mut jobs = Jobs::new(db, &Clock::System);
    let (swept, max_days) = (db.clone(), settings.history_max_days);
    jobs.start("sweep_history", SWEEP_INTERVAL, move |now| sweep_history(swept.clone(), max_days, now));
    if let Some(every) = settings.recommendations_every {
        let learned = db.clone();
        jobs.start("recommendations", every, move |now| compute_recommendations(learned.clone(), max_days, now));
    }
    jobs
}

/// Deletes what has expired, and what an interrupted clearing of a history has left.
async fn sweep_history(db: Database, max_days: Option<i32>, now: DateTime<Utc>) -> Result<(), Error> {
    finish_clearings(&db).await?;
    let SweptRows { entries, plays, tombstones } = retention::sweep(&db, max_days, now).await?;
    if entries + plays > 0 {
        log::info!("deleted {entries} entries and {plays} plays that had expired");
    }
    log::debug!("deleted {tombstones} tombstones");
    Ok(())
}

/// Computes which videos are related.
async fn compute_recommendations(db: Database, max_days: Option<i32>, now: DateTime<Utc>) -> Result<(), Error> {
    recommendations::compute(&db, max_days, now).await
}
