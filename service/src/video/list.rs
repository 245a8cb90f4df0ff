//! Lists of videos: by age, by views, of one uploader, and what a search finds.
//!
//! Every list reads an index in order. Skipped rows are read in the index only, and a list that
//! skips many rows needs a permit, as a search does.

use super::{Video, VideoRow, with_progress};
use crate::caller::Caller;
use crate::page::{Cursor, Page};
use crate::search::{self, ResultOrder, SearchScope};
use crate::{Database, Error, statistics};
use entity::video;
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, Order, Query as SubQuery, SelectStatement};
use sea_orm::{Condition, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// Rows that a list may skip without a permit.
const MAX_SKIP_WITHOUT_PERMIT: u64 = 1_000;
/// The condition of the indexes on ready videos. With a parameter no planner would use them.
const READY: &str = "status = 'ready'";

/// Which page of the list of videos to read.
#[derive(Debug, Default)]
pub struct VideoQuery {
    /// The most videos to return.
    pub limit: u64,
    /// The place to continue from.
    pub cursor: Option<Cursor>,
    /// Videos to skip, for clients that do not use the cursor.
    pub skip: u64,
    /// A text that the title or the description contains.
    pub search: Option<String>,
}

/// Lists the ready videos, newest first, with the caller's progress.
///
/// # Errors
/// [`Error::Busy`] when too many searches run at once.
pub async fn list(db: &Database, caller: Option<Caller>, query: VideoQuery) -> Result<Page<Video>, Error> {
    let VideoQuery { limit, cursor, skip, search } = query;
    let rows = match search {
        Some(text) => {
            let query =
                search::TextSearch::new(&text, SearchScope::Texts, ResultOrder::Age, limit + 1, skip).after(cursor);
            read_by_ids(db, caller, &search::find(db, query).await?).await?
        }
        None => list_by_age(db, caller, limit + 1, cursor, skip).await?,
    };
    let page = Page::new(rows, limit, |VideoRow { video, .. }| Cursor { time: video.created_at, id: video.id });
    Ok(page.map(|row| Video::from(row).with_short_description()))
}

async fn list_by_age(
    db: &Database,
    caller: Option<Caller>,
    limit: u64,
    cursor: Option<Cursor>,
    skip: u64,
) -> Result<Vec<VideoRow>, Error> {
    let mut behind = Condition::all();
    if let Some(cursor) = cursor {
        behind = behind.add(cursor.older(video::Column::CreatedAt.into_expr(), video::Column::Id.into_expr()));
    }
    if skip > 0 {
        let ready = Expr::cust(READY).into_condition();
        let ids = select_ids(ready.add(behind), SortKey::CreatedAt, SortDirection::Desc, limit, skip);
        return read_rows(db, caller, ids, SortKey::CreatedAt, SortDirection::Desc, skip).await;
    }
    let ready = with_progress(caller).filter(video::Column::Status.eq(video::Status::Ready)).filter(behind);
    let newest_first = ready.order_by_desc(video::Column::CreatedAt).order_by_desc(video::Column::Id);
    Ok(newest_first.limit(limit).into_model().all(db.reader()).await?)
}

/// A search in titles, descriptions and names of uploaders.
#[derive(Debug)]
pub struct SearchRequest {
    /// The text to search for.
    pub text: String,
    /// The order of the results.
    pub by: SortKey,
    /// The most videos to return.
    pub limit: u64,
    /// Videos to skip.
    pub skip: u64,
}

/// Finds the ready videos whose title, description or uploader's name contains a text.
///
/// # Errors
/// [`Error::Busy`] when too many searches run at once.
pub async fn search(db: &Database, caller: Option<Caller>, search: SearchRequest) -> Result<Vec<Video>, Error> {
    let SearchRequest { text, by, limit, skip } = search;
    let sort = match by {
        SortKey::CreatedAt | SortKey::Rating => ResultOrder::Age,
        SortKey::ViewCount => ResultOrder::Views,
        SortKey::Title => ResultOrder::Title,
    };
    let query = search::TextSearch::new(&text, SearchScope::TextsAndUploader, sort, limit, skip);
    let ids = search::find(db, query).await?;
    Ok(into_videos(read_by_ids(db, caller, &ids).await?))
}

/// The key that a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// The time of the registration.
    #[default]
    CreatedAt,
    /// How often the video was opened.
    ViewCount,
    /// The mean rating. There are no ratings yet, so all are equal, and the age decides.
    Rating,
    /// The title; for a search only.
    Title,
}

/// The direction of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortDirection {
    /// The smallest or oldest first.
    Asc,
    /// The largest or newest first.
    #[default]
    Desc,
}

/// The numbered page to read.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Counted from 1.
    pub page: u64,
    /// Videos on a page.
    pub page_size: u64,
    /// The key that it is sorted by.
    pub by: SortKey,
    /// The direction.
    pub direction: SortDirection,
}

/// A numbered page of the list of videos.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VideoPage)]
pub struct NumberedPage {
    /// The videos; none after the last page.
    pub items: Vec<Video>,
    /// All videos of the list. If there are many, they are counted once a second.
    #[schema(minimum = 0, example = 1)]
    pub total: u64,
    /// The number of this page.
    #[schema(minimum = 1, example = 1)]
    pub page: u64,
    /// Videos on a page.
    #[schema(minimum = 1, example = 20)]
    pub page_size: u64,
    /// The number of pages.
    #[schema(minimum = 0, example = 1)]
    pub total_pages: u64,
}

