//! The background job that computes which videos are related.
//!
//! It reads and writes in short steps with pauses, and counts on a thread of the lowest priority,
//! so that requests come first. One chunk of results is in memory at a time.

use super::completions;
use super::pace::{READING, WRITING};
use super::similarity::{PairCounter, VideoRelations};
use super::store;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use std::time::Instant;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Videos whose related ones are written by one transaction: at most 1,000 rows.
const VIDEOS_PER_STEP: usize = 20;
/// The priority of the counting thread: the lowest one.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// Computes the related videos of all videos, and replaces those of before. `max_days` is the
/// setting `HISTORY_MAX_DAYS`. Requests meanwhile see a mixture of the rows of before and of now.
///
/// # Errors
/// Database errors. The rows that were written so far stay.
pub async fn compute(db: &Database, max_days: Option<i32>, now: DateTime<Utc>) -> Result<(), Error> {
    let started = Instant::now();
    let counter = PairCounter::new(completions::read(db, max_days, now, READING).await?);
    let ids = counter.videos().to_vec();
    let count = ids.len();
    let mut chunks = count_in_background(counter)?;
    while let Some(chunk) = chunks.recv().await {
        WRITING.step(store::replace(db, chunk)).await?;
    }
    let stale = store::videos_besides(db, ids).await?;
    for ids in stale.chunks(VIDEOS_PER_STEP) {
        let none = ids.iter().map(|video_id| VideoRelations { video_id: *video_id, related: Vec::new() });
        WRITING.step(store::replace(db, none.collect())).await?;
    }
    log::debug!("computed the related videos of {count} videos in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Counts the pairs of all videos, in the order of their ids.
fn count_in_background(mut counter: PairCounter) -> Result<Receiver<Vec<VideoRelations>>, Error> {
    let (sender, receiver) = channel(1);
    let count = move || {
        // On other systems a thread has no priority of its own.
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::nice(NICE) {
            log::debug!("cannot lower the priority of a thread: {error}");
        }
        count(&mut counter, &sender);
    };
    std::thread::Builder::new().name("recommendations".to_owned()).spawn(count)?;
    Ok(receiver)
}

fn count(counter: &mut PairCounter, sender: &Sender<Vec<VideoRelations>>) {
    let mut order: Vec<(i64, usize)> = counter.videos().iter().copied().zip(0..).collect();
    order.sort_unstable();
    for chunk in order.chunks(VIDEOS_PER_STEP) {
        let relations = chunk
            .iter()
            .map(|(video_id, index)| VideoRelations { video_id: *video_id, related: counter.related_to(*index) });
        // The job has failed and ended.
        if sender.blocking_send(relations.collect()).is_err() {
            return;
        }
    }
}
