//! What a commit does before it is answered if processes share lists in a cache.
//!
//! The storage knows no cache: it names the viewers whose lists a commit changed, and waits until
//! the cache confirms that no process shows the old lists any more. Without a cache it names
//! nobody and waits for nothing.

use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Viewers whose lists a commit changed.
#[derive(Debug)]
pub(crate) struct OutdatedLists {
    pub(crate) user_ids: Vec<i64>,
    confirmed: oneshot::Sender<()>,
}

impl OutdatedLists {
    /// Lets the commit be answered.
    pub(crate) fn confirm(self) {
        // The caller may have stopped waiting.
        let _ = self.confirmed.send(());
    }
}

/// Gives [`OutdatedLists`] to the cache. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListInvalidator(Arc<OnceLock<UnboundedSender<OutdatedLists>>>);

impl ListInvalidator {
    /// What a cache receives from now on; `None` if another one receives it.
    pub(crate) fn receive(&self) -> Option<UnboundedReceiver<OutdatedLists>> {
        let (sender, receiver) = unbounded_channel();
        self.0.set(sender).is_ok().then_some(receiver)
    }

    /// Whether there is a cache.
    pub(crate) fn is_on(&self) -> bool {
        self.0.get().is_some()
    }

    /// Waits until no process shows the old lists of these viewers.
    pub(crate) async fn outdate(&self, user_ids: impl IntoIterator<Item = i64>) {
        if let Some(confirmed) = self.send(user_ids) {
            // The cache has ended, and with it the process.
            let _ = confirmed.await;
        }
    }

    /// As [`ListInvalidator::outdate`], on a thread that may block.
    pub(crate) fn outdate_blocking(&self, user_ids: impl IntoIterator<Item = i64>) {
        if let Some(confirmed) = self.send(user_ids) {
            let _ = confirmed.blocking_recv();
        }
    }

    fn send(&self, user_ids: impl IntoIterator<Item = i64>) -> Option<oneshot::Receiver<()>> {
        let sender = self.0.get()?;
        let mut user_ids = Vec::from_iter(user_ids);
        user_ids.sort_unstable();
        user_ids.dedup();
        if user_ids.is_empty() {
            return None;
        }
        let (confirmed, confirmation) = oneshot::channel();
        sender.send(OutdatedLists { user_ids, confirmed }).is_ok().then_some(confirmation)
    }
}
