//! The messages that are pending for one socket: the newest of each video, and flags.

use super::closing::LiveClosing;
use super::limits::MAX_PENDING;
use super::messages::LiveUpdate;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// The messages that a socket has not sent yet. It is bounded, however slow the client is.
#[derive(Debug, Default)]
pub(super) struct PendingMessages {
    /// By video.
    pub(super) updates: HashMap<i64, Arc<LiveUpdate>>,
    /// The latest time before which the history was cleared.
    pub(super) cleared: Option<DateTime<Utc>>,
    pub(super) preferences: bool,
    pub(super) resync: bool,
    pub(super) ping: bool,
    pub(super) closing: Option<LiveClosing>,
}

impl PendingMessages {
    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        let Self { updates, cleared, preferences, resync, ping, closing } = self;
        let has_flag = *preferences || *resync || *ping;
        !has_flag && updates.is_empty() && cleared.is_none() && closing.is_none()
    }

    /// Replaces the pending message of this video. When there are too many, the client is told to
    /// read all changes instead.
    pub(super) fn put(&mut self, video_id: i64, update: Arc<LiveUpdate>) {
        if self.updates.len() >= MAX_PENDING && !self.updates.contains_key(&video_id) {
            self.updates = HashMap::new();
            self.resync = true;
        }
        self.updates.insert(video_id, update);
    }

    /// Keeps the first reason to close.
    pub(super) fn close(&mut self, closing: LiveClosing) {
        self.closing.get_or_insert(closing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_message_of_a_video_replaces_the_older_one() {
        let mut pending = PendingMessages::default();
        let newest = Arc::new(LiveUpdate::Forgotten);
        (0..5).for_each(|_| pending.put(7, Arc::new(LiveUpdate::Forgotten)));
        pending.put(7, newest.clone());
        assert_eq!(pending.updates.len(), 1);
        assert!(Arc::ptr_eq(&pending.updates[&7], &newest) && !pending.resync);
    }

    #[test]
    fn pending_messages_never_grow_beyond_their_limit() {
        let mut pending = PendingMessages::default();
        for video_id in 0..100_000 {
            pending.put(video_id, Arc::new(LiveUpdate::Forgotten));
            assert!(pending.updates.len() <= MAX_PENDING);
        }
        assert!(pending.resync, "the client reads all changes instead");
    }

    #[test]
    fn the_first_reason_to_close_counts() {
        let mut pending = PendingMessages::default();
        assert!(pending.is_empty());
        pending.close(LiveClosing::TokenExpired);
        pending.close(LiveClosing::ShuttingDown);
        assert_eq!(pending.closing, Some(LiveClosing::TokenExpired));
        assert!(!pending.is_empty());
    }
}
