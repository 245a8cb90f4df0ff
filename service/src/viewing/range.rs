//! The days that statistics are asked for.

use super::ViewingQuery;
use super::zone::{LocalHour, OffsetPeriod, first_hour, offset_periods};
use crate::Error;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// The days of a range without a first day.
const DEFAULT_DAYS: i64 = 30;
/// The most days of a range.
const MAX_DAYS: i64 = 366;
/// No local time is further from UTC.
const MAX_OFFSET: TimeDelta = TimeDelta::hours(26);

/// The days from `from` to `to`, both included, in a time zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewingRange {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    pub(super) zone: Tz,
}

impl ViewingRange {
    /// The range of a query, with its defaults.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub(super) fn new(query: ViewingQuery, now: DateTime<Utc>) -> Result<Self, Error> {
        let zone: Tz = match query.tz {
            None => Tz::UTC,
            Some(name) => name.parse().map_err(|_| invalid("tz", "must be a time zone such as Asia/Seoul"))?,
        };
        let to = query.to.unwrap_or_else(|| now.with_timezone(&zone).date_naive());
        let first = to.checked_sub_signed(TimeDelta::days(DEFAULT_DAYS - 1)).unwrap_or(to);
        let range = Self { from: query.from.unwrap_or(first), to, zone };
        match range.days() {
            ..1 => Err(invalid("from", "must not be after `to`")),
            days if days > MAX_DAYS => {
                Err(invalid("from", &format!("must be at most {MAX_DAYS} days before `to`, both included")))
            }
            _ => Ok(range),
        }
    }

    /// The number of days.
    pub(super) fn days(&self) -> i64 {
        (self.to - self.from).num_days() + 1
    }

    /// The first hour of the first day, and the first one after the last day.
    pub(super) fn hours(&self) -> (LocalHour, LocalHour) {
        (first_hour(self.from), first_hour(self.to) + 24)
    }

    /// Times in UTC before and after all times of the range.
    pub(super) fn bounds(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        (midnight(self.from) - MAX_OFFSET, midnight(self.to) + TimeDelta::days(1) + MAX_OFFSET)
    }

    /// The times of the range in UTC: the start, and the first time after it. There are two such
    /// segments where a clock was set back across midnight.
    pub(super) fn times(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let (first, after_last) = self.hours();
        let (mut begin, _) = self.bounds();
        let mut times: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
        for OffsetPeriod { until, seconds } in self.offsets() {
            let at = |hour: LocalHour| DateTime::from_timestamp(hour * 3600 - seconds, 0).unwrap_or(until);
            let (start, end) = (at(first).max(begin), at(after_last).min(until));
            match times.last_mut() {
                _ if start >= end => {}
                Some(last) if last.1 == start => last.1 = end,
                _ => times.push((start, end)),
            }
            begin = until;
        }
        if times.is_empty() {
            // Pacific/Apia left out a day.
            times.push((begin, begin));
        }
        times
    }

    /// The offsets of the zone between the bounds.
    pub(super) fn offsets(&self) -> Vec<OffsetPeriod> {
        let (start, end) = self.bounds();
        offset_periods(self.zone, start, end)
    }
}

fn invalid(field: &str, message: &str) -> Error {
    Error::Invalid { field: field.to_owned(), message: message.to_owned() }
}
