//! The hub: all live sockets of the process, by viewer.

use super::closing::LiveClosing;
use super::limits::LiveLimits;
use super::messages::LiveUpdate;
use super::reader;
use super::socket::{Delivery, LiveSocket, SignedInViewer};
use crate::error::Problem;
use crate::state::AppState;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use chrono::{DateTime, Utc};
use service::Error;
use service::limit::Network;
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore};

/// How many sockets may read what they missed at the same time: after a restart thousands come back
/// at once, and requests need connections too.
const CATCH_UPS: usize = 4;

/// The live sockets of this process. Clones share them.
///
/// Its public methods are for what other processes did: this process's own changes arrive as events
/// after the commit. It listens to them only while there is a socket, so that without one a save
/// costs nothing more.
#[derive(Clone, Debug)]
pub struct LiveHub(Arc<HubState>);

#[derive(Debug)]
struct HubState {
    limits: LiveLimits,
    registry: Mutex<Registry>,
    /// Wakes the reader when there are keys to read.
    touched: Notify,
    /// How many sockets may read what they missed at the same time.
    catch_ups: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Registry {
    sockets: HashMap<u64, Arc<LiveSocket>>,
    /// The sockets that said hello, by user.
    viewers: HashMap<i64, Vec<Arc<LiveSocket>>>,
    /// How many sockets have not said hello yet, by address.
    waiting: HashMap<Network, usize>,
    /// Viewers and videos whose rows must be read.
    dirty: HashSet<(i64, i64)>,
    /// The number of the next read.
    next_read: u64,
    is_reading: bool,
    /// Videos that were deleted since the running read began: it may still have found their
    /// entries.
    deleted: HashSet<i64>,
    last_id: u64,
    is_running: bool,
}

/// A socket that is registered until this is dropped.
pub(super) struct RegisteredSocket {
    pub(super) hub: LiveHub,
    pub(super) socket: Arc<LiveSocket>,
}

impl LiveHub {
    /// A hub without sockets.
    pub fn new(limits: LiveLimits) -> Self {
        Self(Arc::new(HubState {
            limits,
            registry: Mutex::default(),
            touched: Notify::new(),
            catch_ups: Arc::new(Semaphore::new(CATCH_UPS)),
        }))
    }

    /// How many sockets are open.
    pub fn socket_count(&self) -> usize {
        self.lock().sockets.len()
    }

    /// These entries, each a viewer and a video, may have changed.
    pub fn touch(&self, keys: impl IntoIterator<Item = (i64, i64)>) {
        let mut registry = self.lock();
        let Registry { viewers, dirty, .. } = &mut *registry;
        let before = dirty.len();
        dirty.extend(keys.into_iter().filter(|(user_id, _)| viewers.contains_key(user_id)));
        if dirty.len() > before {
            drop(registry);
            self.0.touched.notify_one();
        }
    }

    /// The viewer deleted all entries that were last watched before a time.
    pub fn clear(&self, user_id: i64, before: DateTime<Utc>) {
        let mut registry = self.lock();
        let (next_read, mut stale) = (registry.next_read, Vec::new());
        for socket in registry.viewers.get(&user_id).into_iter().flatten() {
            let mut state = socket.lock();
            // The pending messages were read before the deletion.
            stale.extend(mem::take(&mut state.pending.updates).into_keys().map(|video_id| (user_id, video_id)));
            state.live_from = state.live_from.max(next_read);
            state.pending.cleared = state.pending.cleared.max(Some(before));
            drop(state);
            socket.woken.notify_one();
        }
        registry.dirty.extend(stale);
        drop(registry);
        self.0.touched.notify_one();
    }

    /// The viewer changed the preferences. Another retention lets entries expire, or brings some
    /// back, without a change of their own.
    pub fn change_preferences(&self, user_id: i64) {
        self.each_of(user_id, |socket| {
            socket.send(|pending| (pending.preferences, pending.resync) = (true, true));
        });
    }

    /// The account was deleted or deactivated.
    pub fn close_account(&self, user_id: i64) {
        self.each_of(user_id, |socket| socket.close(LiveClosing::Unauthenticated));
    }

    /// The video was deleted, with the entries of all viewers.
    pub fn delete_video(&self, video_id: i64) {
        let mut registry = self.lock();
        if registry.is_reading {
            registry.deleted.insert(video_id);
        }
        let forgotten = Arc::new(LiveUpdate::Forgotten);
        for socket in registry.viewers.values().flatten() {
            socket.send(|pending| pending.put(video_id, forgotten.clone()));
        }
    }

    /// Changes of these viewers may have been missed.
    pub fn resync(&self, is_concerned: impl Fn(i64) -> bool) {
        let registry = self.lock();
        for (_, sockets) in registry.viewers.iter().filter(|(user_id, _)| is_concerned(**user_id)) {
            sockets.iter().for_each(|socket| socket.send(|pending| pending.resync = true));
        }
    }

    /// Adds a socket that has not said hello yet, and starts the hub's tasks with the first one.
    ///
    /// # Errors
    /// Too many sockets of the address have not said hello; too many sockets altogether.
    pub(super) fn register(&self, app: &Arc<AppState>, address: Network) -> Result<RegisteredSocket, Problem> {
        let mut registry = self.lock();
        let limits = &self.0.limits;
        if registry.sockets.len() >= limits.total {
            return Err(Error::Busy.into());
        }
        let waiting = registry.waiting.entry(address).or_default();
        if *waiting >= limits.waiting_per_address {
            return Err(too_many_waiting(limits.waiting_per_address));
        }
        *waiting += 1;
        registry.last_id += 1;
        let socket = Arc::new(LiveSocket::new(registry.last_id, address));
        registry.sockets.insert(socket.id, socket.clone());
        if !mem::replace(&mut registry.is_running, true) {
            // It listens before the first socket asks for its changes.
            reader::start(app, self.clone(), app.db.subscribe());
        }
        Ok(RegisteredSocket { hub: self.clone(), socket })
    }

