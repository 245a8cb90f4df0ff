//! Which viewers completed which videos, read in small steps.

use super::MAX_VIDEOS_PER_VIEWER;
use super::pace::Pace;
use crate::retention::retention_cutoff;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::{user, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{ExprTrait, Func, Order, Query, SelectStatement, WindowStatement};
use sea_orm::{Condition, FromQueryResult, QueryOrder, QuerySelect};
use std::collections::HashMap;

/// Viewers whose entries one statement reads. They have at most 500 rows each, so that a step is
/// short.
const VIEWERS_PER_STEP: u64 = 20;

/// A viewer who is learned from.
#[derive(Clone, Copy, Debug, FromQueryResult)]
struct LearnedViewer {
    id: i64,
    retention_days: Option<i32>,
}

/// The completed videos of viewers. A video is named by its index, which is a number from 0 on; so
/// is a viewer. It takes 8 bytes for each completed video of a viewer.
#[derive(Debug, Default)]
pub(super) struct Completions {
    /// The ids of the videos, by index.
    pub(super) videos: Vec<i64>,
    index_by_id: HashMap<i64, u32>,
    /// The videos of all viewers, one viewer after the other.
    of_viewers: Vec<u32>,
    /// Where the videos of each viewer end.
    ends: Vec<usize>,
}

impl Completions {
    /// Adds the next viewer.
    pub(super) fn add_viewer(&mut self, completed: impl IntoIterator<Item = i64>) {
        for id in completed {
            let next = u32::try_from(self.videos.len()).unwrap_or(u32::MAX);
            let index = *self.index_by_id.entry(id).or_insert(next);
            if index == next {
                self.videos.push(id);
            }
            self.of_viewers.push(index);
        }
        self.ends.push(self.of_viewers.len());
    }

    pub(super) fn viewers(&self) -> usize {
        self.ends.len()
    }

    /// The videos of a viewer.
    pub(super) fn of_viewer(&self, viewer: u32) -> &[u32] {
        let viewer = viewer as usize;
        let start = viewer.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.of_viewers[start..self.ends[viewer]]
    }
}

/// Reads the completed videos of all viewers who are learned from. Only ready videos count, and no
/// entries that have expired.
pub(super) async fn read(
    db: &Database,
    max_days: Option<i32>,
    now: DateTime<Utc>,
    pace: Pace,
) -> Result<Completions, Error> {
    let (mut completions, mut last_id) = (Completions::default(), 0);
    loop {
        let viewers = next_viewers(db, last_id).await?;
        let Some(last) = viewers.last() else { return Ok(completions) };
        last_id = last.id;
        let rows = pace.step(read_entries(db, &viewers, max_days, now)).await?;
        for of_viewer in rows.chunk_by(|(one, _), (other, _)| one == other) {
            completions.add_viewer(of_viewer.iter().map(|(_, video_id)| *video_id));
        }
    }
}

async fn next_viewers(db: &Database, after: i64) -> Result<Vec<LearnedViewer>, Error> {
    let viewers = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::RetentionDays])
        .filter(user::Column::Id.gt(after))
        .filter(user::Column::Recommendations.eq(true))
        .filter(user::Column::IsActive.eq(true))
        .filter(user::Column::HistoryMode.eq(user::HistoryMode::On))
        .order_by_asc(user::Column::Id)
        .limit(VIEWERS_PER_STEP);
    Ok(viewers.into_model().all(db.reader()).await?)
}

/// The viewer and the video of each completed entry, sorted by viewer.
async fn read_entries(
    db: &Database,
    viewers: &[LearnedViewer],
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Vec<(i64, i64)>, Error> {
    let mut select = Query::select();
    select
        .columns(["user_id", "video_id"])
        .from_subquery(ranked_entries(viewers, max_days, now), "ranked")
        .and_where(Expr::col("rank").lte(MAX_VIDEOS_PER_VIEWER))
        .order_by("user_id", Order::Asc);
    let rows = db.reader().query_all(&select).await?;
    let rows: Result<_, _> =
        rows.iter().map(|row| Ok((row.try_get("", "user_id")?, row.try_get("", "video_id")?))).collect();
    rows.map_err(|error: DbErr| error.into())
}

/// The completed entries, each with its rank by time among those of its viewer.
fn ranked_entries(viewers: &[LearnedViewer], max_days: Option<i32>, now: DateTime<Utc>) -> SelectStatement {
    use watch_history::{Column, Entity};
    let newest_first = WindowStatement::partition_by((Entity, Column::UserId))
        .order_by((Entity, Column::LastWatchedAt), Order::Desc)
        .order_by((Entity, Column::Id), Order::Desc)
        .take();
    let mut is_expired = Condition::any();
    for viewer in viewers {
        if let Some(cutoff) = retention_cutoff(viewer.retention_days, max_days, now) {
            is_expired = is_expired.add(Column::UserId.eq(viewer.id).and(Column::LastWatchedAt.lt(cutoff)));
        }
    }
    Query::select()
        .columns([(Entity, Column::UserId), (Entity, Column::VideoId)])
        .expr_window_as(Func::cust("row_number"), newest_first, "rank")
        .from(Entity)
        .inner_join(video::Entity, video::Column::Id.into_expr().equals((Entity, Column::VideoId)))
        .and_where(Column::UserId.is_in(viewers.iter().map(|viewer| viewer.id)))
        .and_where(Column::PlayCount.gte(1))
        .and_where(video::Column::Status.eq(video::Status::Ready))
        .cond_where(Condition::all().add_option((!is_expired.is_empty()).then(|| is_expired.not())))
        .take()
}