impl NumberedPage {
    /// A page of an empty list.
    pub fn empty(paging: PageRequest) -> Self {
        Self { items: Vec::new(), total: 0, page: paging.page, page_size: paging.page_size, total_pages: 0 }
    }
}

/// Reads a numbered page of the ready videos.
///
/// # Errors
/// [`Error::Busy`] when too many requests skip many rows at once.
pub async fn list_page(db: &Database, caller: Option<Caller>, paging: PageRequest) -> Result<NumberedPage, Error> {
    let PageRequest { page, page_size, by, direction } = paging;
    let total = statistics::summary(db).await?.total_videos;
    let skip = page.saturating_sub(1).saturating_mul(page_size);
    let items = if skip < total { list_ready(db, caller, by, direction, page_size, skip).await? } else { Vec::new() };
    Ok(NumberedPage { items, total, page, page_size, total_pages: total.div_ceil(Ord::max(page_size, 1)) })
}

/// Lists the ready videos that were opened most often.
///
/// # Errors
/// [`Error::Busy`] when too many requests skip many rows at once.
pub async fn list_popular(db: &Database, caller: Option<Caller>, limit: u64, skip: u64) -> Result<Vec<Video>, Error> {
    list_ready(db, caller, SortKey::ViewCount, SortDirection::Desc, limit, skip).await
}

/// Lists the caller's own videos, ready or not, newest first.
///
/// # Errors
/// [`Error::Busy`] when too many requests skip many rows at once.
pub async fn list_own(db: &Database, caller: Caller, limit: u64, skip: u64) -> Result<Vec<Video>, Error> {
    // SQLite uses the partial index only if the statement repeats its condition letter by letter.
    let own = video::Column::UserId.eq(caller.id).and(Expr::cust("status <> 'deleted'")).into_condition();
    let ids = select_ids(own, SortKey::CreatedAt, SortDirection::Desc, limit, skip);
    Ok(into_videos(read_rows(db, Some(caller), ids, SortKey::CreatedAt, SortDirection::Desc, skip).await?))
}

/// The videos with these ids, in their order, as lists show them. It does not check who may see
/// them.
pub(crate) async fn find_many(db: &Database, caller: Caller, ids: &[i64]) -> Result<Vec<Video>, Error> {
    Ok(into_videos(read_by_ids(db, Some(caller), ids).await?))
}

/// The statement for the ids of the ready videos, the most viewed one first; it reads an index
/// only.
pub(crate) fn select_popular_ids() -> SelectStatement {
    let mut ids = SubQuery::select().column(video::Column::Id).from(video::Entity).and_where(Expr::cust(READY)).take();
    for (column, order) in order_columns(SortKey::ViewCount, SortDirection::Desc) {
        ids.order_by(column, order);
    }
    ids
}

async fn list_ready(
    db: &Database,
    caller: Option<Caller>,
    by: SortKey,
    direction: SortDirection,
    limit: u64,
    skip: u64,
) -> Result<Vec<Video>, Error> {
    let ids = select_ids(Expr::cust(READY).into_condition(), by, direction, limit, skip);
    Ok(into_videos(read_rows(db, caller, ids, by, direction, skip).await?))
}

fn order_columns(by: SortKey, direction: SortDirection) -> [(video::Column, Order); 2] {
    let column = match by {
        SortKey::ViewCount => video::Column::ViewCount,
        SortKey::CreatedAt | SortKey::Rating | SortKey::Title => video::Column::CreatedAt,
    };
    let order = match direction {
        SortDirection::Asc => Order::Asc,
        SortDirection::Desc => Order::Desc,
    };
    [(column, order.clone()), (video::Column::Id, order)]
}

/// The statement for the ids of a page; it reads an index only.
fn select_ids(of: Condition, by: SortKey, direction: SortDirection, limit: u64, skip: u64) -> SelectStatement {
    let mut ids = SubQuery::select().column(video::Column::Id).from(video::Entity).cond_where(of).take();
    for (column, order) in order_columns(by, direction) {
        ids.order_by(column, order);
    }
    ids.limit(limit).offset(skip).take()
}

async fn read_rows(
    db: &Database,
    caller: Option<Caller>,
    ids: SelectStatement,
    by: SortKey,
    direction: SortDirection,
    skip: u64,
) -> Result<Vec<VideoRow>, Error> {
    let _permit = if skip > MAX_SKIP_WITHOUT_PERMIT { Some(db.long_read_permit().await?) } else { None };
    let mut select = with_progress(caller).filter(video::Column::Id.in_subquery(ids));
    for (column, order) in order_columns(by, direction) {
        select = select.order_by(column, order);
    }
    Ok(select.into_model().all(db.reader()).await?)
}

async fn read_by_ids(db: &Database, caller: Option<Caller>, ids: &[i64]) -> Result<Vec<VideoRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let select = with_progress(caller).filter(video::Column::Id.is_in(ids.iter().copied()));
    let rows: Vec<VideoRow> = select.into_model().all(db.reader()).await?;
    let mut rows: HashMap<i64, VideoRow> = rows.into_iter().map(|row| (row.video.id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

fn into_videos(rows: Vec<VideoRow>) -> Vec<Video> {
    rows.into_iter().map(|row| Video::from(row).with_short_description()).collect()
}
