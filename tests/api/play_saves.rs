//! What saves make of plays, previous positions, hidden and deleted entries, and preferences.

use crate::app::{Person, TestApp, history, problem};
use entity::{forgotten_entry, play, user, watch_history};
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use std::time::Duration;

const BATCH: &str = "/api/v1/watch-history/batch";
const MINUTE: Duration = Duration::from_secs(60);

/// Sends a save and returns its status, and the entry if there is one.
async fn send_save(app: &TestApp, person: &Person, video: i64, body: Value) -> (StatusCode, Value) {
    let saved = app.ask(person, Method::POST, &history(video), Some(body)).await;
    let status = saved.status();
    (status, if status == StatusCode::OK { saved.json().await.unwrap() } else { Value::Null })
}

async fn save(app: &TestApp, person: &Person, video: i64, body: Value) -> Value {
    let (status, entry) = send_save(app, person, video, body).await;
    assert_eq!(status, StatusCode::OK);
    entry
}

/// Lets so much time pass that the token of the person expires.
async fn pass_long(app: &TestApp, person: &Person, time: Duration) -> Person {
    app.pass(time);
    app.sign_in_again(person).await
}

/// A save of a player session.
fn of(session: &str, position: i64) -> Value {
    json!({"watch_position": position, "session_id": session, "device": session})
}

/// The sessions of the ended plays, by their numbers, and the number of the running one.
async fn plays(app: &TestApp) -> (Vec<(i32, String)>, i32) {
    let ended = play::Entity::find().order_by_asc(play::Column::Number).all(app.db.reader()).await.unwrap();
    let ended = ended.into_iter().map(|play| (play.number, play.player_session.unwrap_or_default()));
    let entry = watch_history::Entity::find().one(app.db.reader()).await.unwrap().unwrap();
    (ended.collect(), entry.play_started_at.map_or(0, |_| entry.play_number))
}

async fn entry(app: &TestApp) -> watch_history::Model {
    watch_history::Entity::find().one(app.db.reader()).await.unwrap().unwrap()
}

/// Sets a column of all accounts, as another process does.
async fn set(app: &TestApp, column: user::Column, value: impl Into<sea_orm::Value>) {
    let (_guard, db) = app.db.writer().await.unwrap();
    user::Entity::update_many().col_expr(column, Expr::value(value)).exec(db).await.unwrap();
}

