//! The messages between processes: keys, and nothing of what is stored.

use super::RelayedChange;
use crate::storage::Event;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What one process tells the others at once. Fields that a later version adds are skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RelayMessage {
    /// The process that sends it, which does not need to hear it.
    pub(super) from: Uuid,
    /// Viewers and videos whose entries may have changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) entries: Vec<(i64, i64)>,
    /// Viewers who cleared their history, and before which time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cleared: Vec<(i64, DateTime<Utc>)>,
    /// Viewers who changed their preferences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) preferences: Vec<i64>,
    /// Deleted accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) deleted_users: Vec<i64>,
    /// Deleted videos, each with its uploader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) deleted_videos: Vec<(i64, i64)>,
    /// Events of this process were lost before this message.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) has_lost: bool,
    /// The process ends, and has published everything.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) is_farewell: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl RelayMessage {
    /// Calls `receive` for each change.
    pub(super) fn for_each(self, receive: &mut impl FnMut(RelayedChange)) {
        let Self { from: _, entries, cleared, preferences, deleted_users, deleted_videos, .. } = self;
        let mut event = |event| receive(RelayedChange::Event(event));
        entries.into_iter().for_each(|(user_id, video_id)| event(Event::EntryChanged { user_id, video_id }));
        cleared.into_iter().for_each(|(user_id, before)| event(Event::HistoryCleared { user_id, before }));
        preferences.into_iter().for_each(|user_id| event(Event::PreferencesChanged { user_id }));
        deleted_users.into_iter().for_each(|user_id| event(Event::UserDeleted { user_id }));
        deleted_videos.into_iter().for_each(|(video_id, user_id)| event(Event::VideoDeleted { video_id, user_id }));
    }
}
