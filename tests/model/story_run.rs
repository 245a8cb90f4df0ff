//! The run of one story: each request goes to the store and to the rules, and the answers are
//! compared.

use crate::answer::Answer;
use crate::device::Device;
use crate::expected::{Expected, Key, Stored};
use crate::rules::preferences::Keeps;
use crate::rules::{Time, Viewer};
use crate::site::TestSite;
use crate::store::Store;
use crate::story::{Arrival, Edit, Read, Request, State, Step, Story, VIDEOS, VIEWERS};
use chrono::TimeDelta;
use entity::{user, video, watch_history};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sea_orm::prelude::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, Set};
use service::caller::{Caller, UserRole};
use service::preferences::{self, HistoryPreference, PreferencesUpdate};
use service::video::VideoUpdate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

type Checked = Result<(), TestCaseError>;

pub struct StoryRun<'a> {
    site: &'a TestSite,
    now: Time,
    expected: Expected,
    /// One of each viewer.
    devices: [Device; VIEWERS],
}

impl<'a> StoryRun<'a> {
    pub async fn new(site: &'a TestSite, story: &Story) -> Self {
        let now = Time::from_timestamp_millis(1_800_000_000_000).unwrap();
        let (_write_guard, db) = site.db.writer().await.unwrap();
        let viewer_ids = create_viewers(db, now).await;
        let video_ids = create_videos(db, viewer_ids[0], story, now).await;
        let expected = Expected {
            rules: site.rules,
            viewer_ids,
            video_ids: video_ids.into_iter().chain([i64::MAX]).collect(),
            durations: story.durations,
            viewers: (0..VIEWERS).map(|_| Viewer::default()).collect(),
            used_ids: BTreeSet::new(),
        };
        Self { site, now, expected, devices: Default::default() }
    }

    pub async fn execute(&mut self, steps: &[Step]) -> Checked {
        for step in steps {
            match step {
                Step::Requests(arrivals) => self.send_all(arrivals).await?,
                Step::Edit { pause, viewer, edit } => self.edit(*pause, *viewer, edit).await?,
                Step::Preferences { viewer, keeps, retention_days } => {
                    self.set_preferences(*viewer, *keeps, *retention_days).await;
                }
                Step::Skew { viewer, video, ahead } => self.skew((*viewer, *video), *ahead).await,
                Step::Duration { video, duration } => self.change_duration(*video, *duration).await,
                Step::Read { viewer, read } => self.check(*viewer, read).await?,
                Step::Changes { viewer, limit } => drop(self.read_changes(*viewer, *limit, self.now).await),
            }
        }
        Ok(())
    }

    /// Sends a request of a viewer, `pause` milliseconds after the one before.
    pub async fn send(&mut self, viewer: usize, pause: i64, request: Request) -> Checked {
        self.send_all(&[Arrival { pause, viewer, request }]).await
    }

