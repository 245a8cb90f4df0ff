//! The list "continue watching".

use super::entry::PreviousPosition;
use crate::caller::UserRole;
use crate::progress::ProgressRules;
use crate::retention::retention_cutoff;
use crate::storage::{RowReader, input_row, selected_row};
use crate::time::Timestamp;
use crate::{Error, picture, text};
use chrono::{DateTime, Utc};
use entity::watch_history::progress_percentage;
use entity::{user, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::ExprTrait;
use serde::Serialize;
use std::cmp::Reverse;
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
    #[schema(required = true, minimum = 0, example = 600)]
    pub video_duration: Option<i32>,
    /// The URL of its thumbnail.
    #[schema(required = true, example = "/api/v1/videos/1/thumbnail")]
    pub video_thumbnail_path: Option<String>,
    /// Whether there is a picture beside its file, whose address the api crate makes.
    #[serde(skip)]
    pub has_thumbnail_file: bool,
    /// The user name of its uploader.
    #[schema(example = "ann")]
    pub uploader_username: String,
    /// The saved position, in whole seconds from the start.
    #[schema(minimum = 1, example = 150)]
    pub watch_position: i32,
    /// 0.0 to 100.0; 0.0 when the duration is unknown.
    #[schema(minimum = 0, maximum = 100, example = 25.0)]
    pub progress_percentage: f64,
    /// Where a player should start, in whole seconds; 0 is the start of the video.
    #[schema(minimum = 0, example = 150)]
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

/// The alias of `users` under which the statement joins the uploader of a video.
pub(super) const UPLOADER: &str = "uploader";

selected_row! {
    /// A row of the list: columns of the entry, its video and the uploader.
    struct ListItem() {
        video_id: i64 = video::Column::Id.into_expr(),
        watch_position: i32 = watch_history::Column::WatchPosition.into_expr(),
        device: Option<String> = watch_history::Column::Device.into_expr(),
        play_count: i32 = watch_history::Column::PlayCount.into_expr(),
        last_watched_at: DateTime<Utc> = watch_history::Column::LastWatchedAt.into_expr(),
        previous_position: Option<i32> = watch_history::Column::PreviousPosition.into_expr(),
        previous_device: Option<String> = watch_history::Column::PreviousDevice.into_expr(),
        previous_at: Option<DateTime<Utc>> = watch_history::Column::PreviousAt.into_expr(),
        title: String = video::Column::Title.into_expr(),
        description: Option<String> = video::Column::Description.into_expr(),
        duration: Option<i32> = video::Column::Duration.into_expr(),
        thumbnail_path: Option<String> = video::Column::ThumbnailPath.into_expr(),
        thumbnail_file: Option<String> = video::Column::ThumbnailFile.into_expr(),
        username: String = Expr::col((UPLOADER, user::Column::Username)),
        is_uploaded_by_admin: bool = Expr::col((UPLOADER, user::Column::Role)).eq(user::Role::Admin.to_value()),
    }
}

impl ListItem {
    fn into_continue_watching(self, rules: &ProgressRules) -> ContinueWatching {
        let Self { video_id, watch_position, device, play_count, last_watched_at, .. } = self;
        let progress_percentage = progress_percentage(watch_position, self.duration);
        let uploader = if self.is_uploaded_by_admin { UserRole::Admin } else { UserRole::User };
        ContinueWatching {
            video_id,
            video_title: self.title,
            video_description: self.description.map(text::shorten),
            video_duration: self.duration,
            video_thumbnail_path: picture::if_displayable(self.thumbnail_path, uploader),
            has_thumbnail_file: self.thumbnail_file.is_some(),
            uploader_username: self.username,
            watch_position,
            progress_percentage,
            resume_at: rules.resume_at(watch_position, progress_percentage, self.duration),
            device,
            play_count,
            last_watched_at: last_watched_at.into(),
            previous: PreviousPosition::read(self.previous_position, self.previous_device, self.previous_at),
        }
    }
}

/// The rows that a statement returned for one [`ListRequest`].
#[derive(Default)]
pub(super) struct ListRows {
    is_active: bool,
    retention_days: Option<i32>,
    /// How many entries were read, also of videos that the user may not see.
    entries: i64,
    /// The entries whose video the user may see, each with the entry's id.
    visible: Vec<(i64, ListItem)>,
}

impl ListRows {
    /// What the statement selects, in the order of [`ListRows::push`].
    pub(super) fn selected() -> Vec<Expr> {
        let is_active = user::Column::IsActive.into_expr().if_null(false);
        let retention_days = user::Column::RetentionDays.into_expr();
        let mut selected = vec![is_active, retention_days, watch_history::Column::Id.into_expr()];
        selected.extend(ListItem::selected());
        selected
    }

    /// Adds a row. The row has no entry if the user has none or is deleted, and no item if the user
    /// may not see the video.
    pub(super) fn push(&mut self, row: &mut RowReader<'_>) -> Result<(), DbErr> {
        (self.is_active, self.retention_days) = (row.read()?, row.read()?);
        if let Some(entry_id) = row.read()? {
            self.entries += 1;
            self.visible.extend(row.read_joined(ListItem::read)?.map(|item| (entry_id, item)));
        }
        Ok(())
    }

    /// The request to repeat with a larger limit, when invisible videos leave fewer rows than
    /// `wanted` and there may be more.
    pub(super) fn retry(&self, wanted: i64, request: ListRequest) -> Option<ListRequest> {
        let visible = i64::try_from(self.visible.len()).unwrap_or(i64::MAX);
        let is_short = self.entries >= request.limit && visible < wanted;
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
        if let Some(cutoff) = retention_cutoff(self.retention_days, max_days, request.now) {
            self.visible.retain(|(_, item)| item.last_watched_at >= cutoff);
        }
        self.visible.sort_by_key(|(entry_id, item)| Reverse((item.last_watched_at, *entry_id)));
        self.visible.truncate(usize::try_from(request.limit).unwrap_or_default());
        Ok(self.visible.into_iter().map(|(_, item)| item.into_continue_watching(rules)).collect())
    }
}

/// Factor by which the limit grows when invisible videos leave too few rows.
const LIMIT_FACTOR: i64 = 8;
