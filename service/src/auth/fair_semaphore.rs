//! A semaphore whose permits are shared fairly between addresses.
//!
//! With one queue, an address with a thousand connections would make all others wait; correct
//! passwords are not limited. So each address has its own queue, and a free permit goes to the next
//! address (round robin).

use crate::Error;
use crate::limit::Network;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A fixed number of permits. A clone shares them.
#[derive(Clone, Debug)]
pub(super) struct FairSemaphore(Arc<Mutex<SemaphoreState>>);

#[derive(Debug)]
struct SemaphoreState {
    free: usize,
    /// The queue of each address that waits; the next one is first.
    addresses: VecDeque<(Network, VecDeque<oneshot::Sender<FairPermit>>)>,
}

/// The permission to hash one password. It goes to the next in the queues when it is dropped.
#[derive(Debug)]
pub(super) struct FairPermit(Option<FairSemaphore>);

impl FairSemaphore {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(SemaphoreState { free: count, addresses: VecDeque::new() })))
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none within `max_wait`.
    pub(super) async fn acquire(&self, from: Network, max_wait: Duration) -> Result<FairPermit, Error> {
        let given = {
            let mut waiting = self.lock();
            // While a permit is free, the queues are empty.
            if waiting.free > 0 {
                waiting.free -= 1;
                return Ok(FairPermit(Some(self.clone())));
            }
            let (permit, given) = oneshot::channel();
            match waiting.addresses.iter_mut().find(|(address, _)| *address == from) {
                Some((_, queue)) => queue.push_back(permit),
                None => waiting.addresses.push_back((from, VecDeque::from([permit]))),
            }
            given
        };
        timeout(max_wait, given).await.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)
    }

    /// Takes the next out of the queues. If they are empty, the permit becomes free.
    fn next(&self) -> Option<oneshot::Sender<FairPermit>> {
        let mut waiting = self.lock();
        let Some((address, mut queue)) = waiting.addresses.pop_front() else {
            waiting.free += 1;
            return None;
        };
        let next = queue.pop_front();
        if !queue.is_empty() {
            waiting.addresses.push_back((address, queue));
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, SemaphoreState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FairPermit {
    fn drop(&mut self) {
        let Some(permits) = self.0.take() else { return };
        while let Some(next) = permits.next() {
            match next.send(Self(Some(permits.clone()))) {
                Ok(()) => return,
                // The request was dropped. The permit that comes back must not be passed on twice.
                Err(mut permit) => permit.0 = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const MAX_WAIT: Duration = Duration::from_secs(60);

    fn network(n: u8) -> Network {
        IpAddr::from([192, 0, 2, n]).into()
    }

    #[tokio::test]
    async fn the_queue_of_one_address_delays_no_other() {
        let permits = FairSemaphore::new(1);
        let held = permits.acquire(network(1), MAX_WAIT).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let waiting: Vec<_> = [1, 1, 1, 1, 2, 3, 2]
            .map(|n| {
                let (permits, order) = (permits.clone(), order.clone());
                tokio::spawn(async move {
                    let permit = permits.acquire(network(n), MAX_WAIT).await.unwrap();
                    order.lock().unwrap().push(n);
                    drop(permit);
                })
            })
            .into();
        while permits.lock().addresses.iter().map(|(_, queue)| queue.len()).sum::<usize>() < 7 {
            tokio::task::yield_now().await;
        }
        drop(held);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [1, 2, 3, 1, 2, 1, 1]);
        assert_eq!(permits.lock().free, 1);
    }

    #[tokio::test]
    async fn a_request_that_leaves_the_queue_takes_no_permit() {
        let permits = FairSemaphore::new(2);
        let held = (
            permits.acquire(network(1), MAX_WAIT).await.unwrap(),
            permits.acquire(network(1), MAX_WAIT).await.unwrap(),
        );
        for n in 0..10 {
            let refused = permits.acquire(network(n), Duration::ZERO).await;
            assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
        }
        drop(held);
        assert_eq!(permits.lock().free, 2);
        assert!(permits.lock().addresses.is_empty());
    }
}
