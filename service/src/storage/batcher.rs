//! Batches: requests that wait at the same time are processed together.
//!
//! A statement for sixty rows costs the database little more than one for a single row. Requests
//! join a queue, and a worker takes those that wait as one batch. A free worker takes a single
//! request too: it never waits for a batch to grow.

use crate::Error;
use crate::metrics::QueueMetrics;
use prometheus::HistogramTimer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How many requests may wait. At the rates of bench/RESULTS.md that is a fifth of a second of
/// work, so that a burst or a slow disk does not lead to refusals at once. A refusal costs nearly
/// a third of what a save costs.
const CAPACITY: usize = 4096;
/// The most requests of a batch while the queue is short. Half of a long queue may be one batch.
pub(crate) const MIN_BATCH_LIMIT: usize = 128;
/// How long a batch of a worker task may take. The statement timeout normally ends it earlier.
const DEADLINE: Duration = Duration::from_secs(15);

type Reply<A> = oneshot::Sender<Result<A, Error>>;

/// A queue of requests `Q` and its worker, a task or a thread, which answers each with an `A`. The
/// worker ends when the batcher is dropped.
#[derive(Debug)]
pub(crate) struct Batcher<Q, A> {
    queue: mpsc::Sender<(Q, Reply<A>)>,
    metrics: Option<QueueMetrics>,
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Starts a worker on the current runtime. `process` answers a batch, in its order; it gets one
    /// batch at a time, of at most `max_batch` requests ([`MIN_BATCH_LIMIT`] or more).
    pub(crate) fn spawn<F>(
        max_batch: usize,
        metrics: Option<QueueMetrics>,
        process: impl Fn(Vec<Q>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Vec<Result<A, Error>>> + Send + 'static,
    {
        let (queue, mut waiting) = mpsc::channel::<(Q, Reply<A>)>(CAPACITY);
        let batch_metrics = metrics.clone();
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, batch_size(waiting.len(), max_batch)).await > 0 {
                let (requests, replies): (Vec<Q>, Vec<Reply<A>>) = batch.drain(..).unzip();
                let timer = start_batch(batch_metrics.as_ref(), requests.len());
                // A task of its own, so that a panic in one batch does not end the worker.
                let result = tokio::spawn(timeout(DEADLINE, process(requests))).await;
                drop(timer);
                let error = match result {
                    Ok(Ok(answers)) => {
                        send_answers(replies, answers);
                        continue;
                    }
                    Ok(Err(_)) => Error::DatabaseAway(format!("no answer in {} seconds", DEADLINE.as_secs())),
                    Err(error) => Error::Internal(format!("a batch of requests stopped: {error}")),
                };
                send_error(replies, &error);
            }
        });
        Self { queue, metrics }
    }

    /// As [`Batcher::spawn`], with a worker thread, for a `process` that blocks.
    pub(crate) fn spawn_thread(
        max_batch: usize,
        metrics: Option<QueueMetrics>,
        mut process: impl FnMut(&[Q]) -> Vec<Result<A, Error>> + Send + 'static,
    ) -> Self {
        let (queue, mut waiting) = mpsc::channel::<(Q, Reply<A>)>(CAPACITY);
        let batch_metrics = metrics.clone();
        std::thread::spawn(move || {
            let mut batch = Vec::new();
            while waiting.blocking_recv_many(&mut batch, batch_size(waiting.len(), max_batch)) > 0 {
                let (requests, replies): (Vec<Q>, Vec<Reply<A>>) = batch.drain(..).unzip();
                let timer = start_batch(batch_metrics.as_ref(), requests.len());
                // A panic in one batch does not end the worker.
                let result = catch_unwind(AssertUnwindSafe(|| process(&requests)));
                drop(timer);
                match result {
                    Ok(answers) => send_answers(replies, answers),
                    Err(_) => send_error(replies, &Error::Internal("a batch of requests stopped".into())),
                }
            }
        });
        Self { queue, metrics }
    }

    /// Submits a request and waits for its answer. The request is processed even if the caller
    /// stops waiting.
    ///
    /// # Errors
    /// [`Error::Busy`] at once if the queue is full; the error that `process` answers.
    pub(crate) async fn submit(&self, request: Q) -> Result<A, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send((request, reply)).map_err(|error| self.queue_error(&error, 1))?;
        receive(answer).await
    }

    /// Submits all requests in this order, or none.
    ///
    /// # Errors
    /// [`Error::Busy`] at once if the queue has no room for all.
    pub(crate) async fn submit_all(&self, requests: Vec<Q>) -> Result<Vec<Result<A, Error>>, Error> {
        let count = requests.len();
        let permits = self.queue.try_reserve_many(count).map_err(|error| self.queue_error(&error, count))?;
        let send = |(request, permit): (Q, mpsc::Permit<'_, (Q, Reply<A>)>)| {
            let (reply, answer) = oneshot::channel();
            permit.send((request, reply));
            answer
        };
        let pending = Vec::from_iter(requests.into_iter().zip(permits).map(send));
        let mut answers = Vec::with_capacity(pending.len());
        for answer in pending {
            answers.push(receive(answer).await);
        }
        Ok(answers)
    }

    /// How many requests wait, and how many may.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.queue.max_capacity() - self.queue.capacity(), self.queue.max_capacity())
    }

    fn queue_error<T>(&self, error: &TrySendError<T>, requests: usize) -> Error {
        match error {
            TrySendError::Full(_) => {
                if let Some(metrics) = &self.metrics {
                    metrics.refused.inc_by(u64::try_from(requests).unwrap_or(u64::MAX));
                }
                Error::Busy
            }
            TrySendError::Closed(_) => Error::Internal("the worker of these requests has ended".into()),
        }
    }
}

/// Counts a batch. Its time ends when the returned value is dropped: before the answers are sent,
/// so that the metrics know of a batch as soon as its callers do.
fn start_batch(metrics: Option<&QueueMetrics>, requests: usize) -> Option<HistogramTimer> {
    let metrics = metrics?;
    metrics.requests.observe(requests as f64);
    Some(metrics.seconds.start_timer())
}

/// The limit is half of the waiting requests, so that the worker has work while the answered
/// callers prepare their next request.
fn batch_size(waiting: usize, max_batch: usize) -> usize {
    (waiting / 2).clamp(MIN_BATCH_LIMIT, max_batch)
}

/// Callers that no longer wait are skipped.
fn send_answers<A>(replies: Vec<Reply<A>>, answers: Vec<Result<A, Error>>) {
    replies.into_iter().zip(answers).for_each(|(reply, answer)| drop(reply.send(answer)));
}

fn send_error<A>(replies: Vec<Reply<A>>, error: &Error) {
    replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
}

async fn receive<A>(answer: oneshot::Receiver<Result<A, Error>>) -> Result<A, Error> {
    answer.await.unwrap_or_else(|_| Err(Error::Internal("a request got no answer".into())))
}
