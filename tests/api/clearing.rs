//! Forgetting many entries, clearing the history, and saves that come after it.

use crate::app::{Person, TestApp, history, problem};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{forgotten_entry, play, user, watch_history};
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::time::Duration;

const BATCH: &str = "/api/v1/watch-history/batch";
const HISTORY: &str = "/api/v1/watch-history";
const MINUTE: Duration = Duration::from_secs(60);

async fn forget(app: &TestApp, person: &Person, videos: &[i64]) -> i64 {
    let body = json!({"video_ids": videos});
    let answer = app.ask_json(person, Method::POST, "/api/v1/watch-history/forget", Some(body)).await;
    answer["deleted"].as_i64().unwrap()
}

async fn clear(app: &TestApp, person: &Person, before: Option<DateTime<Utc>>) -> i64 {
    let query = before.map(|before| format!("?before={}", before.format("%Y-%m-%dT%H:%M:%S%.3fZ"))).unwrap_or_default();
    let answer = app.ask_json(person, Method::DELETE, &format!("{HISTORY}{query}"), None).await;
    answer["deleted"].as_i64().unwrap()
}

async fn has_entry(app: &TestApp, person: &Person, video: i64) -> bool {
    app.ask(person, Method::GET, &history(video), None).await.status() == StatusCode::OK
}

/// Checks that a save of a position from so many milliseconds ago is not taken, alone and in a
/// batch.
async fn refuses_save(app: &TestApp, person: &Person, video: i64, age_ms: i64) {
    let late = json!({"watch_position": 5, "age_ms": age_ms, "session_id": "late", "sequence": 1});
    let single = app.ask(person, Method::POST, &history(video), Some(late.clone())).await;
    assert_eq!(single.status(), StatusCode::NO_CONTENT);
    let mut item = late;
    item["video_id"] = json!(video);
    let batch = app.ask_json(person, Method::POST, BATCH, Some(json!({"saves": [item]}))).await;
    assert_eq!(batch, json!({"results": [{"status": 204}]}));
    assert!(!has_entry(app, person, video).await);
}

async fn begins_anew(app: &TestApp, person: &Person, video: i64) {
    let entry = app.save(person, video, 7).await;
    assert_eq!((&entry["watch_position"], &entry["applied"]), (&json!(7), &json!(true)));
    assert_eq!((&entry["play_count"], &entry["previous"]), (&json!(0), &Value::Null));
}

/// Three videos that were watched three, two and one minutes ago.
async fn watched_each_minute(app: &TestApp, person: &Person) -> Vec<i64> {
    let films = app.add_videos(person, 3).await;
    for film in &films {
        app.save(person, *film, 100).await;
        app.pass(MINUTE);
    }
    films
}

/// So many ended plays of each entry of the viewer, a minute after each other, the last one at
/// `end`.
async fn add_plays(app: &TestApp, person: &Person, count: i32, end: DateTime<Utc>) {
    let entries = watch_history::Entity::find().filter(watch_history::Column::UserId.eq(person.id));
    let rows = entries.all(app.db.reader()).await.unwrap().into_iter().flat_map(|entry| {
        (1..=count).map(move |number| play::ActiveModel {
            entry_id: Set(entry.id),
            number: Set(number + 10),
            user_id: Set(entry.user_id),
            started_at: Set(end - TimeDelta::minutes(i64::from(count - number) + 10)),
            ended_at: Set(end - TimeDelta::minutes((count - number).into())),
            start_position: Set(0),
            end_position: Set(10),
            ..Default::default()
        })
    });
    let rows = Vec::from_iter(rows);
    let (_guard, db) = app.db.writer().await.unwrap();
    for rows in rows.chunks(1000) {
        play::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await.unwrap();
    }
}

/// The status of a response, and those of the saves of a batch.
async fn statuses(app: &TestApp, person: &Person, method: Method, path: &str, body: Option<Value>) -> Vec<u64> {
    let answer = app.ask(person, method, path, body).await;
    let status = answer.status().as_u16().into();
    let body: Value = answer.json().await.unwrap();
    let results = body["results"].as_array().cloned().unwrap_or_default();
    results.iter().filter_map(|result| result["status"].as_u64()).chain([status]).collect()
}

