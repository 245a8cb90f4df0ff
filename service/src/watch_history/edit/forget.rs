//! Forgets many entries at once.

use super::lock::{lock_account, lock_entries, lock_videos};
use super::store::delete_forever;
use super::{Edit, MAX_VIDEOS, check_ids};
use crate::storage::Transaction;
use crate::{Error, number};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// Which videos to forget.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VideoIds, example = json!({"video_ids": [1, 2]}))]
pub struct VideoList {
    /// 1 to 500 ids. One that is listed twice counts once.
    #[serde(deserialize_with = "number::whole_list")]
    #[validate(length(min = 1, max = MAX_VIDEOS, message = "must be 1 to 500 ids"), custom(function = check_ids))]
    #[schema(min_items = 1, max_items = 500, example = json!([1, 2]))]
    pub video_ids: Vec<i64>,
}

/// What a deletion of many entries did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WatchHistoryDeletion)]
pub struct Deletion {
    /// How many entries were deleted.
    #[schema(minimum = 0, example = 2)]
    pub deleted: u64,
}

/// Deletes the caller's entries for these videos, with their plays. Videos without an entry, or
/// that the caller may not see, are skipped.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn forget_many(tx: &Transaction, edit: &Edit, videos: &VideoList) -> Result<Deletion, Error> {
    let account = lock_account(tx, edit).await?;
    let visible = Vec::from_iter(lock_videos(tx, &account, &videos.video_ids).await?.into_keys());
    let mut entries = lock_entries(tx, &account, &visible).await?;
    // For the caller the expired ones are gone already; the sweep deletes them.
    entries.retain(|entry| !account.is_expired(entry.last_watched_at));
    delete_forever(tx, edit, &entries).await?;
    Ok(Deletion { deleted: entries.len().try_into().unwrap_or(u64::MAX) })
}
