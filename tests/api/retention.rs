//! How long the history is kept: what has expired is deleted by the sweep, and nothing else.

use crate::app::{Person, TestApp, TestOptions, history};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{forgotten_entry, play, user, video, watch_history};
use reqwest::{Method, StatusCode};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use serde_json::{Value, json};
use service::retention::{self, SweptRows};
use service::storage::Event;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

async fn keep_for(app: &TestApp, person: &Person, days: i32) {
    let body = json!({"retention_days": days});
    let changed = app.ask(person, Method::PATCH, "/api/v1/users/me/preferences", Some(body)).await;
    assert_eq!(changed.status(), StatusCode::OK);
}

async fn sweep(app: &TestApp, max_days: Option<i32>) -> SweptRows {
    retention::sweep(&app.db, max_days, app.now()).await.unwrap()
}

/// Stores an entry that was last watched so many days ago, and returns its id.
async fn add_entry(app: &TestApp, person: &Person, video_id: i64, days_ago: i64) -> i64 {
    let time = app.now() - TimeDelta::days(days_ago);
    let row = watch_history::ActiveModel {
        user_id: Set(person.id),
        video_id: Set(video_id),
        last_watched_at: Set(time),
        watched_hour: Set(i32::try_from(time.timestamp().div_euclid(3600)).unwrap()),
        created_at: Set(time),
        updated_at: Set(time),
        // Completed entries are in another part of the index.
        completed: Set(video_id % 2 == 0),
        ..Default::default()
    };
    entry_insert(app, row).await
}

async fn entry_insert(app: &TestApp, row: watch_history::ActiveModel) -> i64 {
    let (_guard, db) = app.db.writer().await.unwrap();
    watch_history::Entity::insert(row).exec(db).await.unwrap().last_insert_id
}

/// Stores a play of an hour that ended so many days ago.
async fn add_play(app: &TestApp, person: &Person, entry_id: i64, number: i32, days_ago: i64) {
    let ended_at = app.now() - TimeDelta::days(days_ago);
    let row = play::ActiveModel {
        entry_id: Set(entry_id),
        number: Set(number),
        user_id: Set(person.id),
        started_at: Set(ended_at - TimeDelta::hours(1)),
        ended_at: Set(ended_at),
        start_position: Set(0),
        end_position: Set(60),
        ..Default::default()
    };
    let (_guard, db) = app.db.writer().await.unwrap();
    play::Entity::insert(row).exec_without_returning(db).await.unwrap();
}

/// The videos of the entries that a person has.
async fn videos(app: &TestApp, person: &Person) -> Vec<i64> {
    let rows = watch_history::Entity::find().filter(watch_history::Column::UserId.eq(person.id));
    let mut videos: Vec<i64> =
        rows.select_only().column(watch_history::Column::VideoId).into_tuple().all(app.db.reader()).await.unwrap();
    videos.sort_unstable();
    videos
}