    /// Lets the socket catch up, after a hello. The first hello adds it to the sockets of the
    /// viewer, of which the oldest is closed when there are too many.
    pub(super) fn begin_catch_up(&self, socket: &Arc<LiveSocket>, viewer: SignedInViewer) {
        let mut registry = self.lock();
        let mut state = socket.lock();
        let is_first = state.viewer.replace(viewer).is_none();
        // Pending updates may be older than the rows of the catch-up, so they are read again after
        // it.
        let waiting = mem::take(&mut state.pending.updates).into_keys();
        state.touched.get_or_insert_default().extend(waiting);
        drop(state);
        if is_first {
            registry.end_waiting(socket.address);
            let sockets = registry.viewers.entry(viewer.subject.user_id).or_default();
            sockets.push(socket.clone());
            let surplus = sockets.len().saturating_sub(self.0.limits.per_viewer);
            sockets.iter().take(surplus).for_each(|oldest| oldest.close(LiveClosing::TooManySockets));
        }
    }

    /// Waits for the permission to read what a socket missed.
    pub(super) async fn catch_up_permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.0.catch_ups.clone().acquire_owned().await
    }

    /// The socket has caught up: what changed meanwhile is read again.
    pub(super) fn end_catch_up(&self, socket: &LiveSocket) {
        let mut registry = self.lock();
        let mut state = socket.lock();
        state.live_from = registry.next_read;
        let touched = state.touched.take().unwrap_or_default();
        let user_id = state.viewer.map(|viewer| viewer.subject.user_id);
        drop(state);
        registry.dirty.extend(user_id.into_iter().flat_map(|user_id| touched.iter().map(move |id| (user_id, *id))));
        drop(registry);
        self.0.touched.notify_one();
    }

    /// Takes at most `limit` keys to read, with the number of the read; `None` when there are none.
    pub(super) fn begin_read(&self, limit: usize) -> Option<(u64, Vec<(i64, i64)>)> {
        let mut registry = self.lock();
        registry.deleted = HashSet::new();
        registry.is_reading = !registry.dirty.is_empty();
        if !registry.is_reading {
            return None;
        }
        let read = registry.next_read;
        registry.next_read += 1;
        let keys = if registry.dirty.len() <= limit {
            mem::take(&mut registry.dirty).into_iter().collect()
        } else {
            let keys: Vec<_> = registry.dirty.iter().take(limit).copied().collect();
            for key in &keys {
                registry.dirty.remove(key);
            }
            keys
        };
        Some((read, keys))
    }

    /// Gives what a read found to the sockets of the viewer.
    pub(super) fn deliver(&self, read: u64, (user_id, video_id): (i64, i64), update: LiveUpdate) {
        let mut registry = self.lock();
        if registry.deleted.contains(&video_id) {
            return;
        }
        let update = Arc::new(update);
        let sockets = registry.viewers.get(&user_id).into_iter().flatten();
        let is_stale = sockets
            .map(|socket| socket.deliver(read, video_id, &update))
            .fold(false, |stale, delivery| stale | matches!(delivery, Delivery::Stale));
        if is_stale {
            registry.dirty.insert((user_id, video_id));
            self.0.touched.notify_one();
        }
    }

    /// Waits until there may be keys to read.
    pub(super) async fn wait_for_keys(&self) {
        self.0.touched.notified().await;
    }

    pub(super) fn limits(&self) -> &LiveLimits {
        &self.0.limits
    }

    /// Calls `check` for each socket. Returns false, and lets the tasks of the hub end, when there
    /// is none.
    pub(super) fn each_socket(&self, mut check: impl FnMut(&LiveSocket)) -> bool {
        let mut registry = self.lock();
        registry.sockets.values().for_each(|socket| check(socket));
        registry.is_running = !registry.sockets.is_empty();
        registry.is_running
    }

    fn each_of(&self, user_id: i64, act: impl Fn(&LiveSocket)) {
        self.lock().viewers.get(&user_id).into_iter().flatten().for_each(|socket| act(socket));
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn end_waiting(&mut self, address: Network) {
        if let Some(waiting) = self.waiting.get_mut(&address) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                self.waiting.remove(&address);
            }
        }
    }
}

impl Drop for RegisteredSocket {
    fn drop(&mut self) {
        let mut registry = self.hub.lock();
        registry.sockets.remove(&self.socket.id);
        let Some(viewer) = self.socket.lock().viewer else { return registry.end_waiting(self.socket.address) };
        let user_id = viewer.subject.user_id;
        if let Some(sockets) = registry.viewers.get_mut(&user_id) {
            sockets.retain(|socket| socket.id != self.socket.id);
            if sockets.is_empty() {
                registry.viewers.remove(&user_id);
            }
        }
    }
}

pub(crate) fn too_many_waiting(per_address: usize) -> Problem {
    let detail = format!("this address has {per_address} live sockets that have not said hello; connect again later");
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_sockets", detail);
    problem.header = Some(Box::new((RETRY_AFTER, HeaderValue::from_static("1"))));
    problem
}
