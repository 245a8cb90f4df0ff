//! Time as a value: where it comes from, and how it is written.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the time comes from. The whole program asks one clock, so that a test can turn it.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// One that a test turns: milliseconds that the machine's time is put forward by.
    Ahead(Arc<AtomicI64>),
}

impl Clock {
    /// The time now, to the millisecond: what is stored is then what was answered, on both databases.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    pub fn now(&self) -> DateTime<Utc> {
        let now = Utc::now().trunc_subsecs(3);
        match self {
            Self::System => now,
            Self::Ahead(by) => now + chrono::Duration::milliseconds(by.load(Ordering::Relaxed)),
        }
    }
}

/// A moment in an answer: RFC 3339 in UTC with `Z` and milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
pub struct Timestamp(pub DateTime<Utc>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}