async fn add_videos(app: &TestApp, person: &Person, count: usize) -> Vec<i64> {
    let now = app.now();
    let row = |n: usize| video::ActiveModel {
        user_id: Set(person.id),
        title: Set(format!("film {n}")),
        status: Set(video::Status::Ready),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let (_guard, db) = app.db.writer().await.unwrap();
    video::Entity::insert_many((0..count).map(row)).exec_without_returning(db).await.unwrap();
    let ids = video::Entity::find().select_only().column(video::Column::Id).into_tuple();
    ids.all(app.db.reader()).await.unwrap()
}

/// The status of the entry, and how many items each list has.
async fn shown(app: &TestApp, person: &Person, film: i64) -> (StatusCode, [usize; 4]) {
    let entry = app.ask(person, Method::GET, &history(film), None).await.status();
    let lists = [
        "/api/v1/videos/continue-watching".to_owned(),
        "/api/v1/watch-history".to_owned(),
        "/api/v1/plays".to_owned(),
        format!("/api/v1/videos/{film}/plays"),
    ];
    let mut counts = [0; 4];
    for (count, path) in counts.iter_mut().zip(lists) {
        let list: Vec<Value> = app.ask(person, Method::GET, &path, None).await.json().await.unwrap();
        *count = list.len();
    }
    (entry, counts)
}

on_both! {
    async fn what_has_expired_is_shown_nowhere_at_once(
        app: TestApp = TestOptions { history_max_days: Some(100), ..TestOptions::default() }
    ) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        for person in [&ann, &bob] {
            app.save(person, film, 60).await;
        }
        app.pass(40 * DAY);
        let (ann, bob) = (app.sign_in_again(&ann).await, app.sign_in_again(&bob).await);
        assert_eq!(shown(&app, &ann, film).await, (StatusCode::OK, [1, 1, 1, 1]));
        keep_for(&app, &ann, 30).await;
        assert_eq!(shown(&app, &ann, film).await, (StatusCode::NOT_FOUND, [0; 4]), "her own preference");
        assert_eq!(shown(&app, &bob, film).await, (StatusCode::OK, [1, 1, 1, 1]));
        app.pass(61 * DAY);
        let bob = app.sign_in_again(&bob).await;
        assert_eq!(shown(&app, &bob, film).await, (StatusCode::NOT_FOUND, [0; 4]), "the setting");
        assert_eq!((videos(&app, &ann).await, videos(&app, &bob).await), (vec![film], vec![film]), "no sweep yet");
        let entry = app.save(&bob, film, 7).await;
        assert_eq!(entry["previous"], json!(null), "it begins anew");
        assert_eq!(sweep(&app, Some(100)).await.entries, 1);
        assert_eq!((videos(&app, &ann).await, videos(&app, &bob).await), (vec![], vec![film]));
    }

    async fn what_has_expired_is_no_progress_of_its_video(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 60).await;
        app.pass(40 * DAY);
        let ann = app.sign_in_again(&ann).await;
        let progress = async || {
            let one = app.ask_json(&ann, Method::GET, &format!("/api/v1/videos/{film}"), None).await;
            let mut all = vec![one["watch_progress"].clone()];
            for list in ["videos", "videos?q=film", "videos/my-videos", "videos/search?q=film"] {
                let videos = app.ask_json(&ann, Method::GET, &format!("/api/v1/{list}"), None).await;
                let videos = videos.as_array().unwrap_or_else(|| videos["videos"].as_array().unwrap());
                all.push(videos[0]["watch_progress"].clone());
            }
            all
        };
        assert_eq!(progress().await, vec![json!(10.0); 5]);
        keep_for(&app, &ann, 30).await;
        assert_eq!(progress().await, vec![Value::Null; 5]);
    }

    async fn the_sweep_deletes_what_has_expired_and_nothing_else(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let films = [app.add_video(&ann, "one", None).await, app.add_video(&ann, "two", None).await];
        keep_for(&app, &ann, 30).await;
        for person in [&ann, &bob] {
            app.save(person, films[0], 60).await;
        }
        app.pass(20 * DAY);
        let (ann, bob) = (app.sign_in_again(&ann).await, app.sign_in_again(&bob).await);
        for person in [&ann, &bob] {
            app.save(person, films[1], 60).await;
        }
        assert_eq!(sweep(&app, None).await, SweptRows::default());
        app.pass(10 * DAY + Duration::from_secs(60));
        let mut listener = app.db.subscribe();
        assert_eq!(sweep(&app, None).await.entries, 1);
        assert_eq!(videos(&app, &ann).await, films[1..]);
        assert_eq!(videos(&app, &bob).await, films, "nobody asked for it");
        assert_eq!(listener.try_next(), Ok(Event::EntryForgotten { user_id: ann.id, video_id: films[0] }));
        assert_eq!(sweep(&app, None).await, SweptRows::default());
    }

    async fn the_setting_bounds_everybody_and_a_preference_can_be_shorter(app: TestApp) {
        let people = [app.sign_up("ann").await, app.sign_up("bob").await, app.sign_up("cyd").await];
        let films = add_videos(&app, &people[0], 6).await;
        for person in &people {
            for (film, days_ago) in films.iter().zip([0, 4, 8, 12, 101, 400]) {
                add_entry(&app, person, *film, days_ago).await;
            }
        }
        keep_for(&app, &people[1], 5).await;
        keep_for(&app, &people[2], 3650).await;
        assert_eq!(sweep(&app, Some(100)).await, SweptRows { entries: 2 + 4 + 2, plays: 0, tombstones: 0 });
        for (person, left) in people.iter().zip([4, 2, 4]) {
            assert_eq!(videos(&app, person).await, films[..left], "{}", person.name);
        }
        assert_eq!(sweep(&app, Some(10)).await.entries, 2);
        assert_eq!(sweep(&app, None).await.entries, 0);
    }

    async fn old_plays_of_a_living_entry_are_deleted(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let films = add_videos(&app, &ann, 2).await;
        keep_for(&app, &ann, 30).await;
        for person in [&ann, &bob] {
            let living = add_entry(&app, person, films[0], 1).await;
            let expired = add_entry(&app, person, films[1], 31).await;
            for (number, days_ago) in [(1, 40), (2, 31), (3, 29), (4, 2)] {
                add_play(&app, person, living, number, days_ago).await;
                add_play(&app, person, expired, number, days_ago + 31).await;
            }
        }
        sweep(&app, None).await;
        let plays = async |person: &Person| {
            let plays = play::Entity::find().filter(play::Column::UserId.eq(person.id)).all(app.db.reader()).await.unwrap();
            plays.into_iter().map(|play| play.number).collect::<Vec<_>>()
        };
        assert_eq!((plays(&ann).await, videos(&app, &ann).await), (vec![3, 4], films[..1].to_vec()));
        assert_eq!((plays(&bob).await.len(), videos(&app, &bob).await), (8, films));
    }

    async fn the_memory_of_a_deletion_goes_after_30_days(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = add_videos(&app, &ann, 3).await;
        let old = app.now() - TimeDelta::days(30) - TimeDelta::milliseconds(1);
        let times = [old, old + TimeDelta::milliseconds(1), app.now()];
        let rows = films.iter().zip(times).map(|(film, time)| forgotten_entry::ActiveModel {
            user_id: Set(ann.id),
            video_id: Set(*film),
            forgotten_at: Set(time),
            ..Default::default()
        });
        let cleared = async |time: DateTime<Utc>| {
            let row = user::ActiveModel { id: Set(ann.id), history_cleared_before: Set(Some(time)), ..Default::default() };
            let (_guard, db) = app.db.writer().await.unwrap();
            user::Entity::update(row).exec(db).await.unwrap();
        };
        let cleared_before = async || {
            let row = user::Entity::find_by_id(ann.id).one(app.db.reader()).await.unwrap().unwrap();
            row.history_cleared_before
        };
        let rows = forgotten_entry::Entity::insert_many(rows);
        rows.exec_without_returning(app.db.writer().await.unwrap().1).await.unwrap();
        cleared(times[1]).await;
        let now = times[1] + TimeDelta::days(30);
        let swept = retention::sweep(&app.db, None, now).await.unwrap();
        assert_eq!(swept, SweptRows { entries: 0, plays: 0, tombstones: 1 });
        assert_eq!(cleared_before().await, Some(times[1]));
        let swept = retention::sweep(&app.db, None, now + TimeDelta::milliseconds(1)).await.unwrap();
        assert_eq!((swept.tombstones, cleared_before().await), (1, None));
        assert_eq!(forgotten_entry::Entity::find().count(app.db.reader()).await.unwrap(), 1);
    }

    async fn a_sweep_that_is_interrupted_goes_on_in_small_steps(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = add_videos(&app, &ann, 1000).await;
        keep_for(&app, &ann, 30).await;
        for film in &films {
            add_entry(&app, &ann, *film, 31).await;
        }
        let left = async || watch_history::Entity::find().count(app.db.reader()).await.unwrap();
        let (db, now) = (app.db.clone(), app.now());
        let sweeping = tokio::spawn(async move { retention::sweep(&db, None, now).await });
        let mut seen = left().await;
        while seen == 1000 {
            tokio::task::yield_now().await;
            seen = left().await;
        }
        assert!(seen >= 600, "{seen} are left after a transaction or two");
        sweeping.abort();
        assert!(sweeping.await.is_err_and(|error| error.is_cancelled()));
        let before = left().await;
        assert!(before > 0);
        assert_eq!(sweep(&app, None).await.entries, before);
        assert_eq!(left().await, 0);
    }
}
