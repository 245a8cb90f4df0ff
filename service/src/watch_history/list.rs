//! The list "continue watching".

use super::entry::PreviousPosition;
use crate::Error;
use crate::progress::ProgressRules;
use crate::retention::retention_cutoff;
use crate::storage::{RowReader, input_row, selected_row};
use crate::time::Timestamp;
use crate::video::{SummaryCache, VideoSummary, video_revision};
use chrono::{DateTime, Utc};
use entity::watch_history::progress_percentage;
use entity::{user, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::ExprTrait;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;
use utoipa::ToSchema;

/// A video that the caller has started and not completed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContinueWatchingItem)]
pub struct ContinueWatching {
    /// The video's id.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Its title.
    #[schema(example = "Harbour at dawn")]
    pub video_title: String,
    /// Its description, cut after 500 characters; a cut one ends in `…`.
    #[schema(required = true, example = "Filmed from the lighthouse.")]
    pub video_description: Option<String>,
    /// Its duration in whole seconds.
    #[schema(required = true, minimum = 0, example = 60)]
    pub video_duration: Option<i32>,
    /// The URL of its thumbnail.
    #[schema(required = true, example = "/api/v1/videos/1/thumbnail")]
    pub video_thumbnail_path: Option<String>,
    /// Whether there is a picture file beside the video file. The api crate makes its address.
    #[serde(skip)]
    pub has_thumbnail_file: bool,
    /// The user name of its uploader.
    #[schema(example = "ann")]
    pub uploader_username: String,
    /// The saved position, in whole seconds from the start.
    #[schema(minimum = 1, example = 15)]
    pub watch_position: i32,
    /// 0.0 to 100.0; 0.0 when the duration is unknown.
    #[schema(minimum = 0, maximum = 100, example = 25.0)]
    pub progress_percentage: f64,
    /// Where a player should start, in whole seconds; 0 is the start of the video.
    #[schema(minimum = 0, example = 15)]
    pub resume_at: i32,
    /// The device that the position comes from, as named by the last applied save.
    #[schema(required = true, example = "Living room")]
    pub device: Option<String>,
    /// How often the caller has completed it.
    #[schema(minimum = 0, example = 0)]
    pub play_count: i32,
    /// When the player was at this position.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_watched_at: Timestamp,
    /// The position that was given up last, so that a player can offer it; null if there is none.
    #[schema(required = true, schema_with = PreviousPosition::nullable_schema)]
    pub previous: Option<PreviousPosition>,
}

input_row! {
    /// A request for the entries that a user watched last, `limit` of them at most.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct ListRequest {
        user_id: i64,
        limit: i64,
        now: DateTime<Utc>,
    }
}

selected_row! {
    /// A row of the list.
    #[derive(Debug)]
    pub(super) struct ListEntry() {
        entry_id: i64 = watch_history::Column::Id.into_expr(),
        video_id: i64 = watch_history::Column::VideoId.into_expr(),
        watch_position: i32 = watch_history::Column::WatchPosition.into_expr(),
        device: Option<String> = watch_history::Column::Device.into_expr(),
        play_count: i32 = watch_history::Column::PlayCount.into_expr(),
        last_watched_at: DateTime<Utc> = watch_history::Column::LastWatchedAt.into_expr(),
        previous_position: Option<i32> = watch_history::Column::PreviousPosition.into_expr(),
        previous_device: Option<String> = watch_history::Column::PreviousDevice.into_expr(),
        previous_at: Option<DateTime<Utc>> = watch_history::Column::PreviousAt.into_expr(),
    }
}

impl ListEntry {
    fn into_continue_watching(self, video: VideoSummary, rules: &ProgressRules) -> ContinueWatching {
        let Self { video_id, watch_position, device, play_count, last_watched_at, .. } = self;
        let progress_percentage = progress_percentage(watch_position, video.duration);
        ContinueWatching {
            video_id,
            video_title: video.title,
            video_description: video.description,
            video_duration: video.duration,
            video_thumbnail_path: video.thumbnail_path,
            has_thumbnail_file: video.has_thumbnail_file,
            uploader_username: video.uploader_username,
            watch_position,
            progress_percentage,
            resume_at: rules.resume_at(watch_position, progress_percentage, video.duration),
            device,
            play_count,
            last_watched_at: last_watched_at.into(),
            previous: PreviousPosition::read(self.previous_position, self.previous_device, self.previous_at),
        }
    }
}

