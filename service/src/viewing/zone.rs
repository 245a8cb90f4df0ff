//! The local hours of a time zone, for a database that knows no zones.

use chrono::{DateTime, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The whole hours from 1970-01-01, 0:00 to a local time. On a day on which the clock is set back,
/// two hours of UTC have the same number.
pub(super) type LocalHour = i64;

/// A time up to which a zone has one offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetPeriod {
    /// The first time after it.
    pub(super) until: DateTime<Utc>,
    /// The seconds that local time is ahead of UTC.
    pub(super) seconds: i64,
}

/// No zone changes its offset twice within this time.
const STEP: TimeDelta = TimeDelta::hours(6);

/// The periods of one offset, from `start` to `end` at least.
pub(super) fn offset_periods(zone: Tz, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<OffsetPeriod> {
    let mut periods = Vec::new();
    let mut time = start;
    while time < end {
        let next = (time + STEP).min(end);
        if offset_at(zone, next) != offset_at(zone, time) {
            periods.push(OffsetPeriod { until: first_change(zone, time, next), seconds: offset_at(zone, time) });
        }
        time = next;
    }
    periods.push(OffsetPeriod { until: end, seconds: offset_at(zone, end) });
    periods
}

/// The second after `time` and up to `end` from which on the offset is that of `end`.
fn first_change(zone: Tz, time: DateTime<Utc>, end: DateTime<Utc>) -> DateTime<Utc> {
    let (mut before, mut after) = (time.timestamp(), end.timestamp());
    let seconds_at = |second| DateTime::from_timestamp(second, 0).map(|time| offset_at(zone, time));
    while after - before > 1 {
        let middle = before.midpoint(after);
        if seconds_at(middle) == Some(offset_at(zone, end)) { after = middle } else { before = middle }
    }
    DateTime::from_timestamp(after, 0).unwrap_or(end)
}

fn offset_at(zone: Tz, time: DateTime<Utc>) -> i64 {
    zone.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc().into()
}

/// The first hour of a day.
pub(super) fn first_hour(day: NaiveDate) -> LocalHour {
    day.and_time(NaiveTime::MIN).and_utc().timestamp().div_euclid(3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn periods(zone: &str, start: &str, end: &str) -> Vec<(String, i64)> {
        let periods = offset_periods(zone.parse().unwrap(), time(start), time(end));
        periods.into_iter().map(|period| (period.until.to_rfc3339(), period.seconds)).collect()
    }

    #[test]
    fn a_year_has_a_period_for_each_offset() {
        assert_eq!(
            periods("Europe/Berlin", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            [
                ("2026-03-29T01:00:00+00:00".to_owned(), 3600),
                ("2026-10-25T01:00:00+00:00".to_owned(), 7200),
                ("2027-01-01T00:00:00+00:00".to_owned(), 3600),
            ]
        );
        assert_eq!(
            periods("Australia/Lord_Howe", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"),
            [("2026-04-04T15:00:00+00:00".to_owned(), 39_600), ("2026-05-01T00:00:00+00:00".to_owned(), 37_800)]
        );
        assert_eq!(
            periods("Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            [("2026-12-01T00:00:00+00:00".to_owned(), 20_700)]
        );
    }
}