    /// Sends all requests, in this order, before the first one is answered.
    async fn send_all(&mut self, arrivals: &[Arrival]) -> Checked {
        let mut times = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            self.now += TimeDelta::milliseconds(arrival.pause);
            times.push(self.now);
        }
        let answers = join_all(arrivals.iter().zip(&times).map(|(arrival, now)| self.answers(arrival, *now))).await;
        for ((arrival, now), answers) in arrivals.iter().zip(times).zip(answers) {
            let expected = self.expected.answers(arrival, now, &answers);
            prop_assert_eq!(answers, expected, "{:?}", arrival);
        }
        Ok(())
    }

    async fn answers(&self, arrival: &Arrival, now: Time) -> Vec<Answer> {
        let (store, videos) = (&self.site.store, &self.expected.video_ids);
        let viewer = self.expected.viewer_ids[arrival.viewer];
        match &arrival.request {
            Request::Save(video, save) => vec![store.save(viewer, videos[*video], save.clone(), now).await],
            Request::Batch(saves) => {
                let saves = saves.iter().map(|(video, save)| (videos[*video], save.clone()));
                store.save_all(viewer, saves.collect(), now).await
            }
            Request::Forget(video) => vec![store.forget(viewer, videos[*video], now).await],
        }
    }

    async fn edit(&mut self, pause: i64, viewer: usize, edit: &Edit) -> Checked {
        self.now += TimeDelta::milliseconds(pause);
        let answer = self.site.edit(&self.expected, viewer, edit, self.now).await;
        let expected = self.expected.answer_to_edit(viewer, edit, self.now, &answer);
        prop_assert_eq!(answer, expected, "{:?}", edit);
        // Marks of several videos make rows of which the answer does not tell the ids.
        if matches!(edit, Edit::MarkMany { .. }) {
            let stored = self.stored().await;
            self.expected.learn_ids(&stored);
        }
        Ok(())
    }

    pub async fn set_preferences(&mut self, viewer: usize, keeps: Keeps, retention_days: Option<i32>) {
        let preferences = &mut self.expected.viewers[viewer].preferences;
        (preferences.keeps, preferences.retention_days) = (keeps, retention_days);
        let history = match keeps {
            Keeps::All => HistoryPreference::On,
            Keeps::Positions => HistoryPreference::Positions,
            Keeps::Nothing => HistoryPreference::Off,
        };
        let update = PreferencesUpdate {
            history: Some(history),
            retention_days: Some(retention_days),
            ..PreferencesUpdate::default()
        };
        let (viewer, now) = (self.expected.viewer_ids[viewer], self.now);
        let update = self.site.run(async |tx| preferences::update(tx, viewer, update, now).await);
        update.await.unwrap();
    }

    async fn skew(&mut self, (viewer, video): Key, ahead: i64) {
        let Some(row) = self.expected.viewers[viewer].rows.get_mut(&video) else { return };
        let future = row.last_watched_at.max(self.now + TimeDelta::milliseconds(ahead));
        row.last_watched_at = future;
        let update = watch_history::Entity::update_many()
            .col_expr(watch_history::Column::LastWatchedAt, Expr::value(future))
            .col_expr(watch_history::Column::WatchedHour, Expr::value(future.timestamp().div_euclid(3600)))
            .filter(watch_history::Column::Id.eq(row.id));
        update.exec(self.site.db.writer().await.unwrap().1).await.unwrap();
        // Nobody tells of an update that is not made by the service.
        self.devices[viewer].forget();
    }

    async fn change_duration(&mut self, video: usize, duration: Option<i32>) {
        let (site, expected) = (self.site, &mut self.expected);
        let uploader = Caller { id: expected.viewer_ids[0], role: UserRole::User, history_since: None };
        let update = VideoUpdate { title: None, description: None, duration: Some(duration), thumbnail_path: None };
        let (id, now) = (expected.video_ids[video], self.now);
        let change =
            site.db.transaction(async |tx| service::video::update(tx, uploader, id, update, &site.rules, now).await);
        change.await.unwrap();
        expected.change_duration(video, duration);
    }

    /// Checks what a viewer reads.
    async fn check(&self, viewer: usize, read: &Read) -> Checked {
        let (site, expected, now) = (self.site, &self.expected, self.now);
        let (id, videos) = (expected.viewer_ids[viewer], &expected.video_ids);
        match *read {
            Read::Entry { video } => {
                let found = site.store.find(id, videos[video], now).await;
                prop_assert_eq!(found, expected.answer_to_find((viewer, video), now));
            }
            Read::ContinueWatching { limit, max_age_days } => {
                let list = site.store.continue_watching(id, limit, max_age_days, now).await;
                prop_assert_eq!(list, expected.continue_watching(viewer, limit, max_age_days, now));
            }
            Read::History { state, page_size } => {
                let list = site.history(id, state, page_size, now).await;
                prop_assert_eq!(list, expected.history(viewer, state, now), "{:?}", state);
            }
            Read::Plays { video, page_size } => {
                let list = site.plays(id, video.map(|video| videos[video]), page_size, now).await;
                prop_assert_eq!(list, expected.plays(viewer, video, now));
            }
        }
        Ok(())
    }

    /// Returns whether there are more changes. The plain store does not record them on SQLite.
    async fn read_changes(&mut self, viewer: usize, limit: u64, now: Time) -> bool {
        let (site, id) = (self.site, self.expected.viewer_ids[viewer]);
        matches!(site.store, Store::Fast(_)) && self.devices[viewer].read(site, id, limit, now).await
    }

    /// Checks that a device that reads on has what is expected. It may keep what has expired until
    /// that is deleted.
    async fn check_device(&mut self, viewer: usize) -> Checked {
        let now = self.now.max(self.devices[viewer].latest);
        // What changed between the pages of a walk is told by the next walk.
        for _walk in 0..2 {
            while self.read_changes(viewer, 100, now).await {}
        }
        if let Store::Fast(_) = self.site.store {
            let expired = self.expected.expired(viewer, now);
            let entries = self.expected.history(viewer, State::All, now).into_iter();
            let copy = self.devices[viewer].copy.clone().into_iter().filter(|(video, _)| !expired.contains(video));
            let expected = BTreeMap::from_iter(entries.map(|entry| (entry.video, entry)));
            prop_assert_eq!(BTreeMap::from_iter(copy), expected);
        }
        Ok(())
    }

    /// Checks every row as it is stored, every answer about it, and that there is no other row.
    pub async fn check_all(&mut self) -> Checked {
        prop_assert_eq!(self.stored().await, self.expected.stored());
        for viewer in 0..VIEWERS {
            for video in 0..VIDEOS {
                self.check(viewer, &Read::Entry { video }).await?;
            }
            self.check(viewer, &Read::ContinueWatching { limit: 10, max_age_days: None }).await?;
            self.check(viewer, &Read::Plays { video: None, page_size: 100 }).await?;
            self.check_device(viewer).await?;
        }
        Ok(())
    }

    /// The rows of this story as they are stored.
    pub async fn stored(&self) -> Stored {
        Stored::read(self.site.db.reader(), &self.expected.viewer_ids).await
    }
}

async fn create_viewers(db: &DatabaseConnection, now: Time) -> Vec<i64> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let viewers = (0..VIEWERS).map(|viewer| user::ActiveModel {
        email: Set(format!("{viewer}@{number}")),
        username: Set(format!("{viewer} of {number}")),
        hashed_password: Set("!".to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    let viewers = user::Entity::insert_many(viewers).exec_with_returning(db).await.unwrap();
    viewers.into_iter().map(|viewer| viewer.id).collect()
}

async fn create_videos(db: &DatabaseConnection, uploader: i64, story: &Story, now: Time) -> Vec<i64> {
    let videos = story.durations.map(|duration| video::ActiveModel {
        user_id: Set(uploader),
        title: Set("video".to_owned()),
        duration: Set(duration),
        status: Set(video::Status::Ready),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    let videos = video::Entity::insert_many(videos).exec_with_returning(db).await.unwrap();
    videos.into_iter().map(|video| video.id).collect()
}
