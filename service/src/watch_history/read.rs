//! Reading entries and lists, for many callers at once.

use super::Table;
use super::entry::{Entry, Row};
use crate::Error;
use crate::progress::Rules;
use crate::time::Timestamp;
use crate::video::thumbnail_path;
use chrono::{DateTime, Utc};
use entity::watch_history::progress_percentage;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use serde::Serialize;
use std::cmp::Reverse;
use utoipa::ToSchema;

/// A video that the caller has begun and not finished.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContinueWatching {
    /// The video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Its title.
    #[schema(example = "Harbour at dawn")]
    pub video_title: String,
    /// Its description.
    #[schema(required = true, example = "Filmed from the lighthouse.")]
    pub video_description: Option<String>,
    /// Its duration in whole seconds.
    #[schema(required = true, minimum = 0, example = 600)]
    pub video_duration: Option<i32>,
    /// The address of its picture.
    #[schema(required = true, example = "/api/v1/videos/1/thumbnail")]
    pub video_thumbnail_path: Option<String>,
    /// Who uploaded it.
    #[schema(example = "ann")]
    pub uploader_username: String,
    /// Where the player stood, in whole seconds from the start.
    #[schema(minimum = 1, example = 150)]
    pub watch_position: i32,
    /// 0.0 to 100.0; 0.0 when the duration is unknown.
    #[schema(minimum = 0, maximum = 100, example = 25.0)]
    pub progress_percentage: f64,
    /// Where a player should begin, in whole seconds; 0 for the start.
    #[schema(minimum = 0, example = 150)]
    pub resume_at: i32,
    /// What the position comes from, as the last save that was taken called it.
    #[schema(required = true, example = "Living room")]
    pub device: Option<String>,
    /// How often it was watched to its end before.
    #[schema(minimum = 0, example = 0)]
    pub play_count: i32,
    /// When the position was last true.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_watched_at: Timestamp,
}

/// What a lookup found of a user and a video.
#[derive(FromQueryResult)]
pub(super) struct Found {
    n: i64,
    standing: bool,
    visible: bool,
    #[sea_orm(nested)]
    row: Option<Row>,
}

impl Found {
    /// The row, or why the caller gets none.
    pub(super) fn into_row(self) -> Result<Row, Error> {
        match self {
            Self { standing: false, .. } => Err(Error::Unauthenticated),
            Self { visible: false, .. } => Err(Error::VideoNotFound),
            Self { row, .. } => row.ok_or(Error::HistoryNotFound),
        }
    }
}

/// The rows of these users and videos, in this order.
pub(super) async fn look_up(
    db: &impl ConnectionTrait,
    table: &Table,
    keys: &[(i64, i64)],
) -> Result<Vec<Found>, DbErr> {
    let rows = db.query_all_raw(table.statements.find(keys)).await?;
    let mut found = rows.iter().map(|row| Found::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|found| found.n);
    Ok(found)
}

/// The entries of these users and videos.
pub(super) async fn find(table: &Table, keys: &[(i64, i64)]) -> Vec<Result<Entry, Error>> {
    match look_up(&table.reader, table, keys).await {
        Ok(found) => found.into_iter().map(|found| Ok(found.into_row()?.shown(&table.rules, None))).collect(),
        Err(error) => failed(keys.len(), error),
    }
}

/// One row of somebody's list; of an empty one, a row of nothing.
#[derive(FromQueryResult)]
struct Listed {
    n: i64,
    standing: bool,
    #[sea_orm(nested)]
    begun: Option<Begun>,
}

#[derive(FromQueryResult)]
struct Begun {
    history_id: i64,
    video_id: i64,
    watch_position: i32,
    device: Option<String>,
    play_count: i32,
    last_watched_at: DateTime<Utc>,
    title: String,
    description: Option<String>,
    duration: Option<i32>,
    thumbnail_path: Option<String>,
    thumbnail_file: Option<String>,
    uploader_username: String,
}

impl Begun {
    fn shown(self, rules: &Rules) -> ContinueWatching {
        let Self { video_id, watch_position, device, play_count, title, description, duration, .. } = self;
        let progress_percentage = progress_percentage(watch_position, duration);
        ContinueWatching {
            video_id,
            video_title: title,
            video_description: description,
            video_duration: duration,
            video_thumbnail_path: thumbnail_path(video_id, self.thumbnail_path, self.thumbnail_file.as_deref()),
            uploader_username: self.uploader_username,
            watch_position,
            progress_percentage,
            resume_at: rules.resume_at(watch_position, progress_percentage),
            device,
            play_count,
            last_watched_at: self.last_watched_at.into(),
        }
    }
}

/// What these users have begun and not finished, each with how many they want to see, the last watched first.
pub(super) async fn list(table: &Table, asked: &[(i64, i64)]) -> Vec<Result<Vec<ContinueWatching>, Error>> {
    let read = async {
        let rows = table.reader.query_all_raw(table.statements.list(asked)).await?;
        rows.iter().map(|row| Listed::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()
    };
    let mut listed = match read.await {
        Ok(listed) => listed,
        Err(error) => return failed(asked.len(), error),
    };
    listed.sort_by_key(|Listed { n, begun, .. }| {
        (*n, begun.as_ref().map(|begun| Reverse((begun.last_watched_at, begun.history_id))))
    });
    let mut listed = listed.into_iter().peekable();
    let lists = (1..).zip(asked).map(|(n, (_, items))| {
        let mut standing = false;
        let mut list = Vec::new();
        while let Some(next) = listed.next_if(|next| next.n == n) {
            standing = next.standing;
            list.extend(next.begun.map(|begun| begun.shown(&table.rules)));
        }
        list.truncate(usize::try_from(*items).unwrap_or_default());
        if standing { Ok(list) } else { Err(Error::Unauthenticated) }
    });
    lists.collect()
}

fn failed<A>(questions: usize, error: DbErr) -> Vec<Result<A, Error>> {
    let error = Error::from(error);
    (0..questions).map(|_| Err(error.clone())).collect()
}
