//! Searches in a list that has its own order and its own limit, such as the history of a viewer.
//!
//! The index of grams finds the videos that contain a rare text, and the list is read for those
//! alone. A text that many videos contain is compared with one row of the list after the other,
//! until the page is full. So the cost has a bound, whatever the text and the library.

use super::fold::{fold, query_grams};
use super::index::word;
use super::index_new;
use crate::{Database, Error};
use entity::video_search::{GRAMS_TABLE, TABLE};
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{ColumnRef, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use tokio::sync::OwnedSemaphorePermit;

/// The most videos that are found by the index.
const MAX_VIDEOS: u64 = 1_000;

/// The videos that contain a text.
pub(crate) enum VideoMatch {
    /// The ids of all of them.
    Few(Vec<i64>),
    /// Too many to list: the folded text, and the permit for a read that may take long.
    Many(String, #[expect(dead_code, reason = "it is only kept")] OwnedSemaphorePermit),
}

/// Finds the videos whose title or description contains a text, in any state.
///
/// # Errors
/// [`Error::Busy`] when too many searches run at once, or too many videos must be indexed first.
pub(crate) async fn match_videos(db: &Database, text: &str) -> Result<VideoMatch, Error> {
    index_new(db).await?;
    let text = fold(text);
    let rows = db.reader().query_all_raw(candidates(db.backend(), &text)).await?;
    if u64::try_from(rows.len()).is_ok_and(|found| found > MAX_VIDEOS) {
        return Ok(VideoMatch::Many(text, db.long_read_permit().await?));
    }
    let mut ids = Vec::new();
    for row in rows {
        if row.try_get_by_index(1)? {
            ids.push(row.try_get_by_index(0)?);
        }
    }
    Ok(VideoMatch::Few(ids))
}

/// Selects the first videos that have all grams of a text, and whether they contain it.
fn candidates(backend: DatabaseBackend, text: &str) -> Statement {
    let grams = query_grams(text);
    let mut with_grams = Query::select().limit(MAX_VIDEOS + 1).take();
    let mut candidates = Query::select();
    candidates.column((TABLE, "video_id")).expr(contains(backend, text));
    if backend == DatabaseBackend::Postgres {
        let columns = ["video_id", "title", "description"];
        with_grams.columns(columns).from(TABLE).and_where(Expr::cust_with_values("grams @> $1", [grams]));
        candidates.from_subquery(with_grams, TABLE);
    } else {
        let words: Vec<_> = grams.into_iter().map(|gram| format!("\"{}\"", word(gram))).collect();
        let matches = Expr::cust_with_values("video_grams MATCH ?", [words.join(" AND ")]);
        with_grams.column("rowid").from(GRAMS_TABLE).and_where(matches);
        let is_place = Expr::col((TABLE, "place")).equals(("found", "rowid"));
        candidates.from_subquery(with_grams, "found").cross_join(TABLE).and_where(is_place);
    }
    backend.build(&candidates)
}

/// Adds the condition that the video in `video_id` contains the text.
pub(crate) fn filter(backend: DatabaseBackend, list: &mut SelectStatement, found: &VideoMatch, video_id: ColumnRef) {
    match found {
        VideoMatch::Few(ids) if backend == DatabaseBackend::Postgres => {
            list.and_where(Expr::col(video_id).eq(PgFunc::any(ids.clone())));
        }
        VideoMatch::Few(ids) => {
            list.and_where(Expr::col(video_id).is_in(ids.iter().copied()));
        }
        VideoMatch::Many(text, _) => {
            list.inner_join(TABLE, Expr::col((TABLE, "video_id")).equals(video_id)).and_where(contains(backend, text));
        }
    }
}

/// Whether the title or the description of the search table contains a folded text.
fn contains(backend: DatabaseBackend, text: &str) -> Expr {
    let find = if backend == DatabaseBackend::Postgres { "strpos" } else { "instr" };
    let is_in = |column: &'static str| Expr::from(Func::cust(find).arg(Expr::col((TABLE, column))).arg(text)).gt(0);
    is_in("title").or(is_in("description"))
}
