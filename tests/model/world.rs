//! The real thing beside the model: what happens to one happens to the other, and each answer is compared.

use crate::databases::{Engine, TestDatabase};
use crate::rules::{Row, judge, percentage, recompute_completed, resume_at};
use crate::story::{Arrival, Asked, FILMS, Step, Story, VIEWERS};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{user, video, watch_history};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sea_orm::prelude::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use service::caller::{Caller, UserRole};
use service::progress::ProgressRules;
use service::storage::Durability;
use service::video::VideoUpdate;
use service::watch_history::{self as history, ContinueWatching, Entry, History, Save};
use service::{Database, Error};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::runtime::Runtime;

type Checked = Result<(), TestCaseError>;

/// One database for many stories.
pub struct World {
    db: Database,
    history: History,
    rules: ProgressRules,
    _database: TestDatabase,
    _folder: TempDir,
    /// With a single thread, what is asked together is in the lanes before any of it is answered: on PostgreSQL always, on SQLite, whose
    /// lanes are threads, most of it.
    pub runtime: Runtime,
}

impl World {
    pub fn new(engine: Engine) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rules = ProgressRules::default();
        let (database, db, history) = runtime.block_on(async {
            let database = TestDatabase::new(engine, folder.path()).await;
            if engine == Engine::Postgres {
                forgo_the_disk(&database.url).await;
            }
            let db = Database::connect(&database.url, Durability::Normal).await.unwrap();
            let history = History::open(&db, rules);
            (database, db, history)
        });
        Self { db, history, rules, _database: database, _folder: folder, runtime }
    }
}

/// What a crash leaves is not asked here, and stories are told faster when no commit waits for the disk.
async fn forgo_the_disk(url: &str) {
    let server = sea_orm::Database::connect(url).await.unwrap();
    let forgo =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";
    server.execute_unprepared(forgo).await.unwrap();
    server.close().await.unwrap();
}

/// What a row is, with the id under which it is stored.
struct Known {
    id: i64,
    row: Row,
}

/// Viewers and films of one story, and what the model knows of them.
pub struct Scene<'a> {
    world: &'a World,
    now: DateTime<Utc>,
    viewers: Vec<i64>,
    films: Vec<i64>,
    durations: [Option<i32>; FILMS],
    rows: BTreeMap<(usize, usize), Known>,
    /// The ids that rows ever had.
    used_ids: BTreeSet<i64>,
}

/// An answer as far as the rules tell it.
#[derive(Debug, PartialEq)]
enum Answer {
    Entry { shown: Shown, applied: Option<bool> },
    Forgotten,
    Failure(String),
}

#[derive(Debug, PartialEq)]
struct Shown {
    id: i64,
    viewer: i64,
    film: i64,
    position: i32,
    watched: i32,
    completed: bool,
    percentage: f64,
    resume_at: i32,
    device: Option<String>,
    play_count: i32,
    completed_at: Option<DateTime<Utc>>,
    last_watched_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, PartialEq)]
struct Item {
    film: i64,
    position: i32,
    percentage: f64,
    resume_at: i32,
    device: Option<String>,
    play_count: i32,
    last_watched_at: DateTime<Utc>,
}

