//! The search: which videos hold a text, whatever its case and however its letters are composed.
//!
//! The texts of every video are stored once more in the form in which they are compared ([`fold`]), and an index tells which runs of
//! one to three letters each of them has ([`index`]). So a search of any length, in any script, reads what may match and little else.

mod fold;
mod index;
mod statements;

use crate::page::Cursor;
use crate::{Database, Error};
use fold::{fold, place, sought};
pub(crate) use index::{forget_grams, forget_uploader, index, mark_of_uploader};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How many rows a search leaves out at most.
pub const MAX_SKIP: i32 = 10_000;
/// How long a search waits until the videos that others wrote are indexed.
const INDEXING_PATIENCE: Duration = Duration::from_secs(15);
/// From how many newly indexed videos on PostgreSQL gathers its statistics at once: by its own it does so a minute later.
const MANY: usize = 1_000;

/// Which videos are indexed.
#[derive(Debug, Default)]
struct IndexState {
    /// Every video up to this id was indexed when it was looked at.
    indexed_up_to: AtomicI64,
    indexing: Mutex<()>,
}

/// In which order videos are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResultOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The most viewed first.
    Views,
    /// By the title, as the search compares it.
    Title,
}

/// Where the text is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchScope {
    /// In titles and descriptions.
    Texts,
    /// In the names of uploaders too.
    TextsAndUploader,
}

/// One page of a search.
#[derive(Debug)]
pub(crate) struct TextSearch {
    text: String,
    scope: SearchScope,
    sort: ResultOrder,
    limit: i64,
    skip: i64,
    /// The place of the last video of the page before.
    behind: Option<i64>,
}

impl TextSearch {
    /// A search for a text as somebody typed it; it finds `limit` videos at most, after those that `skip` leaves out.
    pub(crate) fn new(text: &str, scope: SearchScope, sort: ResultOrder, limit: u64, skip: u64) -> Self {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX / 2);
        Self { text: fold(text), scope, sort, limit: number(limit), skip: number(skip), behind: None }
    }

    /// The same behind a video; for the order by age.
    pub(crate) fn behind(self, cursor: Option<Cursor>) -> Self {
        Self { behind: cursor.map(|Cursor { created_at, id }| place(created_at, id)), ..self }
    }
}

/// The ids of the ready videos that hold the text, in order.
///
/// # Errors
/// [`Error::Busy`] when too many search at once, or too many videos must be indexed first.
pub(crate) async fn find(db: &Database, query: TextSearch) -> Result<Vec<i64>, Error> {
    bring_up_to_date(db).await?;
    let _permit = db.long_read_permit().await?;
    if let Some(nearby) = statements::nearby(db.backend(), &query) {
        let found = ids(db, nearby).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found >= query.limit) {
            return Ok(found);
        }
    }
    ids(db, statements::indexed(db.backend(), &query, &sought(&query.text))).await
}

async fn ids(db: &Database, statement: Statement) -> Result<Vec<i64>, Error> {
    let rows = db.reader().query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// Indexes what others wrote since the last search. It costs one small statement when there is nothing.
async fn bring_up_to_date(db: &Database) -> Result<(), Error> {
    let state = db.shared::<IndexState>();
    let (newest, has_marked) = index::newest(db.reader()).await?;
    if newest <= state.indexed_up_to.load(Ordering::Acquire) && !has_marked {
        return Ok(());
    }
    // In a task of its own, so that it is finished also when the request that began it is gone.
    let db = db.clone();
    let indexing = tokio::spawn(async move {
        let _indexing = state.indexing.lock().await;
        catch_up_from(&db, &state, state.indexed_up_to.load(Ordering::Acquire)).await
    });
    let indexed = timeout(INDEXING_PATIENCE, indexing).await.map_err(|_| Error::Busy)?;
    indexed.map_err(|error| Error::Internal(format!("the videos could not be indexed: {error}")))?.map(drop)
}

/// Indexes every video that is not, or whose row changed since, and returns how many these were. For a start, and after a scan.
///
/// # Errors
/// Those of the database.
pub async fn catch_up(db: &Database) -> Result<usize, Error> {
    let state = db.shared::<IndexState>();
    let _indexing = state.indexing.lock().await;
    catch_up_from(db, &state, 0).await
}

async fn catch_up_from(db: &Database, state: &IndexState, start: i64) -> Result<usize, Error> {
    // Asked first: what comes meanwhile is found by the next search.
    let (newest, _) = index::newest(db.reader()).await?;
    let mut count = 0;
    let mut after = start;
    loop {
        let some = index::pending(db.reader(), after).await?;
        let Some(last) = some.last() else { break };
        after = *last;
        count += some.len();
        in_a_transaction(db, &some).await?;
        state.indexed_up_to.fetch_max(after, Ordering::AcqRel);
    }
    after = 0;
    loop {
        let some = index::marked(db.reader(), after).await?;
        let Some(last) = some.last() else { break };
        after = *last;
        count += some.len();
        in_a_transaction(db, &some).await?;
    }
    state.indexed_up_to.fetch_max(newest, Ordering::AcqRel);
    if count >= MANY && db.backend() == DatabaseBackend::Postgres {
        let (_turn, transaction) = db.begin().await?;
        // Only the owner of a table may; the search works without, though slower at first.
        match transaction.execute_unprepared("ANALYZE video_search; ANALYZE videos").await {
            Ok(_) => transaction.commit().await?,
            Err(error) => log::warn!("the statistics of the search could not be gathered: {error}"),
        }
    }
    Ok(count)
}

async fn in_a_transaction(db: &Database, ids: &[i64]) -> Result<(), Error> {
    let (_turn, transaction) = db.begin().await?;
    index(&transaction, ids).await?;
    transaction.commit().await?;
    Ok(())
}
