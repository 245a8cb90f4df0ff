//! The log: which records are written, in which format, and how often.
//!
//! Records go to standard error, the access log to standard output. Many records from one source,
//! such as a line for each malformed request, are limited to one a second, which tells how many were
//! skipped.

use crate::settings::Settings;
use api::access_log;
use env_logger::{Builder, Logger, Target, WriteStyle};
use log::{Level, LevelFilter, Log, Metadata, Record, SetLoggerError};
use migration::environment::keep_passwords_out;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many records of one source are written without a limit.
const BURST: u32 = 10;
/// After the burst, the time between two written records.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many sources are counted; more share one count.
const MAX_SOURCES: usize = 4096;

/// Starts the log.
///
/// # Errors
/// A log was started before.
pub(crate) fn start(settings: &Settings) -> Result<(), SetLoggerError> {
    let style = if settings.production { WriteStyle::Never } else { WriteStyle::Auto };
    // The start messages of actix do not help an operator; RUST_LOG can still turn them on.
    let mut records = Builder::new();
    records.filter_module("actix_server", LevelFilter::Warn).parse_filters(&settings.log_filter).write_style(style);
    let records = keep_passwords_out(&mut records).build();
    let access = Builder::new()
        .filter_level(LevelFilter::Info)
        .target(Target::Stdout)
        .write_style(WriteStyle::Never)
        .format(|line, record| writeln!(line, "{}", record.args()))
        .build();
    log::set_max_level(records.filter().max(access.filter()));
    log::set_boxed_logger(Box::new(ThrottlingLogger { records, access, sources: Mutex::default() }))
}

struct ThrottlingLogger {
    records: Logger,
    access: Logger,
    sources: Mutex<SourceBuckets>,
}

impl Log for ThrottlingLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == access_log::TARGET || self.records.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if record.target() == access_log::TARGET {
            return self.access.log(record);
        }
        if !self.records.matches(record) {
            return;
        }
        if !is_throttled(record.level(), record.target()) {
            return self.records.log(record);
        }
        let source = source_of(record);
        let admitted = self.sources.lock().unwrap_or_else(PoisonError::into_inner).admit(source, Instant::now());
        match admitted {
            None => {}
            Some(0) => self.records.log(record),
            Some(skipped) => {
                let args = record.args();
                self.records
                    .log(&record.to_builder().args(format_args!("{args} (and {skipped} more like it)")).build());
            }
        }
    }

    fn flush(&self) {
        self.records.flush();
        self.access.flush();
    }
}

/// Whether clients can cause such records without limit. Other records, such as those of the start,
/// and what RUST_LOG turns on, are all written.
fn is_throttled(level: Level, target: &str) -> bool {
    level <= Level::Warn || target == "security"
}

/// The source of a record: its key `source`, else the line of code.
fn source_of(record: &Record<'_>) -> String {
    match record.key_values().get("source".into()) {
        Some(source) => format!("{} {source}", record.target()),
        None => format!("{} {}", record.target(), record.line().unwrap_or_default()),
    }
}

/// A leaky bucket for each source: written records fill it, and time empties it.
#[derive(Default)]
struct SourceBuckets(HashMap<String, Bucket>);

struct Bucket {
    /// When the bucket is empty again.
    empty_at: Instant,
    /// Records that were skipped since the last written one.
    skipped: u64,
}

impl SourceBuckets {
    /// `None` when a record of `source` is skipped at `now`, else how many were skipped before it.
    fn admit(&mut self, source: String, now: Instant) -> Option<u64> {
        if self.0.len() >= MAX_SOURCES {
            self.0.retain(|_, bucket| bucket.empty_at > now);
        }
        let is_full = self.0.len() >= MAX_SOURCES && !self.0.contains_key(&source);
        let source = if is_full { String::new() } else { source };
        let bucket = self.0.entry(source).or_insert(Bucket { empty_at: now, skipped: 0 });
        if bucket.empty_at > now + INTERVAL * (BURST - 1) {
            bucket.skipped += 1;
            return None;
        }
        bucket.empty_at = bucket.empty_at.max(now) + INTERVAL;
        Some(std::mem::take(&mut bucket.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_records_of_one_source_make_one_line_a_second() {
        let (mut sources, start) = (SourceBuckets::default(), Instant::now());
        let written: Vec<u64> = (0..100_000)
            .filter_map(|n| sources.admit("parser".into(), start + Duration::from_micros(100 * n)))
            .collect();
        assert!((BURST as usize + 8..BURST as usize + 11).contains(&written.len()), "{written:?}");
        assert!(written.iter().sum::<u64>() > 80_000, "the lines tell how many were skipped: {written:?}");
    }

    #[test]
    fn sources_do_not_silence_each_other() {
        let (mut sources, now) = (SourceBuckets::default(), Instant::now());
        while sources.admit("parser".into(), now).is_some() {}
        assert_eq!(sources.admit("sign-in".into(), now), Some(0));
    }

    #[test]
    fn a_source_that_is_quiet_for_a_while_may_burst_again() {
        let (mut sources, now) = (SourceBuckets::default(), Instant::now());
        while sources.admit("parser".into(), now).is_some() {}
        let later = now + INTERVAL * BURST;
        assert_eq!(sources.admit("parser".into(), later), Some(1));
        assert_eq!(sources.admit("parser".into(), later), Some(0));
    }

    #[test]
    fn records_that_clients_cannot_cause_are_not_limited() {
        assert!(!is_throttled(Level::Info, "playhead::cli") && !is_throttled(Level::Trace, "security::more"));
        assert!(is_throttled(Level::Error, "actix_http") && is_throttled(Level::Info, "security"));
    }

    #[test]
    fn the_memory_for_sources_is_bounded() {
        let (mut sources, now) = (SourceBuckets::default(), Instant::now());
        for n in 0..2 * MAX_SOURCES {
            sources.admit(n.to_string(), now);
        }
        assert!(sources.0.len() <= MAX_SOURCES + 1);
    }
}
