//! The run of one story: each request goes to the store and to the rules, and the answers are
//! compared.

use crate::answer::Answer;
use crate::expected::{Expected, Key};
use crate::site::TestSite;
use crate::story::{Arrival, Request, Step, Story, VIDEOS, VIEWERS};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{user, video, watch_history};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sea_orm::prelude::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, Set};
use service::caller::{Caller, UserRole};
use service::video::VideoUpdate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

type Checked = Result<(), TestCaseError>;

pub struct StoryRun<'a> {
    site: &'a TestSite,
    now: DateTime<Utc>,
    expected: Expected,
}

impl<'a> StoryRun<'a> {
    pub async fn new(site: &'a TestSite, story: &Story) -> Self {
        let now = DateTime::from_timestamp_millis(1_800_000_000_000).unwrap();
        let (_write_guard, db) = site.db.writer().await.unwrap();
        let viewers = create_viewers(db, now).await;
        let videos = create_videos(db, viewers[0], story, now).await;
        let expected = Expected {
            rules: site.rules,
            viewers,
            videos: videos.into_iter().chain([i64::MAX]).collect(),
            durations: story.durations,
            rows: BTreeMap::new(),
            used_ids: BTreeSet::new(),
        };
        Self { site, now, expected }
    }

    pub async fn execute(&mut self, steps: &[Step]) -> Checked {
        for step in steps {
            match step {
                Step::Requests(arrivals) => self.send_all(arrivals).await?,
                Step::Skew { viewer, video, ahead } => self.skew((*viewer, *video), *ahead).await,
                Step::Duration { video, duration } => self.change_duration(*video, *duration).await,
                Step::Find { viewer, video } => self.check_entry((*viewer, *video)).await?,
                Step::List { viewer, limit } => self.check_list(*viewer, *limit).await?,
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

    async fn answers(&self, arrival: &Arrival, now: DateTime<Utc>) -> Vec<Answer> {
        let (store, videos) = (&self.site.store, &self.expected.videos);
        let viewer = self.expected.viewers[arrival.viewer];
        match &arrival.request {
            Request::Save(video, save) => vec![store.save(viewer, videos[*video], save.clone(), now).await],
            Request::Batch(saves) => {
                let saves = saves.iter().map(|(video, save)| (videos[*video], save.clone()));
                store.save_all(viewer, saves.collect(), now).await
            }
            Request::Forget(video) => vec![store.forget(viewer, videos[*video], now).await],
        }
    }

    async fn skew(&mut self, key: Key, ahead: i64) {
        let Some(known) = self.expected.rows.get_mut(&key) else { return };
        let future = self.now + TimeDelta::milliseconds(ahead);
        known.row.last_watched_at = future;
        let update = watch_history::Entity::update_many()
            .col_expr(watch_history::Column::LastWatchedAt, Expr::value(future))
            .col_expr(watch_history::Column::WatchedHour, Expr::value(future.timestamp().div_euclid(3600)))
            .filter(watch_history::Column::Id.eq(known.id));
        update.exec(self.site.db.writer().await.unwrap().1).await.unwrap();
    }

    async fn change_duration(&mut self, video: usize, duration: Option<i32>) {
        let (site, expected) = (self.site, &mut self.expected);
        let uploader = Caller { id: expected.viewers[0], role: UserRole::User };
        let update = VideoUpdate { title: None, description: None, duration: Some(duration), thumbnail_path: None };
        let (id, now) = (expected.videos[video], self.now);
        let change =
            site.db.transaction(async |tx| service::video::update(tx, uploader, id, update, &site.rules, now).await);
        change.await.unwrap();
        expected.change_duration(video, duration);
    }

    async fn check_entry(&self, (viewer, video): Key) -> Checked {
        let found = self.site.store.find(self.expected.viewers[viewer], self.expected.videos[video], self.now).await;
        prop_assert_eq!(found, self.expected.answer_to_find((viewer, video)));
        Ok(())
    }

    async fn check_list(&self, viewer: usize, limit: u32) -> Checked {
        let list = self.site.store.list(self.expected.viewers[viewer], limit, self.now).await;
        prop_assert_eq!(list, self.expected.list(viewer, limit));
        Ok(())
    }

    /// Checks every row as it is stored, every answer about it, and that there is no other row.
    pub async fn check_all(&self) -> Checked {
        let (stored, expected) = (self.stored().await, &self.expected);
        let keys: BTreeSet<_> = stored.iter().map(|row| (row.user_id, row.video_id)).collect();
        let known = expected.rows.keys().map(|(viewer, video)| (expected.viewers[*viewer], expected.videos[*video]));
        prop_assert_eq!(&keys, &known.collect());
        for (model, stored) in expected.rows.values().zip(stored) {
            prop_assert_eq!((&stored.player_session, stored.sequence), (&model.row.session, model.row.sequence));
        }
        for viewer in 0..VIEWERS {
            for video in 0..VIDEOS {
                self.check_entry((viewer, video)).await?;
            }
            self.check_list(viewer, 10).await?;
        }
        Ok(())
    }

    /// The rows of this story as they are stored, by viewer and video.
    pub async fn stored(&self) -> Vec<watch_history::Model> {
        let of_viewers = watch_history::Column::UserId.is_in(self.expected.viewers.iter().copied());
        let rows = watch_history::Entity::find().filter(of_viewers).order_by_asc(watch_history::Column::UserId);
        let rows = rows.order_by_asc(watch_history::Column::VideoId);
        rows.all(self.site.db.reader()).await.unwrap()
    }
}

async fn create_viewers(db: &DatabaseConnection, now: DateTime<Utc>) -> Vec<i64> {
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

async fn create_videos(db: &DatabaseConnection, uploader: i64, story: &Story, now: DateTime<Utc>) -> Vec<i64> {
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
