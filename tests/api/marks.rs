//! Marks: videos that a viewer says were watched, one and many.

use crate::app::{Person, TestApp, history, problem};
use chrono::TimeDelta;
use entity::play;
use reqwest::{Method, Response, StatusCode};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};
use std::time::Duration;

const MANY: &str = "/api/v1/watch-history/mark";

async fn mark(app: &TestApp, person: &Person, video: i64, body: Option<Value>) -> Value {
    app.ask_json(person, Method::PUT, &watched(video), body).await
}

async fn unmark(app: &TestApp, person: &Person, video: i64) -> Value {
    app.ask_json(person, Method::DELETE, &watched(video), None).await
}

fn watched(video: i64) -> String {
    format!("/api/v1/videos/{video}/watched")
}

async fn mark_many(app: &TestApp, person: &Person, videos: &[i64], watched: bool) -> Value {
    app.ask_json(person, Method::POST, MANY, Some(json!({"video_ids": videos, "watched": watched}))).await
}

/// Whether an entry is completed, how often, and where it is.
fn progress(entry: &Value) -> (bool, i64, i64) {
    let number = |field: &str| entry[field].as_i64().unwrap();
    (entry["completed"].as_bool().unwrap(), number("play_count"), number("watch_position"))
}

/// The ended plays, in the order in which they began.
async fn plays(app: &TestApp) -> Vec<play::Model> {
    play::Entity::find().order_by_asc(play::Column::StartedAt).all(app.db.reader()).await.unwrap()
}

