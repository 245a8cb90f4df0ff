//! Live sockets: what viewers hear of changes.

use crate::app::{TestApp, fields, history};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::collections::HashMap;

on_both! {
    async fn a_save_of_one_device_is_told_to_the_other(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let mut phone = app.live(&ann).await;
        let body = json!({"watch_position": 90, "session_id": "tv-1", "device": "Living room"});
        let mut saved = app.send_save(&ann, film, body).await;
        let message = phone.next_of("entry").await;
        saved.as_object_mut().unwrap().remove("applied");
        assert_eq!(message["entry"], saved, "the entry as the server shows it elsewhere");
        assert_eq!(message["session_id"], "tv-1");
        assert_eq!(fields(&message), ["entry", "session_id", "token", "type"]);
    }

    async fn every_kind_of_change_is_told(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let mut live = app.live(&ann).await;
        app.save(&ann, film, 90).await;
        assert_eq!(live.next_of("entry").await["entry"]["watch_position"], 90);
        let watched = format!("/api/v1/videos/{film}/watched");
        assert!(app.ask(&ann, Method::PUT, &watched, None).await.status().is_success());
        assert_eq!(live.next_of("entry").await["entry"]["completed"], true);
        assert_eq!(app.ask(&ann, Method::DELETE, &history(film), None).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(live.next_of("forgotten").await["video_id"], film);
        let change = json!({"history": "positions"});
        app.ask_json(&ann, Method::PATCH, "/api/v1/users/me/preferences", Some(change)).await;
        assert_eq!(live.next_of("preferences").await["preferences"]["history"], "positions");
        live.next_of("resync").await;
        app.save(&ann, film, 120).await;
        live.next_of("entry").await;
        let video = format!("/api/v1/videos/{film}");
        assert_eq!(app.ask(&ann, Method::DELETE, &video, None).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(live.next_of("forgotten").await["video_id"], film);
    }

    async fn a_clear_is_told_before_what_comes_after_it(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let mut live = app.live(&ann).await;
        app.save(&ann, film, 90).await;
        live.next_of("entry").await;
        assert!(app.ask(&ann, Method::DELETE, "/api/v1/watch-history", None).await.status().is_success());
        let cleared = live.next_of("cleared").await;
        assert!(cleared["before"].is_string(), "{cleared}");
        app.pass(std::time::Duration::from_secs(1));
        app.save(&ann, film, 30).await;
        assert_eq!(live.next_of("entry").await["entry"]["watch_position"], 30);
    }

    async fn nobody_hears_of_another_viewer(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (mut of_ann, mut of_bob) = (app.live(&ann).await, app.live(&bob).await);
        app.save(&ann, film, 90).await;
        app.save(&bob, film, 30).await;
        assert_eq!(of_ann.next_of("entry").await["entry"]["user_id"], ann.id);
        assert_eq!(of_bob.next_of("entry").await["entry"]["user_id"], bob.id);
        assert!(of_ann.is_quiet().await && of_bob.is_quiet().await);
    }

    async fn a_slow_client_gets_the_newest_of_each_video_and_no_queue(app: TestApp) {
        // More than the buffers of both systems hold.
        const ROUNDS: i64 = 20;
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 100).await;
        let mut slow = app.live(&ann).await;
        let device = "x".repeat(100);
        for position in 1..=ROUNDS {
            let save = |film: &i64| json!({"video_id": film, "watch_position": position, "device": device});
            let saves: Vec<_> = films.iter().map(save).collect();
            let body = json!({"saves": saves});
            app.ask_json(&ann, Method::POST, "/api/v1/watch-history/batch", Some(body)).await;
        }
        let (mut newest, mut messages) = (HashMap::new(), 0);
        while newest.len() < films.len() || newest.values().any(|position| *position < ROUNDS) {
            let entry = &slow.next_of("entry").await["entry"];
            let (film, position) = (entry["video_id"].as_i64().unwrap(), entry["watch_position"].as_i64().unwrap());
            let before = newest.insert(film, position).unwrap_or_default();
            assert!(before <= position, "video {film} went back from {before} to {position}");
            messages += 1;
        }
        assert!(messages < 50 * ROUNDS, "{messages} messages, so too few were replaced by newer ones");
    }

    async fn a_refused_save_is_not_told(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 90).await;
        let mut live = app.live(&ann).await;
        let older = app.send_save(&ann, film, json!({"watch_position": 30, "age_ms": 60_000})).await;
        assert_eq!(older["applied"], false);
        assert!(live.is_quiet().await);
    }
}
