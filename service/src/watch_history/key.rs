//! The key of an entry, and requests that name an entry.

use crate::storage::input_row;
use chrono::{DateTime, Utc};

input_row! {
    /// The viewer and the video of an entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(super) struct EntryKey {
        user_id: i64,
        video_id: i64,
    }
}

input_row! {
    /// A request that concerns the entry of one key, and when it came.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct EntryRequest {
        user_id: i64,
        video_id: i64,
        now: DateTime<Utc>,
    }
}

impl EntryRequest {
    pub(super) fn key(&self) -> EntryKey {
        EntryKey { user_id: self.user_id, video_id: self.video_id }
    }
}