/// The rows that a statement returned for one [`ListRequest`].
#[derive(Debug, Default)]
pub(super) struct ListRows {
    pub(super) is_active: bool,
    pub(super) is_admin: bool,
    pub(super) retention_days: Option<i32>,
    /// The limit of the request.
    pub(super) limit: i64,
    /// The revision of all video summaries at the moment of the statement.
    pub(super) revision: i64,
    /// The entries, also of videos that the user may not see, each with the summary of its video.
    /// [`ListRows::fill_from_cache`] puts them in order.
    pub(super) entries: Vec<(ListEntry, Option<VideoSummary>)>,
}

impl ListRows {
    /// What the statement selects, in the order of [`ListRows::push`].
    pub(super) fn selected() -> Vec<Expr> {
        let is_active = user::Column::IsActive.into_expr().if_null(false);
        let is_admin = user::Column::Role.eq(user::Role::Admin).if_null(false);
        let retention_days = user::Column::RetentionDays.into_expr();
        let mut selected = vec![is_active, is_admin, retention_days, video_revision()];
        selected.extend(ListEntry::selected());
        selected
    }

    /// Adds a row. The row has no entry if the user has none or is deleted.
    pub(super) fn push(&mut self, row: &mut RowReader<'_>) -> Result<(), DbErr> {
        if self.entries.is_empty() {
            (self.is_active, self.is_admin) = (row.read()?, row.read()?);
            (self.retention_days, self.revision) = (row.read()?, row.read()?);
        } else {
            // They are the same in all rows.
            row.skip(4);
        }
        self.entries.extend(row.read_joined(ListEntry::read)?.map(|entry| (entry, None)));
        Ok(())
    }

    /// Whether there are as many entries as the request wants.
    pub(super) fn has_enough(&self, request: &ListRequest) -> bool {
        i64::try_from(self.entries.len()).is_ok_and(|entries| entries >= request.limit)
    }

    /// Keeps as many entries as the request wants, the last watched first, and takes the summaries
    /// of their videos from the cache. Returns the ids of the videos whose summaries must be read.
    pub(super) fn fill_from_cache(&mut self, request: &ListRequest, cache: &SummaryCache) -> impl Iterator<Item = i64> {
        self.limit = request.limit;
        self.entries.sort_unstable_by_key(|(entry, _)| Reverse((entry.last_watched_at, entry.entry_id)));
        self.entries.truncate(usize::try_from(request.limit).unwrap_or_default());
        let video_ids = self.entries.iter().map(|(entry, _)| entry.video_id);
        let found = cache.find(video_ids, self.revision);
        self.entries.iter_mut().zip(found).for_each(|((_, video), found)| *video = found);
        self.entries.iter().filter(|(_, video)| video.is_none()).map(|(entry, _)| entry.video_id)
    }

    /// Adds the summaries that were read. A video that is not among them was deleted.
    pub(super) fn add_summaries(&mut self, read: &HashMap<i64, VideoSummary>) {
        for (entry, video) in self.entries.iter_mut().filter(|(_, video)| video.is_none()) {
            *video = read.get(&entry.video_id).cloned();
        }
    }

    fn is_visible(&self, request: &ListRequest, video: &VideoSummary) -> bool {
        video.visibility.includes(request.user_id, self.is_admin)
    }

    /// The request to repeat with a larger limit, when invisible videos leave fewer rows than
    /// `wanted` and there may be more.
    pub(super) fn retry(&self, wanted: i64, request: ListRequest) -> Option<ListRequest> {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let videos = self.entries.iter().filter_map(|(_, video)| video.as_ref());
        let visible = count(videos.filter(|video| self.is_visible(&request, video)).count());
        let is_short = count(self.entries.len()) >= request.limit && visible < wanted;
        is_short.then(|| ListRequest { limit: request.limit * LIMIT_FACTOR, ..request })
    }

    /// The list, the last watched video first, without expired entries. `max_days` is the setting
    /// `HISTORY_MAX_DAYS`.
    pub(super) fn into_list(
        mut self,
        request: &ListRequest,
        rules: &ProgressRules,
        max_days: Option<i32>,
    ) -> Result<Vec<ContinueWatching>, Error> {
        if !self.is_active {
            return Err(Error::Unauthenticated);
        }
        let mut entries = std::mem::take(&mut self.entries);
        if let Some(cutoff) = retention_cutoff(self.retention_days, max_days, request.now) {
            entries.retain(|(entry, _)| entry.last_watched_at >= cutoff);
        }
        let limit = usize::try_from(request.limit).unwrap_or_default();
        let visible = entries.into_iter().filter_map(|(entry, video)| Some((entry, video?)));
        let visible = visible.filter(|(_, video)| self.is_visible(request, video)).take(limit);
        Ok(visible.map(|(entry, video)| entry.into_continue_watching(video, rules)).collect())
    }
}

/// Factor by which the limit grows when invisible videos leave too few rows.
const LIMIT_FACTOR: i64 = 8;