on_both! {
    async fn the_saves_of_a_session_are_one_play(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for position in [0, 10, 20] {
            save(&app, &ann, film, of("a", position)).await;
            app.pass(Duration::from_secs(10));
        }
        assert_eq!(plays(&app).await, (vec![], 1));
        let running = entry(&app).await;
        assert_eq!((running.play_start_position, running.play_watched_ms / 1000), (0, 20));
        save(&app, &ann, film, of("b", 30)).await;
        assert_eq!(plays(&app).await, (vec![(1, "a".to_owned())], 2));
        let ended = play::Entity::find().one(app.db.reader()).await.unwrap().unwrap();
        assert_eq!((ended.start_position, ended.end_position, ended.watched_ms / 1000), (0, 20, 20));
        assert_eq!((ended.ended_at - ended.started_at).num_seconds(), 20);
    }

    async fn a_session_that_plays_on_goes_on_with_its_play(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for (session, position) in [("a", 10), ("b", 20), ("a", 30), ("c", 40), ("b", 50)] {
            save(&app, &ann, film, of(session, position)).await;
            app.pass(Duration::from_secs(10));
        }
        let ended = [(1, "a".to_owned()), (3, "c".to_owned())];
        assert_eq!(plays(&app).await, (ended.to_vec(), 2));
        assert_eq!(entry(&app).await.play_start_position, 20);
    }

    async fn saves_without_a_session_begin_a_play_after_half_an_hour(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        save(&app, &ann, film, json!({"watch_position": 10})).await;
        let ann = pass_long(&app, &ann, MINUTE * 29).await;
        save(&app, &ann, film, json!({"watch_position": 20})).await;
        assert_eq!(plays(&app).await, (vec![], 1));
        save(&app, &ann, film, of("a", 21)).await;
        app.pass(MINUTE);
        save(&app, &ann, film, json!({"watch_position": 22})).await;
        assert_eq!(plays(&app).await, (vec![(2, "a".to_owned())], 1), "the last play without a session goes on");
        let ann = pass_long(&app, &ann, MINUTE * 30).await;
        save(&app, &ann, film, json!({"watch_position": 30})).await;
        assert_eq!(plays(&app).await, (vec![(1, String::new()), (2, "a".to_owned())], 3));
    }

    async fn the_time_played_is_that_of_the_players_stopwatch(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(6000)).await;
        let of = |position: i64, played: i64| {
            json!({"watch_position": position, "session_id": "a", "played_seconds": played})
        };
        let mut counted = Vec::new();
        for (position, played) in [(0, 500), (10, 30), (3000, 30), (3010, 1_000_000), (3020, 12)] {
            save(&app, &ann, film, of(position, played)).await;
            counted.push(entry(&app).await.play_watched_ms / 1000);
            app.pass(Duration::from_secs(60));
        }
        assert_eq!(counted, [10, 30, 30, 190, 190]);
        save(&app, &ann, film, of(3020, 0)).await;
        assert_eq!(entry(&app).await.play_watched_ms / 1000, 190);
    }

    async fn the_films_length_as_watch_duration_and_jumps_gain_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(6000)).await;
        for position in [0, 3000, 100, 5000, 200] {
            save(&app, &ann, film, json!({"watch_position": position, "watch_duration": 6000})).await;
        }
        assert_eq!(entry(&app).await.play_watched_ms / 1000, 0);
        let before = entry(&app).await.play_watched_ms;
        for position in [200, 210] {
            app.pass(Duration::from_secs(300));
            save(&app, &ann, film, json!({"watch_position": position, "watch_duration": 6000})).await;
        }
        assert_eq!(entry(&app).await.play_watched_ms - before, 30_000, "30 seconds at most, and only of a move");
    }

    async fn played_seconds_are_bounded_and_need_a_session(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for body in [
            json!({"watch_position": 1, "played_seconds": 1}),
            json!({"watch_position": 1, "session_id": "a", "played_seconds": -1}),
            json!({"watch_position": 1, "session_id": "a", "played_seconds": 2_147_483_648_i64}),
            json!({"watch_position": 1, "session_id": "a", "played_seconds": 1.5}),
        ] {
            let refused = app.ask(&ann, Method::POST, &history(film), Some(body)).await;
            let refusal = problem(refused, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "played_seconds", "{refusal}");
        }
        for played in [0, i32::MAX] {
            save(&app, &ann, film, json!({"watch_position": 1, "session_id": "a", "played_seconds": played})).await;
        }
    }

    async fn another_play_far_away_leaves_the_previous_position(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(6000)).await;
        let first = save(&app, &ann, film, of("a", 1000)).await;
        assert_eq!(first["previous"], Value::Null);
        assert_eq!(save(&app, &ann, film, of("a", 2000)).await["previous"], Value::Null, "a seek of the same play");
        let before = save(&app, &ann, film, of("a", 3000)).await;
        app.pass(MINUTE);
        assert_eq!(save(&app, &ann, film, of("b", 3030)).await["previous"], Value::Null, "30 seconds are near");
        save(&app, &ann, film, of("a", 3000)).await;
        app.pass(MINUTE);
        let given_up = save(&app, &ann, film, of("b", 3031)).await;
        assert_eq!((&given_up["previous"]["position"], &given_up["previous"]["device"]), (&json!(3000), &json!("a")));
        assert!(given_up["previous"]["at"].as_str() > before["last_watched_at"].as_str());
        let list = app.ask(&ann, Method::GET, "/api/v1/videos/continue-watching", None).await;
        assert_eq!(list.json::<Value>().await.unwrap()[0]["previous"], given_up["previous"]);
        let again = save(&app, &ann, film, json!({"watch_position": 0})).await;
        assert_eq!(again["previous"]["position"], 3031, "a start over");
    }

    async fn a_late_position_of_another_play_is_offered_and_not_applied(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(6000)).await;
        save(&app, &ann, film, of("a", 1000)).await;
        let late = |session: &str, position: i64, age: u64| {
            json!({"watch_position": position, "session_id": session, "device": "tablet", "age_ms": age})
        };
        for (session, position, age, previous) in [
            ("a", 2000, 60_000, None), ("b", 1030, 60_000, None), ("b", 3, 60_000, None), ("b", 9000, 60_000, Some(6000)),
            ("c", 3000, 120_000, Some(6000)), ("c", 4000, 50_000, Some(4000)),
        ] {
            let entry = save(&app, &ann, film, late(session, position, age)).await;
            assert_eq!((&entry["applied"], &entry["watch_position"]), (&json!(false), &json!(1000)));
            let expected = previous.map_or(Value::Null, |position| json!(position));
            assert_eq!(entry["previous"]["position"], expected, "{session} {position} {age}");
        }
    }

    async fn saves_of_one_entry_use_up_no_ids(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = [app.add_video(&ann, "one", Some(600)).await, app.add_video(&ann, "two", Some(600)).await];
        let first = save(&app, &ann, films[0], of("tv", 10)).await;
        save(&app, &ann, films[0], of("tv", 20)).await;
        let second = save(&app, &ann, films[1], of("tv", 10)).await;
        assert_eq!(second["id"].as_i64().unwrap(), first["id"].as_i64().unwrap() + 1);
    }

    async fn a_hidden_entry_comes_back_when_a_save_moves_it(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        save(&app, &ann, film, of("a", 100)).await;
        let (_guard, db) = app.db.writer().await.unwrap();
        watch_history::Entity::update_many().col_expr(watch_history::Column::Hidden, Expr::value(true)).exec(db).await.unwrap();
        drop(_guard);
        assert_eq!(app.continue_watching(&ann).await, [""; 0]);
        assert_eq!(save(&app, &ann, film, of("a", 100)).await["hidden"], true, "the position is the same");
        assert_eq!(save(&app, &ann, film, of("a", 101)).await["hidden"], false);
        assert_eq!(app.continue_watching(&ann).await, ["film"]);
    }

    async fn what_was_forgotten_stays_so_for_late_saves(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        save(&app, &ann, film, of("a", 100)).await;
        app.pass(MINUTE);
        assert_eq!(app.ask(&ann, Method::DELETE, &history(film), None).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(forgotten_entry::Entity::find().all(app.db.reader()).await.unwrap().len(), 1);
        app.pass(MINUTE);
        let aged = |age: u64| json!({"watch_position": 50, "session_id": "a", "age_ms": age, "video_id": film});
        let single = |age: u64| json!({"watch_position": 50, "session_id": "a", "age_ms": age});
        for age in [70_000, 90_000] {
            assert_eq!(send_save(&app, &ann, film, single(age)).await.0, StatusCode::NO_CONTENT);
        }
        let batch = json!({"saves": [aged(70_000), aged(40_000), aged(71_000), aged(0)]});
        let results: Value = app.ask(&ann, Method::POST, BATCH, Some(batch)).await.json().await.unwrap();
        let statuses = Vec::from_iter(results["results"].as_array().unwrap().iter().map(|result| &result["status"]));
        assert_eq!(statuses, [204, 200, 204, 200]);
        assert_eq!(results["results"][0], json!({"status": 204}));
        assert_eq!(plays(&app).await, (vec![], 1));
    }

    async fn a_save_of_now_begins_a_new_entry_after_a_deletion(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let first = save(&app, &ann, film, of("a", 100)).await;
        app.ask(&ann, Method::DELETE, &history(film), None).await;
        let second = save(&app, &ann, film, of("a", 101)).await;
        assert!(first["id"].as_i64() < second["id"].as_i64());
        assert_eq!((&second["applied"], &second["play_count"]), (&json!(true), &json!(0)));
    }

    async fn no_save_from_before_a_clearing_is_taken(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        set(&app, user::Column::HistoryClearedBefore, app.now()).await;
        app.pass(MINUTE);
        let aged = |age: u64| json!({"watch_position": 50, "age_ms": age});
        assert_eq!(send_save(&app, &ann, film, aged(120_000)).await.0, StatusCode::NO_CONTENT);
        assert_eq!(send_save(&app, &ann, film, aged(1000)).await.0, StatusCode::OK);
    }

    async fn without_a_history_a_save_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        save(&app, &ann, film, of("a", 100)).await;
        let before = entry(&app).await;
        set(&app, user::Column::HistoryMode, "off").await;
        assert_eq!(send_save(&app, &ann, film, of("a", 200)).await.0, StatusCode::NO_CONTENT);
        let other = app.add_video(&ann, "other", None).await;
        assert_eq!(send_save(&app, &ann, other, of("a", 200)).await.0, StatusCode::NO_CONTENT);
        assert_eq!(send_save(&app, &ann, other + 1, of("a", 200)).await.0, StatusCode::NOT_FOUND);
        assert_eq!(entry(&app).await, before);
    }

    async fn with_positions_only_no_play_is_kept(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(6000)).await;
        save(&app, &ann, film, of("a", 100)).await;
        set(&app, user::Column::HistoryMode, "positions").await;
        save(&app, &ann, film, of("a", 110)).await;
        assert_eq!(plays(&app).await.0, [(1, "a".to_owned())], "the play that was kept ends");
        let moved = save(&app, &ann, film, of("b", 1000)).await;
        assert_eq!(moved["previous"]["position"], 110);
        let stored = entry(&app).await;
        assert_eq!((stored.play_number, stored.play_is_kept), (1, false));
        set(&app, user::Column::HistoryMode, "on").await;
        save(&app, &ann, film, of("b", 1010)).await;
        assert_eq!(plays(&app).await, (vec![(1, "a".to_owned())], 2));
    }

    async fn an_expired_entry_is_gone_and_never_goes_on(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let first = save(&app, &ann, film, of("a", 100)).await;
        set(&app, user::Column::RetentionDays, 2).await;
        let ann = pass_long(&app, &ann, MINUTE * (60 * 48 - 1)).await;
        assert_eq!(app.continue_watching(&ann).await, ["film"], "the last minute");
        app.pass(MINUTE);
        assert_eq!(app.continue_watching(&ann).await, [""; 0]);
        problem(app.ask(&ann, Method::GET, &history(film), None).await, 404, "watch_history_not_found").await;
        let late = json!({"watch_position": 50, "age_ms": 172_800_001});
        assert_eq!(send_save(&app, &ann, film, late).await.0, StatusCode::NO_CONTENT);
        let second = save(&app, &ann, film, of("a", 110)).await;
        assert!(first["id"].as_i64() < second["id"].as_i64());
        assert_eq!(plays(&app).await, (vec![], 1));
        let ann = pass_long(&app, &ann, MINUTE * 60 * 49).await;
        problem(app.ask(&ann, Method::DELETE, &history(film), None).await, 404, "watch_history_not_found").await;
        assert_eq!(watch_history::Entity::find().all(app.db.reader()).await.unwrap().len(), 1, "the sweep deletes it");
        assert_eq!(forgotten_entry::Entity::find().all(app.db.reader()).await.unwrap().len(), 0);
    }

    async fn the_setting_bounds_the_days_for_everybody(
        app: TestApp = crate::app::TestOptions { history_max_days: Some(1), ..Default::default() }
    ) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let first = save(&app, &ann, film, of("a", 100)).await;
        let ann = pass_long(&app, &ann, MINUTE * 60 * 25).await;
        problem(app.ask(&ann, Method::GET, &history(film), None).await, 404, "watch_history_not_found").await;
        assert_eq!(app.continue_watching(&ann).await, [""; 0]);
        let second = save(&app, &ann, film, of("a", 110)).await;
        assert!(first["id"].as_i64() < second["id"].as_i64());
    }

    async fn the_list_can_leave_out_what_was_watched_long_ago(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let mut ann = ann;
        for title in ["old", "new"] {
            let film = app.add_video(&ann, title, Some(600)).await;
            app.save(&ann, film, 60).await;
            ann = pass_long(&app, &ann, MINUTE * 60 * 30).await;
        }
        for (query, titles) in [("1", &[][..]), ("2", &["new"]), ("3650", &["new", "old"])] {
            let path = format!("/api/v1/videos/continue-watching?max_age_days={query}");
            let list: Vec<Value> = app.ask(&ann, Method::GET, &path, None).await.json().await.unwrap();
            assert_eq!(list.iter().map(|item| item["video_title"].as_str().unwrap()).collect::<Vec<_>>(), titles);
        }
        for wrong in ["0", "3651", "x"] {
            let path = format!("/api/v1/videos/continue-watching?max_age_days={wrong}");
            let refusal = problem(app.ask(&ann, Method::GET, &path, None).await, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "max_age_days");
        }
    }

    async fn a_completion_belongs_to_the_running_play(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(100)).await;
        save(&app, &ann, film, of("a", 50)).await;
        let change = json!({"duration": 50});
        app.ask(&ann, Method::PATCH, &format!("/api/v1/videos/{film}"), Some(change)).await;
        assert!(entry(&app).await.play_completed);
        save(&app, &ann, film, of("b", 20)).await;
        save(&app, &ann, film, of("b", 50)).await;
        save(&app, &ann, film, of("c", 10)).await;
        let completed = play::Entity::find().filter(play::Column::Completed.eq(true)).all(app.db.reader()).await.unwrap();
        assert_eq!((completed.len(), entry(&app).await.play_completed), (2, false));
    }
}
