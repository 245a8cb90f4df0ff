//! What the statistics of a viewer must be, written a second time: one loop over all plays.

use crate::app::{Person, TestApp};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use entity::{play, user, video, watch_history};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use service::Database;
use service::viewing::{DeviceTime, TopUploader, TopVideo, ViewingDay, ViewingQuery, ViewingStatistics};
use std::collections::{BTreeMap, BTreeSet};

/// Zones with half and quarter hours, with daylight saving of a half, one and two hours, at
/// midnight and across it.
const ZONES: [&str; 14] = [
    "UTC",
    "Asia/Seoul",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Europe/Berlin",
    "America/New_York",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "Antarctica/Troll",
    "Pacific/Kiritimati",
    "Pacific/Apia",
];
const DEVICES: [Option<&str>; 4] = [None, Some("Living room"), Some("phone"), Some("tablet")];
const VIDEOS: usize = 13;
const UPLOADERS: usize = 12;
/// The first second of the plays. In these years America/St_Johns set its clock back across
/// midnight, and Pacific/Apia left out a day.
const START: i64 = 1_293_840_000;
const DAYS: i64 = 420;

#[derive(Clone, Debug)]
pub struct WorldPlay {
    pub video: usize,
    pub device: Option<&'static str>,
    pub started_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
    pub watched_ms: i64,
    pub completed: bool,
}

/// A viewer with plays of videos, some of which the viewer may not see.
#[derive(Clone, Debug)]
pub struct World {
    pub plays: Vec<WorldPlay>,
    pub visible: Vec<bool>,
    pub retention_days: Option<i32>,
    pub max_days: Option<i32>,
    pub now: DateTime<Utc>,
}

/// The ids that the stored rows got.
pub struct WorldIds {
    pub viewer: i64,
    pub videos: Vec<i64>,
    pub uploaders: Vec<String>,
}

pub fn world() -> impl Strategy<Value = World> {
    let days = option::weighted(0.3, 30..DAYS as i32);
    (vec(world_play(), 0..300), vec(prop::bool::weighted(0.8), VIDEOS), days.clone(), days).prop_map(
        |(plays, visible, retention_days, max_days)| {
            let now = DateTime::from_timestamp(START, 0).unwrap() + TimeDelta::days(DAYS);
            World { plays, visible, retention_days, max_days, now }
        },
    )
}

fn world_play() -> impl Strategy<Value = WorldPlay> {
    let range = DAYS * 86_400_000;
    // Half of the plays begin within a few quarter hours of a full hour of some days.
    let start = prop_oneof![
        0..range,
        (0..DAYS, 0..96_i64, -2..3_i64).prop_map(|(day, quarter, off)| ((day * 96 + quarter) * 900_000 + off).max(0))
    ];
    (0..VIDEOS, select(&DEVICES[..]), start, 0..7_200_000_i64, any::<bool>()).prop_map(
        |(video, device, start, watched_ms, completed)| {
            let started_at = DateTime::from_timestamp_millis(START * 1000 + start).unwrap();
            let ended_at = started_at + TimeDelta::milliseconds(watched_ms);
            WorldPlay { video, device, started_at, ended_at, watched_ms, completed }
        },
    )
}

pub fn query() -> impl Strategy<Value = ViewingQuery> {
    let day = |days| (DateTime::from_timestamp(START, 0).unwrap() + TimeDelta::days(days)).date_naive();
    let tz = option::weighted(0.9, select(&ZONES[..]));
    (option::weighted(0.9, (0..DAYS, prop_oneof![0..366_i64, 0..3_i64, Just(365)])), tz).prop_map(move |(range, tz)| {
        ViewingQuery {
            from: range.map(|(first, _)| day(first)),
            to: range.map(|(first, length)| day(first + length)),
            tz: tz.map(str::to_owned),
        }
    })
}