on_both! {
    async fn a_marked_video_is_completed_without_a_play(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let marked = mark(&app, &ann, film, None).await;
        assert_eq!(progress(&marked), (true, 1, 600));
        assert_eq!((&marked["device"], &marked["previous"]), (&Value::Null, &Value::Null));
        assert_eq!(marked["completed_at"], marked["last_watched_at"]);
        assert!(app.entry(&ann, film).await == marked && plays(&app).await.is_empty());
        let unknown = app.add_video(&ann, "a film of unknown duration", None).await;
        assert_eq!(progress(&mark(&app, &ann, unknown, None).await), (true, 1, 0));
    }

    async fn a_second_mark_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for duration in [Some(600), None] {
            let film = app.add_video(&ann, "film", duration).await;
            let first = mark(&app, &ann, film, None).await;
            app.pass(Duration::from_secs(60));
            assert_eq!(mark(&app, &ann, film, Some(json!({}))).await, first);
            assert_eq!(mark(&app, &ann, film, Some(json!({"watched_at": null}))).await, first);
        }
    }

    async fn a_mark_says_when_the_video_was_watched(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let (film, other) = (app.add_video(&ann, "film", Some(600)).await, app.add_video(&ann, "other", Some(600)).await);
        let old = json!({"watched_at": "2019-05-01T20:15:00+02:00"});
        let marked = mark(&app, &ann, film, Some(old.clone())).await;
        let (completed_at, watched_at) = (&marked["completed_at"], &marked["last_watched_at"]);
        assert_eq!((completed_at, watched_at), (&json!("2019-05-01T18:15:00.000Z"), &json!("2019-05-01T18:15:00.000Z")));
        let saved = app.save(&ann, other, 590).await;
        app.save(&ann, other, 100).await;
        let marked = mark(&app, &ann, other, Some(old)).await;
        assert_eq!(progress(&marked), (true, 1, 600));
        assert_eq!(marked["completed_at"], saved["completed_at"], "it was completed before");
        assert!(marked["last_watched_at"].as_str() >= saved["last_watched_at"].as_str(), "it never goes back");
    }

    async fn a_mark_of_the_future_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for time in [json!(app.now() + TimeDelta::minutes(1)), json!("noon"), json!(1), json!("1969-12-31T23:59:59Z")] {
            let refused = app.ask(&ann, Method::PUT, &watched(film), Some(json!({"watched_at": time}))).await;
            assert_eq!(problem(refused, 422, "validation_failed").await["errors"][0]["field"], "watched_at");
        }
        problem(app.ask(&ann, Method::GET, &history(film), None).await, 404, "watch_history_not_found").await;
        problem(app.ask(&ann, Method::PUT, &watched(film + 1), None).await, 404, "video_not_found").await;
    }

    async fn a_mark_ends_the_play_and_keeps_the_place_that_it_leaves(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.send_save(&ann, film, json!({"watch_position": 200, "session_id": "a", "device": "Telephone"})).await;
        app.ask(&ann, Method::PUT, &format!("{}/hidden", history(film)), None).await;
        app.pass(Duration::from_secs(60));
        let marked = mark(&app, &ann, film, None).await;
        assert_eq!((progress(&marked), &marked["hidden"]), ((true, 1, 600), &json!(true)));
        assert_eq!((&marked["previous"]["position"], &marked["previous"]["device"]), (&json!(200), &json!("Telephone")));
        let [play] = &plays(&app).await[..] else { panic!("one play has ended") };
        assert_eq!((play.end_position, play.completed), (200, false));
        let undone = app.ask_json(&ann, Method::POST, &format!("{}/undo", history(film)), None).await;
        assert_eq!(progress(&undone), (false, 1, 200));
    }

    async fn an_unmarked_video_was_never_watched(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for session in ["a", "b"] {
            app.send_save(&ann, film, json!({"watch_position": 300, "session_id": session})).await;
            app.send_save(&ann, film, json!({"watch_position": 590, "session_id": session})).await;
        }
        assert_eq!(plays(&app).await.len(), 1, "the other one is running");
        app.pass(Duration::from_secs(60));
        let before = app.entry(&ann, film).await;
        let unmarked = unmark(&app, &ann, film).await;
        assert_eq!((progress(&unmarked), &unmarked["completed_at"]), ((false, 0, 0), &Value::Null));
        assert_eq!((&unmarked["previous"]["position"], &unmarked["last_watched_at"]), (&json!(590), &before["last_watched_at"]));
        let ended = plays(&app).await;
        assert!(ended.len() == 2 && ended.iter().all(|play| !play.completed), "{ended:?}");
        app.pass(Duration::from_secs(60));
        assert_eq!(unmark(&app, &ann, film).await, unmarked, "a second time changes nothing");
        app.send_save(&ann, film, json!({"watch_position": 300, "session_id": "a"})).await;
        let again = app.send_save(&ann, film, json!({"watch_position": 590, "session_id": "a"})).await;
        assert_eq!(progress(&again), (true, 1, 590), "the session counts again");
    }

    async fn a_position_before_the_end_survives_an_unmark(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        problem(app.ask(&ann, Method::DELETE, &watched(film), None).await, 404, "watch_history_not_found").await;
        app.save(&ann, film, 590).await;
        app.save(&ann, film, 300).await;
        let unmarked = unmark(&app, &ann, film).await;
        assert_eq!((progress(&unmarked), &unmarked["previous"]), ((false, 0, 300), &Value::Null));
        assert!(plays(&app).await.is_empty(), "its play goes on");
    }

    async fn many_videos_are_marked_at_once_and_again_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let mut films = Vec::new();
        for title in ["new", "begun", "completed"] {
            films.push(app.add_video(&ann, title, Some(600)).await);
        }
        app.save(&ann, films[1], 100).await;
        app.save(&ann, films[2], 600).await;
        let listed = [films[2], 999_999, films[0], films[1], films[0], 999_999];
        assert_eq!(mark_many(&app, &ann, &listed, true).await, json!({"changed": 2, "skipped": [999_999]}));
        for film in &films {
            assert_eq!(progress(&app.entry(&ann, *film).await), (true, 1, 600));
        }
        app.pass(Duration::from_secs(60));
        assert_eq!(mark_many(&app, &ann, &listed, true).await["changed"], 0);
        assert_eq!(mark_many(&app, &ann, &listed, false).await, json!({"changed": 3, "skipped": [999_999]}));
        assert_eq!(mark_many(&app, &ann, &listed, false).await["changed"], 0);
        for film in &films {
            assert_eq!(progress(&app.entry(&ann, *film).await), (false, 0, 0));
        }
    }

    async fn five_hundred_marks_are_a_handful_of_statements(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 500).await;
        for film in films.iter().step_by(50) {
            app.save(&ann, *film, 100).await;
        }
        for (watched, changed) in [(true, 500), (true, 0), (false, 500), (true, 500)] {
            app.take_statements();
            assert_eq!(mark_many(&app, &ann, &films, watched).await["changed"], changed);
            let statements = app.take_statements();
            assert!(statements.len() <= 24, "{} statements", statements.len());
        }
        assert_eq!(plays(&app).await.len(), 10);
    }

    async fn a_wrong_list_marks_and_forgets_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        let before = app.entry(&ann, film).await;
        let many = Vec::from_iter((0..501).map(|_| film));
        for (ids, field) in [
            (json!([]), "video_ids"), (json!(many), "video_ids"), (json!([film, 0]), "video_ids"),
            (json!([film, "x"]), "video_ids[1]"), (json!([film, 1.5]), "video_ids[1]"), (json!(film), "video_ids"),
            (json!([film, 1e300]), "video_ids[1]"), (Value::Null, "video_ids"),
        ] {
            for (path, body) in [
                (MANY, json!({"video_ids": ids, "watched": true})),
                ("/api/v1/watch-history/forget", json!({"video_ids": ids})),
            ] {
                let refused: Response = app.ask(&ann, Method::POST, path, Some(body)).await;
                let refusal = problem(refused, 422, "validation_failed").await;
                assert_eq!(refusal["errors"][0]["field"], field, "{refusal}");
            }
        }
        let missing = app.ask(&ann, Method::POST, MANY, Some(json!({"video_ids": [film]}))).await;
        assert_eq!(problem(missing, 422, "validation_failed").await["errors"][0]["field"], "watched");
        assert_eq!(app.entry(&ann, film).await, before);
        assert_eq!(mark_many(&app, &ann, &many[..500], true).await, json!({"changed": 1, "skipped": []}));
    }

    async fn marks_of_one_viewer_are_not_those_of_others(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 100).await;
        mark_many(&app, &ann, &[film], true).await;
        assert_eq!(progress(&app.entry(&bob, film).await), (false, 0, 100));
        app.deactivate("bob").await;
        let refused = app.ask(&bob, Method::POST, MANY, Some(json!({"video_ids": [film], "watched": true}))).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
}
