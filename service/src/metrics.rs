//! The numbers that the program counts for Prometheus.
//!
//! They are off unless an operator asks for them, and then nothing is counted at all. Names follow
//! prometheus.io/docs/practices/naming: base units, `_total` for counters. A label has few values,
//! all known beforehand: never a user, a video or an address.

use crate::Error;
use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Upper limits of buckets for durations, in seconds.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper limits of buckets for the number of requests in a batch.
const REQUESTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// The metrics of one process. Other modules add their own families with [`Metrics::counter`],
/// [`Metrics::gauge`] and [`Metrics::histogram`].
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    batch_requests: HistogramVec,
    batch_seconds: HistogramVec,
    refused: IntCounterVec,
    saves: IntCounterVec,
    pub(crate) waiting: IntGaugeVec,
    pub(crate) queue_limit: IntGaugeVec,
    pub(crate) pool: IntGaugeVec,
    pub(crate) pool_limit: IntGaugeVec,
    pub(crate) sqlite: Option<SqliteMetrics>,
}

/// What only SQLite has.
#[derive(Clone, Debug)]
pub(crate) struct SqliteMetrics {
    pub(crate) commit_seconds: Histogram,
    pub(crate) wal_bytes: IntGaugeVec,
}

/// The metrics of one queue of requests.
#[derive(Clone, Debug)]
pub(crate) struct QueueMetrics {
    /// How many requests a batch had.
    pub(crate) requests: Histogram,
    /// How long a batch took, its commit included.
    pub(crate) seconds: Histogram,
    /// Requests that found no room in the queue.
    pub(crate) refused: IntCounter,
}

/// How saves ended.
#[derive(Clone, Debug)]
pub(crate) struct SaveMetrics {
    pub(crate) applied: IntCounter,
    /// Replays, and saves that are older than the entry.
    pub(crate) not_applied: IntCounter,
    /// Saves that answer 204: from before a deletion, or the viewer keeps no history.
    pub(crate) not_taken: IntCounter,
    pub(crate) failed: IntCounter,
}

impl Metrics {
    /// Metrics that all stand at zero. Those of SQLite are there if `is_sqlite`.
    ///
    /// # Errors
    /// A name is not valid, which is a defect.
    pub fn new(is_sqlite: bool) -> Result<Self, Error> {
        let on = &Registry::new();
        add_process(on)?;
        let sqlite = if is_sqlite { Some(SqliteMetrics::new(on)?) } else { None };
        Ok(Self {
            batch_requests: histogram(
                on,
                "playhead_batch_requests",
                "Requests that were processed together, by queue.",
                &["queue"],
                &REQUESTS,
            )?,
            batch_seconds: histogram(
                on,
                "playhead_batch_duration_seconds",
                "Time from taking a batch to its commit and answers, by queue.",
                &["queue"],
                &SECONDS,
            )?,
            refused: counter(
                on,
                "playhead_queue_refusals_total",
                "Requests that were refused with 503 because their queue was full.",
                &["queue"],
            )?,
            saves: counter(on, "playhead_saves_total", "Saves, by how they ended.", &["outcome"])?,
            waiting: gauge(on, "playhead_queue_waiting_requests", "Requests that wait, by queue.", &["queue"])?,
            queue_limit: gauge(
                on,
                "playhead_queue_limit_requests",
                "How many requests may wait, by queue.",
                &["queue"],
            )?,
            pool: gauge(
                on,
                "playhead_pool_connections",
                "Open connections of a pool, by state: idle or used.",
                &["pool", "state"],
            )?,
            pool_limit: gauge(
                on,
                "playhead_pool_limit_connections",
                "How many connections a pool may open.",
                &["pool"],
            )?,
            sqlite,
            registry: on.clone(),
        })
    }

    /// Adds a family of counters.
    ///
    /// # Errors
    /// The name is not valid, or is there already.
    pub fn counter(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
        counter(&self.registry, name, help, labels)
    }

    /// Adds a family of gauges.
    ///
    /// # Errors
    /// As [`Metrics::counter`].
    pub fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, Error> {
        gauge(&self.registry, name, help, labels)
    }

    /// Adds a family of histograms of durations in seconds.
    ///
    /// # Errors
    /// As [`Metrics::counter`].
    pub fn histogram(&self, name: &str, help: &str, labels: &[&str]) -> Result<HistogramVec, Error> {
        histogram(&self.registry, name, help, labels, &SECONDS)
    }

    /// All metrics in Prometheus' text format 0.0.4.
    ///
    /// # Errors
    /// A family has no name, which is a defect.
    pub fn to_text(&self) -> Result<String, Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(into_error)
    }

    pub(crate) fn queue(&self, name: &str) -> QueueMetrics {
        QueueMetrics {
            requests: self.batch_requests.with_label_values(&[name]),
            seconds: self.batch_seconds.with_label_values(&[name]),
            refused: self.refused.with_label_values(&[name]),
        }
    }

    pub(crate) fn saves(&self) -> SaveMetrics {
        let outcome = |name| self.saves.with_label_values(&[name]);
        SaveMetrics {
            applied: outcome("applied"),
            not_applied: outcome("not_applied"),
            not_taken: outcome("not_taken"),
            failed: outcome("failed"),
        }
    }
}

impl SqliteMetrics {
    fn new(registry: &Registry) -> Result<Self, Error> {
        let help = "Time of one COMMIT of a batch of saves, which waits for the disk.";
        let commit = histogram(registry, "playhead_sqlite_commit_duration_seconds", help, &[], &SECONDS)?;
        let help = "Size of the write-ahead log, the file that ends in -wal.";
        Ok(Self {
            commit_seconds: commit.with_label_values(&[] as &[&str]),
            wal_bytes: gauge(registry, "playhead_sqlite_wal_bytes", help, &[])?,
        })
    }
}

/// Memory, descriptors and processor time, under the names that all programs have.
#[cfg(target_os = "linux")]
fn add_process(registry: &Registry) -> Result<(), Error> {
    let collector = prometheus::process_collector::ProcessCollector::for_self();
    registry.register(Box::new(collector)).map_err(into_error)
}

#[cfg(not(target_os = "linux"))]
fn add_process(_: &Registry) -> Result<(), Error> {
    Ok(())
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
    add(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

fn gauge(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, Error> {
    add(registry, IntGaugeVec::new(Opts::new(name, help), labels))
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, Error> {
    add(registry, HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, family: prometheus::Result<C>) -> Result<C, Error> {
    let family = family.map_err(into_error)?;
    registry.register(Box::new(family.clone())).map_err(into_error)?;
    Ok(family)
}

fn into_error(error: prometheus::Error) -> Error {
    Error::Internal(format!("metrics: {error}"))
}
