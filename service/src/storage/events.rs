//! Events after the commit. They tell listeners in this process what was saved or deleted.
//!
//! The runner of transactions and the batch workers publish events after their commits. They do not
//! wait for listeners: a slow listener misses events and learns how many. Without listeners no
//! event is created. If the process is killed after a commit and before its event, the event is
//! lost.

use super::outdated_lists::ListInvalidator;
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

/// How many events a listener may be behind: at 20,000 saves a second, a fifth of a second.
const CAPACITY: usize = 4096;

/// Something that was committed. It names what changed and not how: two events may be heard in
/// another order than that of their commits, so a listener reads what it needs. What the database
/// deletes along with a video or a user, such as their entries, has no event of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A save was applied to an entry. A superseded save has no event.
    EntrySaved {
        /// The viewer.
        user_id: i64,
        /// The video.
        video_id: i64,
    },
    /// A viewer deleted an entry.
    EntryForgotten {
        /// The viewer.
        user_id: i64,
        /// The video.
        video_id: i64,
    },
    /// A viewer changed an entry or its plays without a save: by an undo, a mark, the deletion of a
    /// play, or because it was hidden or shown.
    EntryChanged {
        /// The viewer.
        user_id: i64,
        /// The video.
        video_id: i64,
    },
    /// A viewer deleted all entries and plays that were last watched before a time.
    HistoryCleared {
        /// The viewer.
        user_id: i64,
        /// The time.
        before: DateTime<Utc>,
    },
    /// A video was added.
    VideoCreated {
        /// The video.
        video_id: i64,
        /// Its uploader.
        user_id: i64,
    },
    /// What clients see of a video changed, such as its title or its duration. A new view is no
    /// change.
    VideoChanged {
        /// The video.
        video_id: i64,
    },
    /// A video was deleted.
    VideoDeleted {
        /// The video.
        video_id: i64,
        /// Its uploader.
        user_id: i64,
    },
    /// A viewer changed the preferences: what is kept of the history, or the part in
    /// recommendations.
    PreferencesChanged {
        /// The viewer.
        user_id: i64,
    },
    /// An account was deleted, with its videos.
    UserDeleted {
        /// The account.
        user_id: i64,
    },
}

impl Event {
    /// The viewer whose list "continue watching" may have changed. Changes of videos and accounts
    /// outdate the lists of everybody.
    pub(super) fn listing_user(&self) -> Option<i64> {
        match *self {
            Self::EntrySaved { user_id, .. }
            | Self::EntryForgotten { user_id, .. }
            | Self::EntryChanged { user_id, .. }
            | Self::HistoryCleared { user_id, .. }
            | Self::PreferencesChanged { user_id } => Some(user_id),
            Self::VideoCreated { .. }
            | Self::VideoChanged { .. }
            | Self::VideoDeleted { .. }
            | Self::UserDeleted { .. } => None,
        }
    }
}

/// Publishes events to the listeners. Clones share the listeners.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventPublisher {
    listeners: Arc<AtomicUsize>,
    /// Made for the first listener, so that a process without any needs no memory for it.
    channel: Arc<OnceLock<broadcast::Sender<Event>>>,
    lists: ListInvalidator,
}

impl EventPublisher {
    /// What a commit does about lists that processes share.
    pub(crate) fn lists(&self) -> &ListInvalidator {
        &self.lists
    }

    /// Whether anybody listens. It costs one relaxed load: ask before an event is made.
    pub(crate) fn has_listeners(&self) -> bool {
        self.listeners.load(Ordering::Relaxed) > 0
    }

    /// Publishes an event. It does not wait, and does not fail.
    pub(crate) fn publish(&self, event: Event) {
        if self.has_listeners()
            && let Some(channel) = self.channel.get()
        {
            // It fails when the last listener left just now, which is no failure of the writer.
            let _ = channel.send(event);
        }
    }

    /// Adds a listener, which gets the events that are published from now on.
    pub(crate) fn subscribe(&self) -> EventListener {
        let receiver = self.channel.get_or_init(|| broadcast::Sender::new(CAPACITY)).subscribe();
        self.listeners.fetch_add(1, Ordering::Relaxed);
        EventListener { receiver, listeners: self.listeners.clone() }
    }
}

/// Receives events, until it is dropped. The events of one user's saves come in the order of their
/// commits.
#[derive(Debug)]
pub struct EventListener {
    receiver: broadcast::Receiver<Event>,
    listeners: Arc<AtomicUsize>,
}

impl EventListener {
    /// Waits for the next event.
    ///
    /// # Errors
    /// [`RecvError::Lagged`] with the number of missed events: the listener should read again what
    /// it keeps. [`RecvError::Closed`] when all clones of the database and its histories are
    /// dropped.
    pub async fn next(&mut self) -> Result<Event, RecvError> {
        self.receiver.recv().await
    }

    /// The next event if there is one already.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`], and those of [`EventListener::next`].
    pub fn try_next(&mut self) -> Result<Event, TryRecvError> {
        self.receiver.try_recv()
    }
}

impl Drop for EventListener {
    fn drop(&mut self) {
        self.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELETED: Event = Event::UserDeleted { user_id: 1 };

    #[test]
    fn without_a_listener_there_is_no_channel() {
        let publisher = EventPublisher::default();
        publisher.publish(DELETED);
        assert!(!publisher.has_listeners() && publisher.channel.get().is_none());
    }

    #[test]
    fn a_listener_counts_until_it_is_dropped() {
        let publisher = EventPublisher::default();
        let (mut one, other) = (publisher.subscribe(), publisher.clone().subscribe());
        drop(other);
        publisher.publish(DELETED);
        assert_eq!(one.try_next(), Ok(DELETED));
        drop(one);
        assert!(!publisher.has_listeners());
    }

    #[test]
    fn a_listener_learns_how_many_events_it_missed() {
        let publisher = EventPublisher::default();
        let mut slow = publisher.subscribe();
        (0..CAPACITY + 3).for_each(|_| publisher.publish(DELETED));
        assert_eq!(slow.try_next(), Err(TryRecvError::Lagged(3)));
        assert_eq!(slow.try_next(), Ok(DELETED));
    }

    #[tokio::test]
    async fn a_listener_hears_of_the_end() {
        let publisher = EventPublisher::default();
        let mut listener = publisher.subscribe();
        drop(publisher);
        assert_eq!(listener.next().await, Err(RecvError::Closed));
    }
}
