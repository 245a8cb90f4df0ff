//! Live sockets: a client that comes back misses nothing.

use crate::app::{Person, TestApp, history};
use crate::live_client::LiveClient;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a client was told before the server was ready: the position of each video, `None` for none.
async fn caught_up(client: &mut LiveClient) -> BTreeMap<i64, Option<i64>> {
    let mut told = BTreeMap::new();
    loop {
        let message = client.next().await;
        match message["type"].as_str().unwrap() {
            "entry" => {
                let entry = &message["entry"];
                told.insert(entry["video_id"].as_i64().unwrap(), entry["watch_position"].as_i64());
            }
            "forgotten" => {
                told.insert(message["video_id"].as_i64().unwrap(), None);
            }
            "ready" => return told,
            other => panic!("{other} before ready"),
        }
    }
}

/// Comes back with a change token.
async fn come_back(app: &TestApp, person: &Person, since: &str) -> LiveClient {
    let mut client = app.silent_live().await;
    client.hello(&person.token, Some(since)).await;
    client
}

on_both! {
    async fn a_client_that_comes_back_hears_what_it_missed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 4).await;
        for film in &films[..3] {
            app.save(&ann, *film, 30).await;
        }
        let since = app.live(&ann).await.token;
        app.save(&ann, films[0], 90).await;
        app.save(&ann, films[3], 60).await;
        assert_eq!(app.ask(&ann, Method::DELETE, &history(films[1]), None).await.status(), StatusCode::NO_CONTENT);
        let video = format!("/api/v1/videos/{}", films[2]);
        assert_eq!(app.ask(&ann, Method::DELETE, &video, None).await.status(), StatusCode::NO_CONTENT);
        let mut back = come_back(&app, &ann, &since).await;
        let told = caught_up(&mut back).await;
        let expected = [(films[0], Some(90)), (films[1], None), (films[2], None), (films[3], Some(60))];
        assert_eq!(told, BTreeMap::from(expected));
        app.save(&ann, films[0], 120).await;
        assert_eq!(back.next_of("entry").await["entry"]["watch_position"], 120);
        let again = caught_up(&mut come_back(&app, &ann, &back.token).await).await;
        assert_eq!(again.get(&films[0]), Some(&Some(120)), "the token is that of the last hello");
    }

    async fn without_a_change_token_nothing_is_told_before_ready(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 90).await;
        let mut live = app.silent_live().await;
        live.hello(&ann.token, None).await;
        assert!(caught_up(&mut live).await.is_empty());
        // A transaction elsewhere in the cluster may let the server tell it again.
        let again = caught_up(&mut come_back(&app, &ann, &live.token).await).await;
        assert!(again.iter().all(|told| told == (&film, &Some(90))), "{again:?}");
    }

    async fn a_change_token_that_is_none_is_answered_by_resync(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let of_bob = app.live(&bob).await.token;
        for since in ["", "nonsense", &of_bob] {
            let mut live = come_back(&app, &ann, since).await;
            live.next_of("resync").await;
            let ready = live.next_of("ready").await;
            assert!(caught_up(&mut come_back(&app, &ann, ready["token"].as_str().unwrap()).await).await.is_empty());
        }
    }

    async fn a_new_hello_tells_what_changed_since_the_last(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 300).await;
        app.save(&ann, films[0], 5).await;
        let mut live = app.live(&ann).await;
        let first = live.token.clone();
        let saves: Vec<Value> =
            films.iter().map(|film| json!({"video_id": film, "watch_position": 30})).collect();
        for saves in saves.chunks(100) {
            let body = json!({"saves": saves});
            app.ask_json(&ann, Method::POST, "/api/v1/watch-history/batch", Some(body)).await;
        }
        live.hello(&ann.token, None).await;
        let told = caught_up(&mut live).await;
        assert_eq!(told, films.iter().map(|film| (*film, Some(30))).collect(), "several pages");
        assert_ne!(live.token, first);
    }

    async fn a_client_that_catches_up_amid_saves_ends_with_what_is_stored(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 20).await;
        let mut picture = BTreeMap::new();
        app.save(&ann, films[0], 5).await;
        let mut since = app.live(&ann).await.token;
        for round in 0..5 {
            let saving = async {
                for n in 0..60 {
                    app.save(&ann, films[n % 20], 10 + (round * 60 + i32::try_from(n).unwrap())).await;
                }
            };
            let reading = async {
                for _ in 0..10 {
                    let mut live = come_back(&app, &ann, &since).await;
                    picture.extend(caught_up(&mut live).await);
                    since = live.token;
                }
            };
            tokio::join!(saving, reading);
        }
        let mut live = come_back(&app, &ann, &since).await;
        picture.extend(caught_up(&mut live).await);
        for film in films {
            let stored = app.entry(&ann, film).await;
            assert_eq!(picture.get(&film).copied().flatten(), stored["watch_position"].as_i64(), "video {film}");
        }
    }
}
