//! Background jobs: the work that one process of all does from time to time.
//!
//! Every process tries to claim a job, and the row of the job in the database tells whether it is
//! due. There is no lock that a killed process could keep: another process claims the job when it
//! is due again.

use crate::storage::Transaction;
use crate::time::Clock;
use crate::{Database, Error};
use chrono::{DateTime, TimeDelta, Utc};
use entity::background_job::{ActiveModel, Column, Entity};
use sea_orm::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, Condition};
use std::time::Duration;
use tokio::task::JoinSet;

/// How often a process tries to claim a job, as a part of the job's interval.
const TRIES_PER_INTERVAL: u32 = 10;
/// The longest time between two tries.
const MAX_TRY_INTERVAL: Duration = Duration::from_secs(60);
/// The first try comes up to this much later, so that processes that start together do not all ask
/// at once.
const MAX_START_DELAY: Duration = Duration::from_secs(2);

/// The loops that claim and run jobs. They end when it is dropped; the statements of a running job
/// are rolled back.
#[derive(Debug)]
pub struct Jobs {
    db: Database,
    clock: Clock,
    loops: JoinSet<()>,
}

impl Jobs {
    /// No jobs yet.
    pub fn new(db: &Database, clock: &Clock) -> Self {
        Self { db: db.clone(), clock: clock.clone(), loops: JoinSet::new() }
    }

    /// Runs `job` in one process of all, once in every `interval`, on the runtime of the caller.
    /// `name` has at most 50 characters. `job` gets the time at which it begins. A failure is
    /// logged, and the job is run again when it is due.
    pub fn start<F>(
        &mut self,
        name: &'static str,
        interval: Duration,
        job: impl Fn(DateTime<Utc>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (db, clock) = (self.db.clone(), self.clock.clone());
        self.loops.spawn(async move {
            tokio::time::sleep(start_delay()).await;
            loop {
                match run_if_due(&db, name, interval, clock.now(), &job).await {
                    Ok(true) => log::debug!("the background job {name} is done"),
                    Ok(false) => log::trace!("the background job {name} is not due"),
                    Err(error) => log::warn!("the background job {name} failed and will run again: {error}"),
                }
                tokio::time::sleep((interval / TRIES_PER_INTERVAL).min(MAX_TRY_INTERVAL)).await;
            }
        });
    }
}

/// Runs the job in this process if it is due. Returns whether it ran.
async fn run_if_due<F>(
    db: &Database,
    name: &str,
    interval: Duration,
    now: DateTime<Utc>,
    job: &(impl Fn(DateTime<Utc>) -> F + Sync),
) -> Result<bool, Error>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    if !db.transaction(async |tx| claim(tx, name, interval, now).await).await? {
        return Ok(false);
    }
    // A task of its own, so that a panic ends only this run.
    let mut running = JoinSet::new();
    running.spawn(job(now));
    match running.join_next().await {
        Some(Err(error)) => Err(Error::Internal(format!("it panicked: {error}"))),
        Some(Ok(result)) => result.map(|()| true),
        None => Ok(true),
    }
}

/// Claims a job for the caller, who must then run it. Returns whether it was due: nobody claimed it
/// in the last `interval`. Of several processes that ask at once, one gets it.
///
/// A process whose clock is behind by less than `interval` does not run a job twice. A time more
/// than `interval` in the future comes from a wrong clock and does not count.
///
/// # Errors
/// Database errors.
pub async fn claim(tx: &Transaction, name: &str, interval: Duration, now: DateTime<Utc>) -> Result<bool, Error> {
    let interval = TimeDelta::from_std(interval).map_err(|error| Error::Internal(error.to_string()))?;
    let begun_at = Expr::col((Entity, Column::BegunAt));
    let is_due = Condition::any().add(begun_at.clone().lte(now - interval)).add(begun_at.gt(now + interval));
    let claim = OnConflict::column(Column::Name).update_column(Column::BegunAt).action_cond_where(is_due).to_owned();
    let row = ActiveModel { name: Set(name.to_owned()), begun_at: Set(now) };
    let claimed = Entity::insert(row).on_conflict(claim).exec_without_returning(tx).await?;
    Ok(claimed > 0)
}

/// A random time up to [`MAX_START_DELAY`].
fn start_delay() -> Duration {
    // Without randomness the processes only ask at the same time.
    MAX_START_DELAY * getrandom::u32().unwrap_or(0) / u32::MAX
}