impl<'a> Scene<'a> {
    pub async fn new(world: &'a World, story: &Story) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let scene = NEXT.fetch_add(1, Ordering::Relaxed);
        let now = DateTime::from_timestamp_millis(1_800_000_000_000).unwrap();
        let (_turn, db) = world.db.writer().await.unwrap();
        let viewers = (0..VIEWERS).map(|viewer| user::ActiveModel {
            email: Set(format!("{viewer}@{scene}")),
            username: Set(format!("{viewer} of {scene}")),
            hashed_password: Set("!".to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        let viewers = user::Entity::insert_many(viewers).exec_with_returning(db).await.unwrap();
        let viewers = Vec::from_iter(viewers.into_iter().map(|viewer| viewer.id));
        let films = story.durations.map(|duration| video::ActiveModel {
            user_id: Set(viewers[0]),
            title: Set("film".to_owned()),
            duration: Set(duration),
            status: Set(video::Status::Ready),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        let films = video::Entity::insert_many(films).exec_with_returning(db).await.unwrap();
        let films = films.into_iter().map(|film| film.id).chain([i64::MAX]).collect();
        Self {
            world,
            now,
            viewers,
            films,
            durations: story.durations,
            rows: BTreeMap::new(),
            used_ids: BTreeSet::new(),
        }
    }

    pub async fn tell(&mut self, steps: &[Step]) -> Checked {
        for step in steps {
            match step {
                Step::Together(arrivals) => self.take_together(arrivals).await?,
                Step::Skew { viewer, film, ahead } => self.skew((*viewer, *film), *ahead).await,
                Step::Duration { film, duration } => self.change_duration(*film, *duration).await,
                Step::Find { viewer, film } => self.check_entry(*viewer, *film).await?,
                Step::List { viewer, limit } => self.check_list(*viewer, *limit).await?,
            }
        }
        Ok(())
    }

    /// One viewer asks all of this, each so many milliseconds after the one before.
    pub async fn take(&mut self, viewer: usize, asked: Vec<(i64, Asked)>) -> Checked {
        let arrivals = asked.into_iter().map(|(pause, asked)| Arrival { pause, viewer, asked });
        self.take_together(&Vec::from_iter(arrivals)).await
    }

    async fn take_together(&mut self, arrivals: &[Arrival]) -> Checked {
        let mut times = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            self.now += TimeDelta::milliseconds(arrival.pause);
            times.push(self.now);
        }
        // All of them are asked, in this order, before the first one is served.
        let answers = join_all(arrivals.iter().zip(&times).map(|(arrival, now)| self.ask(arrival, *now))).await;
        for ((arrival, now), answers) in arrivals.iter().zip(times).zip(answers) {
            let expected = self.expect(arrival, now, &answers);
            prop_assert_eq!(answers, expected, "{:?}", arrival);
        }
        Ok(())
    }

    async fn ask(&self, arrival: &Arrival, now: DateTime<Utc>) -> Vec<Answer> {
        let (history, viewer) = (&self.world.history, self.viewers[arrival.viewer]);
        match &arrival.asked {
            Asked::Save(film, save) => {
                vec![history::save(history, viewer, self.films[*film], save.clone(), now).await.into()]
            }
            Asked::Batch(saves) => {
                let saves = saves.iter().map(|(film, save)| (self.films[*film], save.clone())).collect();
                let saved = history::save_all(history, viewer, saves, now).await.unwrap();
                saved.into_iter().map(Into::into).collect()
            }
            Asked::Forget(film) => vec![match history::forget(history, viewer, self.films[*film]).await {
                Ok(()) => Answer::Forgotten,
                Err(error) => Answer::Failure(error.to_string()),
            }],
        }
    }

    /// What the rules say to this arrival. The id of a new row is learnt from the answer.
    fn expect(&mut self, arrival: &Arrival, now: DateTime<Utc>, answers: &[Answer]) -> Vec<Answer> {
        let viewer = arrival.viewer;
        match &arrival.asked {
            Asked::Save(film, save) => vec![self.expect_of_save((viewer, *film), save, now, answers.first())],
            Asked::Batch(saves) => {
                let saves = saves.iter().enumerate();
                saves
                    .map(|(at, (film, save))| self.expect_of_save((viewer, *film), save, now, answers.get(at)))
                    .collect()
            }
            Asked::Forget(FILMS) => vec![failure(&Error::VideoNotFound)],
            Asked::Forget(film) => match self.rows.remove(&(viewer, *film)) {
                Some(_) => vec![Answer::Forgotten],
                None => vec![failure(&Error::HistoryNotFound)],
            },
        }
    }

    fn expect_of_save(
        &mut self,
        key: (usize, usize),
        save: &Save,
        now: DateTime<Utc>,
        answer: Option<&Answer>,
    ) -> Answer {
        let Some(duration) = self.durations.get(key.1) else { return failure(&Error::VideoNotFound) };
        let known = self.rows.remove(&key);
        let (row, applied) = judge(known.as_ref().map(|known| &known.row), save, now, *duration, &self.world.rules);
        let id = match (known, answer) {
            (Some(known), _) => known.id,
            (None, Some(Answer::Entry { shown, .. })) if !self.used_ids.contains(&shown.id) => shown.id,
            // No row has this id: there was no answer, or one with an id that was used before.
            (None, _) => 0,
        };
        self.used_ids.insert(id);
        self.rows.insert(key, Known { id, row });
        Answer::Entry { shown: self.shown(key).unwrap(), applied: Some(applied) }
    }

    fn shown(&self, (viewer, film): (usize, usize)) -> Option<Shown> {
        let Known { id, row } = self.rows.get(&(viewer, film))?;
        let duration = self.durations[film];
        Some(Shown {
            id: *id,
            viewer: self.viewers[viewer],
            film: self.films[film],
            position: row.position,
            watched: row.watched,
            completed: row.completed,
            percentage: percentage(row.position, duration),
            resume_at: resume_at(row.position, duration, &self.world.rules),
            device: row.device.clone(),
            play_count: row.play_count,
            completed_at: row.completed_at,
            last_watched_at: row.last_watched_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    async fn skew(&mut self, (viewer, film): (usize, usize), ahead: i64) {
        let Some(known) = self.rows.get_mut(&(viewer, film)) else { return };
        let future = self.now + TimeDelta::milliseconds(ahead);
        known.row.last_watched_at = future;
        let update = watch_history::Entity::update_many()
            .col_expr(watch_history::Column::LastWatchedAt, Expr::value(future))
            .col_expr(watch_history::Column::WatchedHour, Expr::value(future.timestamp().div_euclid(3600)))
            .filter(watch_history::Column::Id.eq(known.id));
        update.exec(self.world.db.writer().await.unwrap().1).await.unwrap();
    }

    async fn change_duration(&mut self, film: usize, duration: Option<i32>) {
        let (world, uploader) = (self.world, Caller { id: self.viewers[0], role: UserRole::User });
        let update = VideoUpdate { title: None, description: None, duration: Some(duration), thumbnail_path: None };
        let update = world.db.transaction(async |tx| {
            service::video::update(tx, uploader, self.films[film], update, &world.rules, self.now).await
        });
        update.await.unwrap();
        if self.durations[film] != duration {
            let rows = self.rows.iter_mut().filter(|((_, of), _)| *of == film);
            rows.for_each(|(_, Known { row, .. })| recompute_completed(row, duration, &world.rules));
        }
        self.durations[film] = duration;
    }

    async fn check_entry(&self, viewer: usize, film: usize) -> Checked {
        let found = history::find(&self.world.history, self.viewers[viewer], self.films[film]).await;
        let expected = match self.shown((viewer, film)) {
            Some(shown) => Answer::Entry { shown, applied: None },
            None if film == FILMS => failure(&Error::VideoNotFound),
            None => failure(&Error::HistoryNotFound),
        };
        prop_assert_eq!(Answer::from(found), expected);
        Ok(())
    }

    async fn check_list(&self, viewer: usize, limit: u32) -> Checked {
        let list = history::continue_watching(&self.world.history, self.viewers[viewer], limit).await.unwrap();
        let mut begun = Vec::from_iter(
            self.rows.iter().filter(|((of, _), Known { row, .. })| *of == viewer && row.position > 0 && !row.completed),
        );
        begun.sort_by_key(|(_, Known { id, row })| Reverse((row.last_watched_at, *id)));
        let expected = begun.into_iter().take(limit as usize).map(|((_, film), Known { row, .. })| Item {
            film: self.films[*film],
            position: row.position,
            percentage: percentage(row.position, self.durations[*film]),
            resume_at: resume_at(row.position, self.durations[*film], &self.world.rules),
            device: row.device.clone(),
            play_count: row.play_count,
            last_watched_at: row.last_watched_at,
        });
        let expected = Vec::from_iter(expected);
        prop_assert_eq!(Vec::from_iter(list.into_iter().map(Item::from)), expected);
        Ok(())
    }

    /// Every row as it is stored, everything that is told of it, and that there is no other row.
    pub async fn check_all(&self) -> Checked {
        let stored = self.stored().await;
        let keys: BTreeSet<_> = stored.iter().map(|row| (row.user_id, row.video_id)).collect();
        let known = self.rows.keys().map(|(viewer, film)| (self.viewers[*viewer], self.films[*film]));
        prop_assert_eq!(&keys, &known.collect());
        for (model, stored) in self.rows.values().zip(stored) {
            prop_assert_eq!((&stored.player_session, stored.sequence), (&model.row.session, model.row.sequence));
        }
        for viewer in 0..VIEWERS {
            for film in 0..FILMS {
                self.check_entry(viewer, film).await?;
            }
            self.check_list(viewer, 10).await?;
        }
        Ok(())
    }

    /// The rows of this story as they are stored, by viewer and film.
    pub async fn stored(&self) -> Vec<watch_history::Model> {
        let of_viewers = watch_history::Column::UserId.is_in(self.viewers.iter().copied());
        let rows = watch_history::Entity::find().filter(of_viewers).order_by_asc(watch_history::Column::UserId);
        let rows = rows.order_by_asc(watch_history::Column::VideoId);
        rows.all(self.world.db.reader()).await.unwrap()
    }
}

fn failure(error: &Error) -> Answer {
    Answer::Failure(error.to_string())
}

impl From<Result<Entry, Error>> for Answer {
    fn from(answer: Result<Entry, Error>) -> Self {
        let entry = match answer {
            Ok(entry) => entry,
            Err(error) => return failure(&error),
        };
        let shown = Shown {
            id: entry.id,
            viewer: entry.user_id,
            film: entry.video_id,
            position: entry.watch_position,
            watched: entry.watch_duration,
            completed: entry.completed,
            percentage: entry.progress_percentage,
            resume_at: entry.resume_at,
            device: entry.device,
            play_count: entry.play_count,
            completed_at: entry.completed_at.map(|moment| moment.0),
            last_watched_at: entry.last_watched_at.0,
            created_at: entry.created_at.0,
            updated_at: entry.updated_at.0,
        };
        Self::Entry { shown, applied: entry.applied }
    }
}

impl From<ContinueWatching> for Item {
    fn from(item: ContinueWatching) -> Self {
        Self {
            film: item.video_id,
            position: item.watch_position,
            percentage: item.progress_percentage,
            resume_at: item.resume_at,
            device: item.device,
            play_count: item.play_count,
            last_watched_at: item.last_watched_at.0,
        }
    }
}