async fn count_plays(app: &TestApp) -> u64 {
    play::Entity::find().count(app.db.reader()).await.unwrap()
}

on_both! {
    async fn a_late_save_brings_no_forgotten_entry_back(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 590).await;
        app.pass(MINUTE);
        assert_eq!(app.ask(&ann, Method::DELETE, &history(film), None).await.status(), StatusCode::NO_CONTENT);
        app.pass(MINUTE);
        refuses_save(&app, &ann, film, 61_000).await;
        begins_anew(&app, &ann, film).await;
    }

    async fn many_entries_are_forgotten_for_good(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let films = watched_each_minute(&app, &ann).await;
        app.save(&bob, films[0], 50).await;
        add_plays(&app, &ann, 2, app.now()).await;
        let listed = [films[0], films[1], films[0], 999_999];
        assert_eq!(forget(&app, &ann, &listed).await, 2);
        assert_eq!(forget(&app, &ann, &listed).await, 0);
        assert_eq!(count_plays(&app).await, 2, "those of the third video");
        assert!(has_entry(&app, &ann, films[2]).await && has_entry(&app, &bob, films[0]).await);
        app.pass(MINUTE);
        refuses_save(&app, &ann, films[0], 61_000).await;
        refuses_save(&app, &ann, films[1], 61_000).await;
        begins_anew(&app, &ann, films[0]).await;
        let since = json!({"watch_position": 20, "age_ms": 30_000});
        assert_eq!(app.send_save(&ann, films[1], since).await["applied"], true, "it is of a time after the deletion");
    }

    async fn a_second_deletion_refuses_saves_until_its_own_time(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for _ in 0..2 {
            app.save(&ann, film, 100).await;
            assert_eq!(forget(&app, &ann, &[film]).await, 1);
            app.pass(MINUTE);
        }
        refuses_save(&app, &ann, film, 61_000).await;
        let tombstones = forgotten_entry::Entity::find().all(app.db.reader()).await.unwrap();
        assert_eq!(tombstones.len(), 1);
    }

    async fn a_cleared_history_is_empty_and_stays_so(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let films = watched_each_minute(&app, &ann).await;
        app.save(&bob, films[0], 50).await;
        add_plays(&app, &ann, 3, app.now()).await;
        assert_eq!(clear(&app, &ann, None).await, 3);
        assert_eq!(count_plays(&app).await, 0);
        for film in &films {
            assert!(!has_entry(&app, &ann, *film).await);
        }
        assert!(has_entry(&app, &bob, films[0]).await);
        assert_eq!(forgotten_entry::Entity::find().count(app.db.reader()).await.unwrap(), 0, "one time stands for all");
        app.pass(MINUTE);
        refuses_save(&app, &ann, films[0], 61_000).await;
        begins_anew(&app, &ann, films[0]).await;
        assert_eq!(clear(&app, &ann, None).await, 1);
        assert_eq!(clear(&app, &ann, None).await, 0);
    }

    async fn a_history_is_cleared_before_a_time(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = watched_each_minute(&app, &ann).await;
        // Each entry has plays that ended 4, 3, 2, 1 and 0 minutes ago.
        add_plays(&app, &ann, 5, app.now()).await;
        let before = app.now() - TimeDelta::seconds(90);
        assert_eq!(clear(&app, &ann, Some(before)).await, 2, "watched 3 and 2 minutes ago");
        assert_eq!(count_plays(&app).await, 2, "those of the last video that ended since");
        assert!(has_entry(&app, &ann, films[2]).await);
        refuses_save(&app, &ann, films[0], 100_000).await;
        let since = json!({"watch_position": 20, "age_ms": 30_000});
        assert_eq!(app.send_save(&ann, films[1], since).await["applied"], true);
        assert_eq!(clear(&app, &ann, Some(before - TimeDelta::hours(1))).await, 0);
        refuses_save(&app, &ann, films[0], 100_000).await;
    }

    async fn a_long_history_is_cleared_in_several_transactions(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 600).await;
        for films in films.chunks(500) {
            let body = json!({"video_ids": films, "watched": true});
            app.ask_json(&ann, Method::POST, "/api/v1/watch-history/mark", Some(body)).await;
        }
        add_plays(&app, &ann, 10, app.now()).await;
        app.take_statements();
        assert_eq!(clear(&app, &ann, None).await, 600);
        assert_eq!(count_plays(&app).await, 0);
        let statements = app.take_statements();
        let commits = statements.iter().filter(|sql| sql.starts_with("DELETE FROM \"plays\"")).count();
        assert!((3..20).contains(&commits), "{commits} transactions");
    }

    async fn an_entry_with_very_many_plays_is_cleared_in_several_transactions(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        add_plays(&app, &ann, 4000, app.now()).await;
        assert_eq!(clear(&app, &ann, None).await, 1);
        assert_eq!(count_plays(&app).await, 0);
    }

    async fn a_time_of_the_future_or_none_clears_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        for before in ["2999-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z", ""] {
            let refused = app.ask(&ann, Method::DELETE, &format!("{HISTORY}?before={before}"), None).await;
            assert_eq!(problem(refused, 422, "validation_failed").await["errors"][0]["field"], "before");
        }
        assert!(has_entry(&app, &ann, film).await);
    }

    async fn a_misspelt_parameter_clears_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = watched_each_minute(&app, &ann).await;
        let path = format!("{HISTORY}?Before=2026-01-01T00:00:00Z");
        problem(app.ask(&ann, Method::DELETE, &path, None).await, 422, "validation_failed").await;
        assert!(has_entry(&app, &ann, films[0]).await);
    }

    async fn an_interrupted_clearing_is_finished_later(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = watched_each_minute(&app, &ann).await;
        add_plays(&app, &ann, 2, app.now()).await;
        // What a clearing of all has stored when it is interrupted.
        let cleared = user::Entity::update_many().filter(user::Column::Id.eq(ann.id));
        let cleared = cleared.col_expr(user::Column::HistoryClearedBefore, Expr::value(app.now()));
        cleared.exec(app.db.writer().await.unwrap().1).await.unwrap();
        app.pass(MINUTE);
        let long_ago = json!({"watched_at": "2020-01-01T00:00:00Z"});
        let marked = app.add_video(&ann, "seen long ago", Some(600)).await;
        app.ask_json(&ann, Method::PUT, &format!("/api/v1/videos/{marked}/watched"), Some(long_ago)).await;
        let finished = service::watch_history::edit::finish_clearings(&app.db).await.unwrap();
        assert_eq!(finished.deleted, 3);
        assert_eq!(count_plays(&app).await, 0);
        assert!(has_entry(&app, &ann, marked).await && !has_entry(&app, &ann, films[0]).await);
    }

    async fn saves_and_edits_of_one_viewer_at_the_same_time_all_succeed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 40).await;
        let marks = |watched| json!({"video_ids": films, "watched": watched});
        for round in 0..6 {
            let save = |film: &i64| json!({"video_id": film, "watch_position": 50 * round, "session_id": format!("{film}-{round}")});
            let saves = json!({"saves": Vec::from_iter(films.iter().rev().map(save))});
            let ask = |method: Method, path: &'static str, body: Option<Value>| statuses(&app, &ann, method, path, body);
            let all = [
                ask(Method::POST, BATCH, Some(saves.clone())),
                ask(Method::POST, "/api/v1/watch-history/mark", Some(marks(true))),
                ask(Method::POST, "/api/v1/watch-history/forget", Some(json!({"video_ids": films[..20]}))),
                ask(Method::POST, "/api/v1/watch-history/mark", Some(marks(false))),
                ask(Method::DELETE, HISTORY, None),
                ask(Method::POST, BATCH, Some(saves)),
            ];
            let all = join_all(all.into_iter().skip(usize::from(round % 2 == 0))).await;
            assert!(all.iter().flatten().all(|status| *status == 200), "{all:?}");
        }
    }

    async fn a_deactivated_account_clears_nothing(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 100).await;
        app.deactivate("bob").await;
        problem(app.ask(&bob, Method::DELETE, HISTORY, None).await, 401, "unauthenticated").await;
        assert_eq!(watch_history::Entity::find().count(app.db.reader()).await.unwrap(), 1);
    }
}
