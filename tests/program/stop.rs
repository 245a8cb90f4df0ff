//! Stopping while people watch.

use crate::program::{PASSWORD, Program};
use reqwest::{Client, StatusCode};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// Signs ann in and gives back what every later request carries.
async fn token(program: &Program, client: &Client) -> String {
    let body = json!({"username": "ann", "password": PASSWORD});
    let pair = client.post(program.url("/api/v1/auth/login")).json(&body).send().await.unwrap();
    pair.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sigterm_readiness_turns_nothing_acknowledged_is_lost_and_the_exit_is_quick() {
    let mut program = Program::start();
    program.create_user("ann");
    program.scan();
    let client = Client::new();
    let token = token(&program, &client).await;
    let acknowledged: Vec<_> = (0..8).map(|_| Arc::new(AtomicI32::new(0))).collect();
    for video in 2..=8 {
        let body = json!({"title": format!("film {video}")});
        let made = client.post(program.url("/api/v1/videos")).bearer_auth(&token).json(&body).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
    }
    let players: Vec<_> = acknowledged
        .iter()
        .zip(1..)
        .map(|(last, video)| {
            let (client, token, last) = (client.clone(), token.clone(), last.clone());
            let url = program.url(&format!("/api/v1/videos/{video}/watch-history"));
            tokio::spawn(async move {
                for position in 1.. {
                    let body = json!({"watch_position": position});
                    match client.post(&url).bearer_auth(&token).json(&body).send().await {
                        Ok(saved) => assert_eq!(saved.status(), StatusCode::OK),
                        // The server takes no more connections.
                        Err(_) => return,
                    }
                    last.store(position, Ordering::SeqCst);
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;

    program.signal("TERM");
    let told = Instant::now();
    let ready = program.url("/health/ready");
    let mut unready = false;
    while let Ok(answer) = reqwest::get(&ready).await {
        unready |= answer.status() == StatusCode::SERVICE_UNAVAILABLE;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(unready, "readiness says 503 before the server is gone");
    assert!(program.wait().success());
    assert!(told.elapsed() < Duration::from_secs(5), "it took {:?}", told.elapsed());
    for player in players {
        player.await.unwrap();
    }

    let db = program.database().await;
    for (last, video) in acknowledged.iter().zip(1..) {
        let sql = format!("SELECT watch_position FROM watch_history WHERE video_id = {video}");
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
        let (stored, last): (i32, _) = (row.try_get_by_index(0).unwrap(), last.load(Ordering::SeqCst));
        assert!(last > 0 && stored >= last, "video {video}: acknowledged {last}, stored {stored}");
    }
}
