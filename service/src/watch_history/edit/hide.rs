//! Hide and show: whether an entry is on the list "continue watching".

use super::{Edit, change_entry};
use crate::Error;
use crate::storage::Transaction;
use crate::time;
use crate::watch_history::Entry;
use crate::watch_history::rules::show;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

/// How long a video stays off "continue watching".
#[derive(Clone, Copy, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until": "2100-01-01T00:00:00.000Z"}))]
pub struct Hiding {
    /// When it comes back by itself, a time in the future; never by default.
    #[serde(default, deserialize_with = "time::time_or_null")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2100-01-01T00:00:00.000Z")]
    pub until: Option<DateTime<Utc>>,
}

/// Takes a video off the caller's list "continue watching". It comes back when a save moves the
/// position, or at a time.
///
/// # Errors
/// [`Error::Invalid`] when `until` is not in the future; [`Error::VideoNotFound`],
/// [`Error::HistoryNotFound`]; [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn hide(tx: &Transaction, edit: &Edit, video_id: i64, hiding: Hiding) -> Result<Entry, Error> {
    let Hiding { until } = hiding;
    if until.is_some_and(|until| until <= edit.now) {
        return Err(Error::Invalid { field: "until".into(), message: "must be in the future".into() });
    }
    change_entry(tx, edit, video_id, |entry, _| {
        (entry.hidden, entry.hidden_until) = (true, until);
        Ok(None)
    })
    .await
}

/// Shows a video on the caller's list "continue watching" again.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::HistoryNotFound`]; [`Error::Unauthenticated`] when the
/// account is gone or deactivated.
pub async fn unhide(tx: &Transaction, edit: &Edit, video_id: i64) -> Result<Entry, Error> {
    change_entry(tx, edit, video_id, |entry, _| {
        show(entry);
        Ok(None)
    })
    .await
}
