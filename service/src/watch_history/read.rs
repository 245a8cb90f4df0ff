//! What is read of the watch history, and how it is shown.

use super::entry::Row;
use crate::caller::UserRole;
use crate::picture;
use crate::progress::ProgressRules;
use crate::storage::RowReader;
use crate::time::Timestamp;
use crate::video::thumbnail_address;
use crate::{Error, text};
use chrono::{DateTime, Utc};
use entity::watch_history::progress_percentage;
use sea_orm::DbErr;
use serde::Serialize;
use std::cmp::Reverse;
use utoipa::ToSchema;

/// A video that the caller has begun and not finished.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContinueWatchingItem)]
pub struct ContinueWatching {
    /// The video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Its title.
    #[schema(example = "Harbour at dawn")]
    pub video_title: String,
    /// Its description; one of more than 500 characters is cut there and ends in `…`.
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
pub(super) struct Found {
    pub(super) n: i64,
    standing: bool,
    visible: bool,
    row: Option<Row>,
}

impl Found {
    /// In the order of the statement.
    pub(super) fn read(columns: &mut RowReader<'_>) -> Result<Self, DbErr> {
        let (n, standing, visible) = (columns.read()?, columns.read()?, columns.read()?);
        Ok(Self { n, standing, visible, row: Row::read(columns)? })
    }

    /// The row, or why the caller gets none.
    pub(super) fn into_row(self) -> Result<Row, Error> {
        match self {
            Self { standing: false, .. } => Err(Error::Unauthenticated),
            Self { visible: false, .. } => Err(Error::VideoNotFound),
            Self { row, .. } => row.ok_or(Error::HistoryNotFound),
        }
    }
}

/// An item as the statement makes it.
pub(super) struct Item {
    id: i64,
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
    username: String,
    is_of_administrator: bool,
}

impl Item {
    fn shown(self, rules: &ProgressRules) -> ContinueWatching {
        let Self { video_id, watch_position, device, play_count, title, description, duration, .. } = self;
        let progress_percentage = progress_percentage(watch_position, duration);
        let uploader = if self.is_of_administrator { UserRole::Admin } else { UserRole::User };
        let thumbnail_path = picture::if_displayable(self.thumbnail_path, uploader);
        ContinueWatching {
            video_id,
            video_title: title,
            video_description: description.map(text::shorten),
            video_duration: duration,
            video_thumbnail_path: thumbnail_address(video_id, thumbnail_path, self.thumbnail_file.as_deref()),
            uploader_username: self.username,
            watch_position,
            progress_percentage,
            resume_at: rules.resume_at(watch_position, progress_percentage, duration),
            device,
            play_count,
            last_watched_at: self.last_watched_at.into(),
        }
    }
}

/// By how much more rows are read when too few of a user's newest ones have a video that the user may see.
pub(super) const MORE_ROWS: i64 = 8;

/// What was read for a list.
#[derive(Default)]
pub(super) struct Listed {
    standing: bool,
    /// How many rows, with those whose video may not be seen.
    rows: i64,
    items: Vec<Item>,
}

impl Listed {
    /// Takes a row, in the order of the statement and of the fields of [`Item`]. There is one without an item when the user has begun
    /// nothing, and none when the account is gone.
    pub(super) fn take(&mut self, columns: &mut RowReader<'_>) -> Result<(), DbErr> {
        self.standing = columns.read()?;
        let Some(id) = columns.read()? else { return Ok(()) };
        self.rows += 1;
        let Some(video_id) = columns.read()? else { return Ok(()) };
        self.items.push(Item {
            id,
            video_id,
            watch_position: columns.read()?,
            device: columns.read()?,
            play_count: columns.read()?,
            last_watched_at: columns.timestamp()?,
            title: columns.read()?,
            description: columns.read()?,
            duration: columns.read()?,
            thumbnail_path: columns.read()?,
            thumbnail_file: columns.read()?,
            username: columns.read()?,
            is_of_administrator: columns.read()?,
        });
        Ok(())
    }

    /// Whether there may be more to show than was found among the `most` newest rows.
    pub(super) fn is_short(&self, wanted: i64, most: i64) -> bool {
        self.rows >= most && i64::try_from(self.items.len()).is_ok_and(|items| items < wanted)
    }

    /// The list, the last watched first.
    pub(super) fn shown(self, wanted: i64, rules: &ProgressRules) -> Result<Vec<ContinueWatching>, Error> {
        let Self { standing: true, mut items, .. } = self else { return Err(Error::Unauthenticated) };
        items.sort_by_key(|item| Reverse((item.last_watched_at, item.id)));
        items.truncate(usize::try_from(wanted).unwrap_or_default());
        Ok(items.into_iter().map(|item| item.shown(rules)).collect())
    }
}

/// The same failure for each of so many questions.
pub(super) fn failed<A>(questions: usize, error: &Error) -> Vec<Result<A, Error>> {
    (0..questions).map(|_| Err(error.clone())).collect()
}
