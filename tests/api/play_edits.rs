//! Deleting and resuming single plays.

use crate::app::{Person, TestApp, problem};
use entity::play;
use reqwest::{Method, Response, StatusCode};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use service::plays::PlayId;
use std::time::Duration;

/// The id of a play of an entry.
fn play_id(entry: &Value, number: i32) -> i64 {
    PlayId { entry_id: entry["id"].as_i64().unwrap(), number }.encode()
}

async fn delete(app: &TestApp, person: &Person, play: i64) -> Response {
    app.ask(person, Method::DELETE, &format!("/api/v1/plays/{play}"), None).await
}

async fn resume(app: &TestApp, person: &Person, play: i64) -> Value {
    app.ask_json(person, Method::POST, &format!("/api/v1/plays/{play}/resume"), None).await
}

/// The entry of a film of ten minutes with three plays: one to second 300, one to the end, and a
/// running one at second 100.
async fn three_plays(app: &TestApp, person: &Person) -> Value {
    let film = app.add_video(person, "film", Some(600)).await;
    for (session, position) in [("a", 300), ("b", 590), ("c", 100)] {
        let save = json!({"watch_position": position, "session_id": session, "device": format!("device {session}")});
        app.send_save(person, film, save).await;
        app.pass(Duration::from_secs(60));
    }
    app.entry(person, film).await
}

async fn ended_plays(app: &TestApp) -> u64 {
    play::Entity::find().count(app.db.reader()).await.unwrap()
}

on_both! {
    async fn a_deleted_play_lowers_the_play_count_and_leaves_the_position(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let entry = three_plays(&app, &ann).await;
        let film = entry["video_id"].as_i64().unwrap();
        assert_eq!((&entry["play_count"], ended_plays(&app).await), (&json!(1), 2));
        assert_eq!(delete(&app, &ann, play_id(&entry, 1)).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(app.entry(&ann, film).await["play_count"], 1, "it was not completed");
        assert_eq!(delete(&app, &ann, play_id(&entry, 2)).await.status(), StatusCode::NO_CONTENT);
        let after = app.entry(&ann, film).await;
        assert_eq!((&after["play_count"], &after["watch_position"]), (&json!(0), &json!(100)));
        assert_eq!(ended_plays(&app).await, 0);
        problem(delete(&app, &ann, play_id(&entry, 2)).await, 404, "play_not_found").await;
    }

    async fn the_id_of_a_deleted_play_is_given_to_no_other_one(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for (session, position) in [("a", 100), ("b", 200), ("a", 120)] {
            app.pass(Duration::from_secs(60));
            app.send_save(&ann, film, json!({"watch_position": position, "session_id": session})).await;
        }
        let deleted = play_id(&app.entry(&ann, film).await, 2);
        assert_eq!(delete(&app, &ann, deleted).await.status(), StatusCode::NO_CONTENT);
        app.pass(Duration::from_secs(60));
        app.send_save(&ann, film, json!({"watch_position": 500, "session_id": "c"})).await;
        problem(delete(&app, &ann, deleted).await, 404, "play_not_found").await;
        let plays: Vec<Value> = app.ask(&ann, Method::GET, "/api/v1/plays", None).await.json().await.unwrap();
        assert_eq!(plays.iter().map(|play| &play["end_position"]).collect::<Vec<_>>(), [500, 120]);
    }

    async fn after_a_deleted_completion_the_same_player_may_complete_again(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let save = async |position: i32| {
            app.pass(Duration::from_secs(60));
            app.send_save(&ann, film, json!({"watch_position": position, "session_id": "a"})).await;
        };
        save(590).await;
        assert_eq!(delete(&app, &ann, play_id(&app.entry(&ann, film).await, 1)).await.status(), StatusCode::NO_CONTENT);
        let after = app.entry(&ann, film).await;
        assert_eq!((&after["play_count"], &after["completed_at"]), (&json!(0), &Value::Null));
        save(10).await;
        save(600).await;
        let again = app.entry(&ann, film).await;
        assert_eq!((&again["play_count"], again["completed_at"].is_string()), (&json!(1), true));
    }

    async fn a_deleted_running_play_does_not_come_back(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let entry = three_plays(&app, &ann).await;
        let film = entry["video_id"].as_i64().unwrap();
        assert_eq!(delete(&app, &ann, play_id(&entry, 3)).await.status(), StatusCode::NO_CONTENT);
        problem(delete(&app, &ann, play_id(&entry, 3)).await, 404, "play_not_found").await;
        app.send_save(&ann, film, json!({"watch_position": 110, "session_id": "c"})).await;
        problem(delete(&app, &ann, play_id(&entry, 3)).await, 404, "play_not_found").await;
        assert_eq!(delete(&app, &ann, play_id(&entry, 4)).await.status(), StatusCode::NO_CONTENT);
    }

    async fn a_resumed_play_moves_the_position_and_keeps_the_place_it_leaves(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let before = three_plays(&app, &ann).await;
        let film = before["video_id"].as_i64().unwrap();
        app.ask(&ann, Method::PUT, &format!("{}/hidden", crate::app::history(film)), None).await;
        let resumed = resume(&app, &ann, play_id(&before, 1)).await;
        assert_eq!((&resumed["watch_position"], &resumed["device"]), (&json!(300), &json!("device a")));
        let place = json!({"position": 100, "device": "device c", "at": before["last_watched_at"]});
        assert_eq!((&resumed["previous"], &resumed["hidden"]), (&place, &json!(false)));
        assert!(resumed["last_watched_at"].as_str() > before["last_watched_at"].as_str());
        assert_eq!((&resumed["play_count"], ended_plays(&app).await), (&json!(1), 3));
        assert_eq!(app.entry(&ann, film).await, resumed);
        let completed = resume(&app, &ann, play_id(&before, 2)).await;
        assert_eq!((&completed["completed"], &completed["play_count"]), (&json!(true), &json!(1)));
    }

    async fn the_running_play_can_be_resumed_too(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let before = three_plays(&app, &ann).await;
        let resumed = resume(&app, &ann, play_id(&before, 3)).await;
        assert_eq!((&resumed["watch_position"], &resumed["previous"]), (&json!(100), &before["previous"]));
        assert_eq!(ended_plays(&app).await, 3, "it has ended");
        let film = before["video_id"].as_i64().unwrap();
        app.send_save(&ann, film, json!({"watch_position": 110, "session_id": "c"})).await;
        assert_eq!(ended_plays(&app).await, 2, "a save of its session goes on with it");
    }

    async fn plays_of_others_and_of_nobody_are_404(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let entry = three_plays(&app, &ann).await;
        for play in [play_id(&entry, 1), play_id(&entry, 3), play_id(&entry, 9), 1, 1 << 20, i64::MAX] {
            let path = format!("/api/v1/plays/{play}/resume");
            problem(delete(&app, &bob, play).await, 404, "play_not_found").await;
            problem(app.ask(&bob, Method::POST, &path, None).await, 404, "play_not_found").await;
        }
        for id in ["0", "-1", "x", "99999999999999999999"] {
            let path = format!("/api/v1/plays/{id}");
            problem(app.ask(&ann, Method::DELETE, &path, None).await, 422, "validation_failed").await;
        }
        assert_eq!(app.entry(&ann, entry["video_id"].as_i64().unwrap()).await, entry);
    }
}