impl World {
    /// Writes the rows. The newest play of a video is the running one, another one that has none.
    pub async fn store(&self, db: &Database, number: u32) -> WorldIds {
        let (_guard, writer) = db.writer().await.unwrap();
        let viewer = add_user(writer, &format!("viewer{number}"), self.retention_days).await;
        let other = add_user(writer, &format!("other{number}"), None).await;
        let (mut uploaders, mut uploader_ids, mut videos) = (Vec::new(), Vec::new(), Vec::new());
        for uploader in 0..UPLOADERS {
            uploaders.push(format!("uploader{number}x{uploader:02}"));
            uploader_ids.push(add_user(writer, &uploaders[uploader], None).await);
        }
        for index in 0..VIDEOS {
            let status = if self.visible[index] { video::Status::Ready } else { video::Status::Processing };
            videos.push(add_video(writer, uploader_ids[index % UPLOADERS], index, status).await);
        }
        for (index, id) in videos.iter().enumerate() {
            let plays: Vec<_> = self.plays.iter().filter(|play| play.video == index).collect();
            let running = plays.iter().max_by_key(|play| play.ended_at).filter(|_| index % 2 == 0);
            for user_id in [viewer, other] {
                add_entry(writer, user_id, *id, &plays, running.copied()).await;
            }
        }
        WorldIds { viewer, videos, uploaders }
    }

    /// Two plays of today of a video that `person` uploads, 90 seconds together. Returns the video.
    pub async fn small(app: &TestApp, person: &Person) -> i64 {
        let film = app.add_video(person, "film", Some(600)).await;
        let play = |device, watched_ms, completed| WorldPlay {
            video: 0,
            device,
            started_at: app.now(),
            ended_at: app.now(),
            watched_ms,
            completed,
        };
        let (ended, running) = (play(DEVICES[1], 60_999, true), play(None, 30_000, false));
        let (_guard, writer) = app.db.writer().await.unwrap();
        add_entry(writer, person.id, film, &[&ended], None).await;
        let other = app.now() + TimeDelta::milliseconds(1);
        watch_history::ActiveModel {
            play_is_kept: Set(true),
            play_started_at: Set(Some(other)),
            play_watched_ms: Set(running.watched_ms),
            device: Set(None),
            ..watch_history::Entity::find().one(writer).await.unwrap().unwrap().into()
        }
        .update(writer)
        .await
        .unwrap();
        film
    }
}

async fn add_user(db: &sea_orm::DatabaseConnection, name: &str, retention_days: Option<i32>) -> i64 {
    let now = DateTime::UNIX_EPOCH;
    let row = user::ActiveModel {
        email: Set(format!("{name}@example.org")),
        username: Set(name.to_owned()),
        hashed_password: Set(String::new()),
        created_at: Set(now),
        updated_at: Set(now),
        retention_days: Set(retention_days),
        ..Default::default()
    };
    row.insert(db).await.unwrap().id
}

