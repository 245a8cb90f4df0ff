//! The clock, and the format of times in requests and responses.

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The clock of the whole program. A test can change its time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// The system clock plus this many milliseconds, for tests.
    Ahead(Arc<AtomicI64>),
}

impl Clock {
    /// The time now, in whole milliseconds: both databases store exactly what was returned.
    #[expect(clippy::disallowed_methods, reason = "this is the only place that reads the system clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let now = Utc::now().trunc_subsecs(3);
        match self {
            Self::System => now,
            Self::Ahead(by) => now + chrono::Duration::milliseconds(by.load(Ordering::Relaxed)),
        }
    }
}

/// A time in a response: RFC 3339 in UTC with `Z` and milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
pub struct Timestamp(pub DateTime<Utc>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Reads an optional time of a request: RFC 3339 with any offset, from the years 1970 to 9999,
/// which both databases store and sort. It is cut to milliseconds, as [`Clock::now`] is.
///
/// # Errors
/// It is no such time.
pub fn time_or_null<'de, D: Deserializer<'de>>(field: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<Cow<'de, str>>::deserialize(field)? else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc().trunc_subsecs(3));
    let is_storable = |time: &DateTime<Utc>| (1970..=9999).contains(&time.year());
    let time = time.filter(is_storable).ok_or_else(|| {
        D::Error::custom("must be a time of the years 1970 to 9999, such as 2026-11-20T13:32:59.391Z")
    })?;
    Ok(Some(time))
}
