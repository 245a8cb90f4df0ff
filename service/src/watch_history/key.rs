//! The key of an entry.

use crate::storage::input_row;

input_row! {
    /// The viewer and the video of an entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(super) struct EntryKey {
        user_id: i64,
        video_id: i64,
    }
}