async fn add_video(db: &sea_orm::DatabaseConnection, user_id: i64, index: usize, status: video::Status) -> i64 {
    let now = DateTime::UNIX_EPOCH;
    let row = video::ActiveModel {
        user_id: Set(user_id),
        title: Set(format!("film {index}")),
        status: Set(status),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    row.insert(db).await.unwrap().id
}

async fn add_entry(
    db: &sea_orm::DatabaseConnection,
    user_id: i64,
    video_id: i64,
    plays: &[&WorldPlay],
    running: Option<&WorldPlay>,
) {
    let Some(newest) = plays.iter().map(|play| play.ended_at).max() else { return };
    let entry = watch_history::ActiveModel {
        user_id: Set(user_id),
        video_id: Set(video_id),
        last_watched_at: Set(newest),
        created_at: Set(newest),
        updated_at: Set(newest),
        play_number: Set(plays.len() as i32),
        play_is_kept: Set(running.is_some()),
        play_started_at: Set(running.map(|play| play.started_at)),
        play_watched_ms: Set(running.map_or(0, |play| play.watched_ms)),
        play_completed: Set(running.is_some_and(|play| play.completed)),
        device: Set(running.and_then(|play| play.device).map(str::to_owned)),
        ..Default::default()
    };
    let entry_id = entry.insert(db).await.unwrap().id;
    let ended = plays.iter().filter(|play| running.is_none_or(|running| !std::ptr::eq(running, **play)));
    let rows: Vec<_> = ended
        .enumerate()
        .map(|(index, play)| play::ActiveModel {
            entry_id: Set(entry_id),
            number: Set(index as i32 + 1),
            user_id: Set(user_id),
            device: Set(play.device.map(str::to_owned)),
            started_at: Set(play.started_at),
            ended_at: Set(play.ended_at),
            start_position: Set(0),
            end_position: Set(0),
            watched_ms: Set(play.watched_ms),
            completed: Set(play.completed),
            ..Default::default()
        })
        .collect();
    play::Entity::insert_many(rows).exec_without_returning(db).await.unwrap();
}

/// The statistics, by the words of the API document.
pub fn expected(world: &World, ids: &WorldIds, query: &ViewingQuery) -> ViewingStatistics {
    let zone: Tz = query.tz.as_deref().unwrap_or("UTC").parse().unwrap();
    let to = query.to.unwrap_or(world.now.with_timezone(&zone).date_naive());
    let from = query.from.unwrap_or(to - TimeDelta::days(29));
    let kept_days = world.retention_days.into_iter().chain(world.max_days).min();
    let is_kept =
        |play: &WorldPlay| kept_days.is_none_or(|days| play.ended_at >= world.now - TimeDelta::days(days.into()));
    let mut days: BTreeMap<NaiveDate, ViewingDay> = from
        .iter_days()
        .take_while(|date| *date <= to)
        .map(|date| (date, ViewingDay { date, watched_seconds: 0, plays: 0, completed: 0 }))
        .collect();
    let (mut weekdays, mut hours, mut total, mut count) = (vec![0; 7], vec![0; 24], 0, 0);
    let (mut started, mut completed) = (BTreeSet::new(), BTreeSet::new());
    let (mut by_video, mut by_uploader, mut by_device) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for play in world.plays.iter().filter(|play| is_kept(play)) {
        let local = play.started_at.with_timezone(&zone);
        let Some(day) = days.get_mut(&local.date_naive()) else { continue };
        let seconds = play.watched_ms / 1000;
        day.watched_seconds += seconds;
        day.plays += 1;
        day.completed += i64::from(play.completed);
        weekdays[local.weekday().num_days_from_monday() as usize] += seconds;
        hours[local.hour() as usize] += seconds;
        (total, count) = (total + seconds, count + 1);
        started.insert(play.video);
        if play.completed {
            completed.insert(play.video);
        }
        *by_device.entry(play.device).or_insert(0) += seconds;
        if world.visible[play.video] {
            let of_video: &mut (i64, i64) = by_video.entry(play.video).or_default();
            *of_video = (of_video.0 + seconds, of_video.1 + 1);
            let of_uploader: &mut (i64, i64) = by_uploader.entry(play.video % UPLOADERS).or_default();
            *of_uploader = (of_uploader.0 + seconds, of_uploader.1 + 1);
        }
    }
    let days: Vec<_> = days.into_values().collect();
    let is_watched = |date: NaiveDate| days.iter().any(|day| day.date == date && day.plays > 0);
    let streak_to = |last: NaiveDate| (0..).take_while(|back| is_watched(last - TimeDelta::days(*back))).count() as u32;
    let yesterday = to - TimeDelta::days(1);
    let mut videos: Vec<_> = by_video.into_iter().collect();
    videos.sort_by_key(|(video, (seconds, plays))| (-seconds, -plays, ids.videos[*video]));
    let mut uploaders: Vec<_> = by_uploader.into_iter().collect();
    uploaders.sort_by_key(|(uploader, (seconds, plays))| (-seconds, -plays, *uploader));
    uploaders.truncate(10);
    let mut devices: Vec<_> = by_device.into_iter().collect();
    devices.sort_by_key(|(device, seconds)| (-seconds, *device));
    ViewingStatistics {
        from,
        to,
        tz: zone.name().to_owned(),
        watched_seconds: total,
        plays: count,
        videos_started: started.len() as i64,
        videos_completed: completed.len() as i64,
        weekdays,
        hours,
        top_videos: videos
            .into_iter()
            .take(10)
            .map(|(video, (watched_seconds, plays))| TopVideo {
                video_id: ids.videos[video],
                video_title: format!("film {video}"),
                watched_seconds,
                plays,
            })
            .collect(),
        top_uploaders: uploaders
            .into_iter()
            .map(|(uploader, (watched_seconds, _))| TopUploader {
                username: ids.uploaders[uploader].clone(),
                watched_seconds,
            })
            .collect(),
        devices: devices
            .into_iter()
            .map(|(device, watched_seconds)| DeviceTime { device: device.map(str::to_owned), watched_seconds })
            .collect(),
        longest_streak_days: days.iter().map(|day| streak_to(day.date)).max().unwrap_or(0),
        current_streak_days: if is_watched(to) { streak_to(to) } else { streak_to(yesterday) },
        days,
    }
}
