//! Adding and changing videos.

use super::new_duration::recompute_completed;
use super::{Video, find, find_own, quota};
use crate::caller::{Caller, UserRole};
use crate::progress::ProgressRules;
use crate::storage::{Event, Transaction};
use crate::{Error, number, picture, search, text};
use chrono::{DateTime, Utc};
use entity::{user, video};
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, IntoActiveModel};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

/// The fields of a new video.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Harbour at dawn", "description": "Filmed from the lighthouse.", "duration": 600}))]
pub struct NewVideo {
    /// 1 to 255 characters, not only white space.
    #[serde(deserialize_with = "text::nfc")]
    #[validate(length(min = 1, max = 255), custom(function = text::not_blank))]
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", example = "Harbour at dawn")]
    pub title: String,
    /// Free text.
    #[serde(default, deserialize_with = "text::nfc_or_null")]
    #[validate(length(max = 10_000), custom(function = text::storable))]
    #[schema(max_length = 10_000, example = "Filmed from the lighthouse.")]
    pub description: Option<String>,
    /// Whole seconds.
    #[serde(default, deserialize_with = "number::whole_or_null")]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 600)]
    pub duration: Option<i32>,
    /// The address of a picture: a path of this site or, for videos of administrators, an https
    /// address. The server never opens it.
    #[validate(length(max = 500), custom(function = text::storable))]
    #[schema(max_length = 500, example = "https://example.org/harbour.jpg")]
    pub thumbnail_path: Option<String>,
}

/// The changes of a video; a field that is absent stays unchanged, `null` removes an optional
/// value.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VideoChange, example = json!({"title": "Harbour at dawn"}))]
pub struct VideoUpdate {
    /// 1 to 255 characters, not only white space.
    #[serde(default, deserialize_with = "text::nfc_or_null")]
    #[validate(length(min = 1, max = 255), custom(function = text::not_blank))]
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", example = "Harbour at dawn")]
    pub title: Option<String>,
    /// Free text.
    #[serde(default, deserialize_with = "text::nfc_double_option")]
    #[validate(length(max = 10_000), custom(function = text::storable))]
    #[schema(value_type = Option<String>, max_length = 10_000, example = "Filmed from the lighthouse.")]
    pub description: Option<Option<String>>,
    /// Whole seconds.
    #[serde(default, deserialize_with = "number::double_option")]
    #[validate(range(min = 0))]
    #[schema(value_type = Option<i32>, minimum = 0, example = 600)]
    pub duration: Option<Option<i32>>,
    /// The address of a picture: a path of this site or, for videos of administrators, an https
    /// address.
    #[serde(default, deserialize_with = "text::double_option")]
    #[validate(length(max = 500), custom(function = text::storable))]
    #[schema(value_type = Option<String>, max_length = 500, example = "https://example.org/harbour.jpg")]
    pub thumbnail_path: Option<Option<String>>,
}

/// Adds a video; it is ready at once. An account may have `limit` videos, any number if `limit` is
/// 0 or the caller is an administrator.
///
/// # Errors
/// [`Error::TooManyVideos`], [`Error::Invalid`] for the picture.
pub async fn create(
    tx: &Transaction,
    caller: Caller,
    new: NewVideo,
    limit: u32,
    now: DateTime<Utc>,
) -> Result<Video, Error> {
    let NewVideo { title, description, duration, thumbnail_path } = new;
    let row = video::ActiveModel {
        user_id: Set(caller.id),
        title: Set(title),
        description: Set(description),
        duration: Set(duration),
        thumbnail_path: Set(picture::validate(thumbnail_path, caller.role)?),
        status: Set(video::Status::Ready),
        created_at: Set(now),
        updated_at: Set(now),
        published_at: Set(Some(now)),
        ..Default::default()
    };
    quota::refuse_more_than(limit, tx, caller).await?;
    let row = video::Entity::insert(row).exec_with_returning(tx).await.map_err(|error| {
        // The caller's account was deleted in the meantime.
        if crate::error::is_foreign_key_violation(&error) { Error::Unauthenticated } else { error.into() }
    })?;
    search::index(tx, &[row.id]).await?;
    tx.record(Event::VideoCreated { video_id: row.id, user_id: caller.id });
    find(tx, Some(caller), row.id).await
}

/// Changes the title, description, duration or picture of a video.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::Forbidden`], [`Error::Invalid`] for the picture.
pub async fn update(
    tx: &Transaction,
    caller: Caller,
    id: i64,
    update: VideoUpdate,
    rules: &ProgressRules,
    now: DateTime<Utc>,
) -> Result<Video, Error> {
    let mut row = changed_row(tx, caller, id, update).await?;
    if row.is_changed() {
        row.updated_at = Set(now);
        let has_new_duration = row.duration.is_set();
        let row = row.update(tx).await.map_err(|error| match error {
            DbErr::RecordNotUpdated => Error::VideoNotFound,
            other => other.into(),
        })?;
        if has_new_duration {
            recompute_completed(tx, id, row.duration, rules, now).await?;
        }
        search::index(tx, &[id]).await?;
        tx.record(Event::VideoChanged { video_id: id });
    }
    find(tx, Some(caller), id).await
}

async fn changed_row(
    tx: &Transaction,
    caller: Caller,
    id: i64,
    update: VideoUpdate,
) -> Result<video::ActiveModel, Error> {
    let VideoUpdate { title, description, duration, thumbnail_path } = update;
    let stored = find_own(tx, caller, id).await?;
    let mut row = stored.clone().into_active_model();
    if let Some(title) = title {
        row.title.set_if_not_equals(title);
    }
    if let Some(description) = description {
        row.description.set_if_not_equals(description);
    }
    if let Some(duration) = duration {
        row.duration.set_if_not_equals(duration);
    }
    // An unchanged address may be older than the rules; clients send it back with other changes.
    if let Some(thumbnail_path) = thumbnail_path.filter(|thumbnail_path| *thumbnail_path != stored.thumbnail_path) {
        let uploader = role_of_uploader(tx, caller, stored.user_id).await?;
        row.thumbnail_path.set_if_not_equals(picture::validate(thumbnail_path, uploader)?);
    }
    Ok(row)
}

/// The role of a video's uploader, who is often the caller.
async fn role_of_uploader(db: &impl ConnectionTrait, caller: Caller, uploader: i64) -> Result<UserRole, Error> {
    if uploader == caller.id {
        return Ok(caller.role);
    }
    let row = user::Entity::find_by_id(uploader).one(db).await?;
    row.map(|row| row.role.into()).ok_or(Error::VideoNotFound)
}
