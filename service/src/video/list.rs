//! Lists of videos: by age, by views, of one uploader, and what a search finds.
//!
//! Every list walks down an index. What it leaves out is counted in that index alone, and a list that leaves out much waits for
//! its turn as a search does.

use super::{Row, Video, with_progress};
use crate::page::{Cursor, Page};
use crate::search::{self, ResultOrder, SearchScope};
use crate::user::Caller;
use crate::{Database, Error, statistics};
use entity::video;
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, Order, Query as SubQuery, SelectStatement};
use sea_orm::{Condition, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// Rows that a list may leave out without waiting for a turn.
const FEW: u64 = 1_000;
/// The rows of the index on ready videos. Not a parameter: no planner would see that the index holds them.
const READY: &str = "status = 'ready'";

/// What is asked of the library.
#[derive(Debug, Default)]
pub struct VideoQuery {
    /// How many at most.
    pub limit: u64,
    /// Where to go on.
    pub cursor: Option<Cursor>,
    /// How many to leave out, for clients older than the cursor.
    pub skip: u64,
    /// A text that title or description contains.
    pub search: Option<String>,
}

/// The ready videos, newest first, each with the caller's progress.
///
/// # Errors
/// [`Error::Busy`] when too many search at once.
pub async fn list(db: &Database, caller: Option<Caller>, query: VideoQuery) -> Result<Page<Video>, Error> {
    let VideoQuery { limit, cursor, skip, search } = query;
    let mut rows = match search {
        Some(text) => {
            let query =
                search::TextSearch::new(&text, SearchScope::Texts, ResultOrder::Newest, limit + 1, skip).behind(cursor);
            by_ids(db, caller, &search::find(db, query).await?).await?
        }
        None => walk(db, caller, limit + 1, cursor, skip).await?,
    };
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next =
        rows.last().filter(|_| more).map(|Row { video, .. }| Cursor { created_at: video.created_at, id: video.id });
    Ok(Page { items: shown(rows), next })
}

async fn walk(
    db: &Database,
    caller: Option<Caller>,
    limit: u64,
    cursor: Option<Cursor>,
    skip: u64,
) -> Result<Vec<Row>, Error> {
    let mut behind = Condition::all();
    if let Some(Cursor { created_at, id }) = cursor {
        let older = Condition::any()
            .add(video::Column::CreatedAt.lt(created_at))
            .add(video::Column::CreatedAt.eq(created_at).and(video::Column::Id.lt(id)));
        // The first condition is what an index can begin at; the second one alone is what is meant.
        behind = behind.add(video::Column::CreatedAt.lte(created_at)).add(older);
    }
    if skip > 0 {
        let ready = Expr::cust(READY).into_condition();
        let ids = ids(ready.add(behind), SortKey::CreatedAt, SortDirection::Desc, limit, skip);
        return in_order(db, caller, ids, SortKey::CreatedAt, SortDirection::Desc, skip).await;
    }
    let ready = with_progress(caller).filter(video::Column::Status.eq(video::Status::Ready)).filter(behind);
    let newest_first = ready.order_by_desc(video::Column::CreatedAt).order_by_desc(video::Column::Id);
    Ok(newest_first.limit(limit).into_model().all(db.reader()).await?)
}

/// A search in titles, descriptions and names of uploaders.
#[derive(Debug)]
pub struct SearchRequest {
    /// What is sought.
    pub text: String,
    /// The order.
    pub by: SortKey,
    /// How many at most.
    pub limit: u64,
    /// How many to leave out.
    pub skip: u64,
}

/// The ready videos whose title, description or uploader's name contains a text.
///
/// # Errors
/// [`Error::Busy`] when too many search at once.
pub async fn search(db: &Database, caller: Option<Caller>, search: SearchRequest) -> Result<Vec<Video>, Error> {
    let SearchRequest { text, by, limit, skip } = search;
    let sort = match by {
        SortKey::CreatedAt | SortKey::Rating => ResultOrder::Newest,
        SortKey::ViewCount => ResultOrder::Views,
        SortKey::Title => ResultOrder::Title,
    };
    let query = search::TextSearch::new(&text, SearchScope::TextsAndUploader, sort, limit, skip);
    let ids = search::find(db, query).await?;
    Ok(shown(by_ids(db, caller, &ids).await?))
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// When it was registered.
    #[default]
    CreatedAt,
    /// How often it was opened.
    ViewCount,
    /// Its mean rating. Nothing is rated yet, so all are equal and the age decides.
    Rating,
    /// Its title; for a search only.
    Title,
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortDirection {
    /// The smallest or oldest first.
    Asc,
    /// The largest or newest first.
    #[default]
    Desc,
}

/// Which numbered page of the library.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Counted from 1.
    pub page: u64,
    /// Videos on a page.
    pub page_size: u64,
    /// What it is sorted by.
    pub by: SortKey,
    /// Which end comes first.
    pub direction: SortDirection,
}

/// A numbered page of the library.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Paginated)]
pub struct NumberedPage {
    /// The videos; none behind the last page.
    pub items: Vec<Video>,
    /// How many there are in all. Of a large library it is counted once a second.
    #[schema(minimum = 0, example = 1)]
    pub total: u64,
    /// The number of this page.
    #[schema(minimum = 1, example = 1)]
    pub page: u64,
    /// Videos on a page.
    #[schema(minimum = 1, example = 20)]
    pub page_size: u64,
    /// How many pages there are.
    #[schema(minimum = 0, example = 1)]
    pub total_pages: u64,
}

impl NumberedPage {
    /// A page of a list that is empty.
    pub fn empty(paging: PageRequest) -> Self {
        Self { items: Vec::new(), total: 0, page: paging.page, page_size: paging.page_size, total_pages: 0 }
    }
}

/// The ready videos in numbered pages.
///
/// # Errors
/// [`Error::Busy`] when too many ask for a page far behind at once.
pub async fn list_page(db: &Database, caller: Option<Caller>, paging: PageRequest) -> Result<NumberedPage, Error> {
    let PageRequest { page, page_size, by, direction } = paging;
    let total = statistics::summary(db).await?.total_videos;
    let skip = page.saturating_sub(1).saturating_mul(page_size);
    let items = if skip < total { ready(db, caller, by, direction, page_size, skip).await? } else { Vec::new() };
    Ok(NumberedPage { items, total, page, page_size, total_pages: total.div_ceil(Ord::max(page_size, 1)) })
}

/// The ready videos that were opened most often.
///
/// # Errors
/// [`Error::Busy`] when too many ask for what stands far behind at once.
pub async fn list_popular(db: &Database, caller: Option<Caller>, limit: u64, skip: u64) -> Result<Vec<Video>, Error> {
    ready(db, caller, SortKey::ViewCount, SortDirection::Desc, limit, skip).await
}

/// The caller's own videos, ready or not, newest first.
///
/// # Errors
/// [`Error::Busy`] when too many ask for what stands far behind at once.
pub async fn list_own(db: &Database, caller: Caller, limit: u64, skip: u64) -> Result<Vec<Video>, Error> {
    let own = video::Column::UserId.eq(caller.id).and(Expr::cust("status <> 'deleted'")).into_condition();
    let ids = ids(own, SortKey::CreatedAt, SortDirection::Desc, limit, skip);
    Ok(shown(in_order(db, Some(caller), ids, SortKey::CreatedAt, SortDirection::Desc, skip).await?))
}

async fn ready(
    db: &Database,
    caller: Option<Caller>,
    by: SortKey,
    direction: SortDirection,
    limit: u64,
    skip: u64,
) -> Result<Vec<Video>, Error> {
    let ids = ids(Expr::cust(READY).into_condition(), by, direction, limit, skip);
    Ok(shown(in_order(db, caller, ids, by, direction, skip).await?))
}

fn keys(by: SortKey, direction: SortDirection) -> [(video::Column, Order); 2] {
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

/// The ids of a page, out of an index that has all that is asked.
fn ids(of: Condition, by: SortKey, direction: SortDirection, limit: u64, skip: u64) -> SelectStatement {
    let mut ids = SubQuery::select().column(video::Column::Id).from(video::Entity).cond_where(of).take();
    for (column, order) in keys(by, direction) {
        ids.order_by(column, order);
    }
    ids.limit(limit).offset(skip).take()
}

async fn in_order(
    db: &Database,
    caller: Option<Caller>,
    ids: SelectStatement,
    by: SortKey,
    direction: SortDirection,
    skip: u64,
) -> Result<Vec<Row>, Error> {
    let _permit = if skip > FEW { Some(db.long_read_permit().await?) } else { None };
    let mut select = with_progress(caller).filter(video::Column::Id.in_subquery(ids));
    for (column, order) in keys(by, direction) {
        select = select.order_by(column, order);
    }
    Ok(select.into_model().all(db.reader()).await?)
}

async fn by_ids(db: &Database, caller: Option<Caller>, ids: &[i64]) -> Result<Vec<Row>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let select = with_progress(caller).filter(video::Column::Id.is_in(ids.iter().copied()));
    let rows: Vec<Row> = select.into_model().all(db.reader()).await?;
    let mut rows: HashMap<i64, Row> = rows.into_iter().map(|row| (row.video.id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

fn shown(rows: Vec<Row>) -> Vec<Video> {
    rows.into_iter().map(|row| Video::from(row).in_a_list()).collect()
}
