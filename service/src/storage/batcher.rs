//! Requests that wait together are served together.
//!
//! A statement for sixty rows costs the database little more than one for a single row. So a question joins a queue; whoever
//! serves it takes all that waits, of a crowd half, and answers each. Nothing is held back to make a group grow: a question
//! that finds nobody before it is served at once and alone.

use crate::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How many questions may wait. At the rates of bench/RESULTS.md that is a fifth of a second of work: so long a crowd, or what comes while
/// the disk is slow, is not sent away. To refuse costs nearly a third of what it costs to save.
const CAPACITY: usize = 4096;
/// How many are served at once while no more than twice as many wait.
pub(crate) const MIN_BATCH: usize = 128;
/// How long a group may take; longer than the database lets a statement run, for when not even that is kept.
const DEADLINE: Duration = Duration::from_secs(15);

type Answer<A> = oneshot::Sender<Result<A, Error>>;
type Asked<Q, A> = (Q, Answer<A>);

/// A queue of questions and who serves it: a task of the runtime that opened it, or a thread. It ends with the last value that
/// could submit.
#[derive(Debug)]
pub(crate) struct Batcher<Q, A> {
    waiting: mpsc::Sender<Asked<Q, A>>,
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Serves groups of at most `max_batch` questions, which is [`MIN_BATCH`] or more, by `serve`, one after the other; it gives an answer to
    /// each question, in their order.
    pub(crate) fn spawn<F>(max_batch: usize, process: impl Fn(Vec<Q>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Vec<Result<A, Error>>> + Send + 'static,
    {
        let (waiting, mut arriving) = mpsc::channel::<Asked<Q, A>>(CAPACITY);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while arriving.recv_many(&mut batch, batch_size(arriving.len(), max_batch)).await > 0 {
                let (questions, asking): (Vec<Q>, Vec<Answer<A>>) = batch.drain(..).unzip();
                // As a task of its own: a defect that one group meets must not end the lane.
                let failure = match tokio::spawn(timeout(DEADLINE, process(questions))).await {
                    Ok(Ok(answers)) => {
                        deliver(asking, answers);
                        continue;
                    }
                    Ok(Err(_)) => Error::DatabaseAway(format!("no answer in {} seconds", DEADLINE.as_secs())),
                    Err(error) => Error::Internal(format!("a batch of requests stopped: {error}")),
                };
                fail(asking, &failure);
            }
        });
        Self { waiting }
    }

    /// As [`Batcher::spawn`], on a thread of its own, for a service that waits where it stands.
    pub(crate) fn spawn_thread(
        max_batch: usize,
        mut process: impl FnMut(&[Q]) -> Vec<Result<A, Error>> + Send + 'static,
    ) -> Self {
        let (waiting, mut arriving) = mpsc::channel::<Asked<Q, A>>(CAPACITY);
        std::thread::spawn(move || {
            let mut batch = Vec::new();
            while arriving.blocking_recv_many(&mut batch, batch_size(arriving.len(), max_batch)) > 0 {
                let (questions, asking): (Vec<Q>, Vec<Answer<A>>) = batch.drain(..).unzip();
                // A defect that one group meets must not end the lane.
                match catch_unwind(AssertUnwindSafe(|| process(&questions))) {
                    Ok(answers) => deliver(asking, answers),
                    Err(_) => fail(asking, &Error::Internal("a batch of requests stopped".into())),
                }
            }
        });
        Self { waiting }
    }

    /// Asks, and waits for the answer. The question is served also when nobody waits any more.
    ///
    /// # Errors
    /// [`Error::Busy`] at once when too many wait, and what the service of the question meets.
    pub(crate) async fn submit(&self, question: Q) -> Result<A, Error> {
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send((question, answer)).map_err(|refused| not_asked(&refused))?;
        heard(answered).await
    }

    /// Asks all of it in this order, or nothing.
    ///
    /// # Errors
    /// [`Error::Busy`] at once when there is no room for all.
    pub(crate) async fn submit_all(&self, questions: Vec<Q>) -> Result<Vec<Result<A, Error>>, Error> {
        let places = self.waiting.try_reserve_many(questions.len()).map_err(|refused| not_asked(&refused))?;
        let asked: Vec<_> = questions
            .into_iter()
            .zip(places)
            .map(|(question, place)| {
                let (answer, answered) = oneshot::channel();
                place.send((question, answer));
                answered
            })
            .collect();
        let mut answers = Vec::with_capacity(asked.len());
        for answered in asked {
            answers.push(heard(answered).await);
        }
        Ok(answers)
    }
}

fn not_asked<T>(refused: &TrySendError<T>) -> Error {
    match refused {
        TrySendError::Full(_) => Error::Busy,
        TrySendError::Closed(_) => Error::Internal("who serves these requests has ended".into()),
    }
}

/// How many of `waiting` questions are served at once: half of them. While those who are answered come back with the next question,
/// the other half is served.
fn batch_size(waiting: usize, max_batch: usize) -> usize {
    (waiting / 2).clamp(MIN_BATCH, max_batch)
}

/// Who left in the meantime hears nothing.
fn deliver<A>(asking: Vec<Answer<A>>, answers: Vec<Result<A, Error>>) {
    asking.into_iter().zip(answers).for_each(|(asking, answer)| drop(asking.send(answer)));
}

fn fail<A>(asking: Vec<Answer<A>>, failure: &Error) {
    asking.into_iter().for_each(|asking| drop(asking.send(Err(failure.clone()))));
}

async fn heard<A>(answered: oneshot::Receiver<Result<A, Error>>) -> Result<A, Error> {
    answered.await.unwrap_or_else(|_| Err(Error::Internal("a request got no answer".into())))
}
