//! From the rows of the statement to the statistics.

use super::range::ViewingRange;
use super::statement::{SumKind, SumRow};
use super::{DeviceTime, TopUploader, TopVideo, ViewingDay, ViewingStatistics};
use crate::Error;
use chrono::Datelike;
use std::cmp::Reverse;

/// Distributes the sums over days, weekdays, hours and rankings.
///
/// # Errors
/// A row has a day outside of the range, which is a defect.
pub(super) fn collect(range: &ViewingRange, mut rows: Vec<SumRow>) -> Result<ViewingStatistics, Error> {
    // The rows of a UNION have no order.
    let order = |row: &SumRow| (Reverse((row.seconds, row.plays)), row.id);
    rows.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name)));
    let mut statistics = empty(range);
    for row in rows {
        let SumRow { kind, id, name, seconds, plays, completed } = row;
        match kind {
            SumKind::Day => add_day(&mut statistics, id, [seconds, plays, completed])?,
            SumKind::Hour => *item(&mut statistics.hours, id)? += seconds,
            SumKind::Device => statistics.devices.push(DeviceTime { device: name, watched_seconds: seconds }),
            SumKind::Entries => (statistics.videos_started, statistics.videos_completed) = (plays, completed),
            SumKind::Video => statistics.top_videos.push(TopVideo {
                video_id: id,
                video_title: name.unwrap_or_default(),
                watched_seconds: seconds,
                plays,
            }),
            SumKind::Uploader => statistics
                .top_uploaders
                .push(TopUploader { username: name.unwrap_or_default(), watched_seconds: seconds }),
        }
    }
    (statistics.longest_streak_days, statistics.current_streak_days) = streaks(&statistics.days);
    Ok(statistics)
}

/// The statistics of a viewer without plays.
fn empty(range: &ViewingRange) -> ViewingStatistics {
    let days = range.from.iter_days().take_while(|date| *date <= range.to);
    ViewingStatistics {
        from: range.from,
        to: range.to,
        tz: range.zone.name().to_owned(),
        watched_seconds: 0,
        plays: 0,
        videos_started: 0,
        videos_completed: 0,
        days: days.map(|date| ViewingDay { date, watched_seconds: 0, plays: 0, completed: 0 }).collect(),
        weekdays: vec![0; 7],
        hours: vec![0; 24],
        top_videos: Vec::new(),
        top_uploaders: Vec::new(),
        devices: Vec::new(),
        longest_streak_days: 0,
        current_streak_days: 0,
    }
}

fn add_day(
    statistics: &mut ViewingStatistics,
    number: i64,
    [seconds, plays, completed]: [i64; 3],
) -> Result<(), Error> {
    let day = item(&mut statistics.days, number)?;
    day.watched_seconds += seconds;
    day.plays += plays;
    day.completed += completed;
    let weekday = day.date.weekday().num_days_from_monday();
    *item(&mut statistics.weekdays, weekday.into())? += seconds;
    statistics.watched_seconds += seconds;
    statistics.plays += plays;
    Ok(())
}

fn item<T>(list: &mut [T], index: i64) -> Result<&mut T, Error> {
    let item = usize::try_from(index).ok().and_then(|index| list.get_mut(index));
    item.ok_or_else(|| Error::Internal(format!("the day or hour {index} is not in the range")))
}

/// The longest streak, and the one that ends on the last day or the day before.
fn streaks(days: &[ViewingDay]) -> (u32, u32) {
    let (mut longest, mut streak, mut before) = (0, 0, 0);
    for day in days {
        before = streak;
        streak = if day.plays > 0 { streak + 1 } else { 0 };
        longest = streak.max(longest);
    }
    (longest, if streak > 0 { streak } else { before })
}
