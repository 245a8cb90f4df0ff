//! The search for videos that contain a text, ignoring case and the composition of letters.
//!
//! The texts of every video are stored a second time in folded form ([`fold`]). An index lists
//! their grams, which are runs of one to three letters ([`index`]). So a search of any length, in
//! any script, reads few rows that do not match.

mod fold;
mod index;
mod match_videos;
mod statements;

use crate::page::Cursor;
use crate::storage::Transaction;
use crate::{Database, Error};
use fold::{fold, place, query_grams};
pub(crate) use index::{index, mark_outdated, remove_grams, remove_grams_of_uploader};
pub(crate) use match_videos::{VideoMatch, filter, match_videos};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// The most rows that a search may skip.
pub const MAX_SKIP: i32 = 10_000;
/// How long a search waits until new videos are indexed.
const INDEXING_TIMEOUT: Duration = Duration::from_secs(15);
/// After indexing at least this many videos, PostgreSQL is told to gather statistics at once; by
/// itself it does so a minute later.
const ANALYZE_THRESHOLD: usize = 1_000;

/// Which videos are indexed.
#[derive(Debug, Default)]
struct IndexState {
    /// All videos up to this id have been indexed.
    indexed_up_to: AtomicI64,
    indexing: Mutex<()>,
}

/// The order of the results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResultOrder {
    /// The newest first.
    #[default]
    Age,
    /// The most viewed first.
    Views,
    /// By the folded title.
    Title,
}

/// The texts that are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchScope {
    /// Titles and descriptions.
    Texts,
    /// Names of uploaders too.
    TextsAndUploader,
}

/// The parameters of one page of results.
#[derive(Debug)]
pub(crate) struct TextSearch {
    text: String,
    scope: SearchScope,
    sort: ResultOrder,
    limit: i64,
    skip: i64,
    /// The place of the last video of the previous page.
    after: Option<i64>,
}

impl TextSearch {
    /// A search for a text as it was typed. It skips `skip` videos and finds at most `limit`.
    pub(crate) fn new(text: &str, scope: SearchScope, sort: ResultOrder, limit: u64, skip: u64) -> Self {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX / 2);
        Self { text: fold(text), scope, sort, limit: number(limit), skip: number(skip), after: None }
    }

    /// Starts after the video of a cursor; for the order by age only.
    pub(crate) fn after(self, cursor: Option<Cursor>) -> Self {
        Self { after: cursor.map(|Cursor { time, id }| place(time, id)), ..self }
    }
}

/// The ids of the ready videos that contain the text, in order.
///
/// # Errors
/// [`Error::Busy`] when too many searches run at once, or too many videos must be indexed first.
pub(crate) async fn find(db: &Database, query: TextSearch) -> Result<Vec<i64>, Error> {
    index_new(db).await?;
    let _permit = db.long_read_permit().await?;
    if let Some(nearby) = statements::nearby(db.backend(), &query) {
        let found = ids(db, nearby).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found >= query.limit) {
            return Ok(found);
        }
    }
    ids(db, statements::indexed(db.backend(), &query, &query_grams(&query.text))).await
}

async fn ids(db: &Database, statement: Statement) -> Result<Vec<i64>, Error> {
    let rows = db.reader().query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// Indexes videos that were written without the index since the last search. It costs one small
/// statement when there are none.
async fn index_new(db: &Database) -> Result<(), Error> {
    let state = db.shared::<IndexState>();
    let (newest_id, has_marked) = index::newest(db.reader()).await?;
    if newest_id <= state.indexed_up_to.load(Ordering::Acquire) && !has_marked {
        return Ok(());
    }
    // A task of its own finishes also when the client of the request disconnects.
    let db = db.clone();
    let indexing = tokio::spawn(async move {
        let _indexing = state.indexing.lock().await;
        index_pending_after(&db, &state, state.indexed_up_to.load(Ordering::Acquire)).await
    });
    let indexed = timeout(INDEXING_TIMEOUT, indexing).await.map_err(|_| Error::Busy)?;
    indexed.map_err(|error| Error::Internal(format!("the videos could not be indexed: {error}")))?.map(drop)
}

/// Indexes every video that is new or has changed, and returns their number. For a start, and after
/// a scan.
///
/// # Errors
/// Database errors.
pub async fn index_pending(db: &Database) -> Result<usize, Error> {
    let state = db.shared::<IndexState>();
    let _indexing = state.indexing.lock().await;
    index_pending_after(db, &state, 0).await
}

async fn index_pending_after(db: &Database, state: &IndexState, start: i64) -> Result<usize, Error> {
    // Read first: the next search finds what is added from now on.
    let (newest_id, _) = index::newest(db.reader()).await?;
    let mut count = 0;
    let mut after = start;
    loop {
        let ids = index::pending(db.reader(), after).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        count += ids.len();
        db.transaction(async |tx| index(tx, &ids).await).await?;
        state.indexed_up_to.fetch_max(after, Ordering::AcqRel);
    }
    after = 0;
    loop {
        let ids = index::marked(db.reader(), after).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        count += ids.len();
        db.transaction(async |tx| index(tx, &ids).await).await?;
    }
    state.indexed_up_to.fetch_max(newest_id, Ordering::AcqRel);
    if count >= ANALYZE_THRESHOLD && db.backend() == DatabaseBackend::Postgres {
        // Only the owner of a table may do this. Without it the search works, but slower at first.
        if let Err(error) = db.transaction(async |tx| analyze(tx).await).await {
            log::warn!("cannot gather the statistics of the search: {error}");
        }
    }
    Ok(count)
}

async fn analyze(tx: &Transaction) -> Result<(), Error> {
    tx.execute_unprepared("ANALYZE video_search; ANALYZE videos").await?;
    Ok(())
}
