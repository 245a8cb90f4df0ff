//! The tasks of the hub: they hear what was committed, and read what the sockets wait for.

use super::deadlines;
use super::hub::LiveHub;
use super::messages::LiveUpdate;
use crate::state::AppState;
use service::relay::RelayedChange;
use service::storage::{Event, EventListener};
use service::{Error, watch_history};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::sleep;

/// How many rows one statement reads.
const KEYS_PER_READ: usize = 512;
/// How long events gather before they are looked at. A message is late by half of it; without it,
/// each save would wake the task.
const GATHER_TIME: Duration = Duration::from_millis(2);
/// The pause after a failed read.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Starts the tasks of the hub on the runtime of the database. They end when no socket is left.
pub(super) fn start(app: &Arc<AppState>, hub: LiveHub, listener: EventListener) {
    let (app, mut listener) = (app.clone(), Some(listener));
    app.runtime.clone().spawn(async move {
        loop {
            let listener = listener.take().unwrap_or_else(|| app.db.subscribe());
            match tokio::spawn(run(app.clone(), hub.clone(), listener)).await {
                Ok(()) => return,
                Err(error) => {
                    log::error!(source = "live"; "the live sockets missed changes, and read them anew: {error}");
                    hub.resync(|_| true);
                }
            }
        }
    });
}

async fn run(app: Arc<AppState>, hub: LiveHub, listener: EventListener) {
    tokio::select! {
        () = deadlines::watch(&app, &hub) => {}
        () = deadlines::check_accounts(&app, &hub) => {}
        () = follow(&hub, listener) => {}
        () = read(&app, &hub) => {}
    }
}

/// Passes the events of this process on.
async fn follow(hub: &LiveHub, mut listener: EventListener) {
    loop {
        let mut event = listener.next().await;
        let mut keys = Vec::new();
        loop {
            match event {
                Ok(event) => apply(hub, event, &mut keys),
                Err(RecvError::Lagged(_)) => hub.resync(|_| true),
                // The database is being closed.
                Err(RecvError::Closed) => pending().await,
            }
            event = match listener.try_next() {
                Ok(next) => Ok(next),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
        }
        hub.touch(keys);
        sleep(GATHER_TIME).await;
    }
}

impl LiveHub {
    /// Hears what happened in another process.
    pub fn receive(&self, change: RelayedChange) {
        let mut keys = Vec::new();
        match change {
            RelayedChange::Event(event) => apply(self, event, &mut keys),
            RelayedChange::Missed => self.resync(|_| true),
        }
        self.touch(keys);
    }
}

fn apply(hub: &LiveHub, event: Event, keys: &mut Vec<(i64, i64)>) {
    match event {
        Event::EntrySaved { user_id, video_id }
        | Event::EntryForgotten { user_id, video_id }
        | Event::EntryChanged { user_id, video_id } => keys.push((user_id, video_id)),
        Event::HistoryCleared { user_id, before } => hub.clear(user_id, before),
        Event::PreferencesChanged { user_id } => hub.change_preferences(user_id),
        Event::UserDeleted { user_id } => hub.close_account(user_id),
        Event::VideoDeleted { video_id, .. } => hub.delete_video(video_id),
        Event::VideoCreated { .. } | Event::VideoChanged { .. } => {}
    }
}

/// Reads the rows that sockets wait for, one batch after the other: two reads at once could be told
/// in the wrong order.
async fn read(app: &AppState, hub: &LiveHub) {
    loop {
        let Some((read, keys)) = hub.begin_read(KEYS_PER_READ) else {
            hub.wait_for_keys().await;
            continue;
        };
        let found = watch_history::find_all(&app.history, &keys, app.clock.now()).await;
        let found = found.unwrap_or_else(|error| keys.iter().map(|_| Err(error.clone())).collect());
        let mut failed = Vec::new();
        for (key, found) in keys.into_iter().zip(found) {
            match found {
                Ok(entry) => hub.deliver(read, key, entry.into()),
                Err(Error::HistoryNotFound | Error::VideoNotFound) => hub.deliver(read, key, LiveUpdate::Forgotten),
                Err(Error::Unauthenticated) => hub.close_account(key.0),
                Err(_) => failed.push(key),
            }
        }
        if !failed.is_empty() {
            hub.touch(failed);
            sleep(RETRY_PAUSE).await;
        }
    }
}
