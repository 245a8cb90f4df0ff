//! Live sockets: how they end, and what they take from nobody.

use crate::app::{TestApp, TestOptions};
use crate::live_client::closed;
use api::{LiveLimits, ShutdownMode};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// How soon a socket closes when its account or session is gone.
const SOON: Duration = Duration::from_secs(1);

/// Limits that a test need not wait for.
fn short() -> TestOptions {
    let live = LiveLimits {
        hello_timeout: Duration::from_millis(400),
        ping_interval: Duration::from_millis(200),
        silence_timeout: Duration::from_millis(900),
        waiting_per_address: 3,
        ..LiveLimits::default()
    };
    TestOptions { live, ..TestOptions::default() }
}

on_both! {
    async fn a_socket_without_hello_is_closed(app: TestApp = short()) {
        let mut live = app.silent_live().await;
        assert_eq!(live.closing().await, closed(4408, "no_hello"));
    }

    async fn a_token_that_is_none_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for token in ["", "x", "a.b.c", &ann.refresh_token, &format!("{}x", ann.token)] {
            let mut live = app.silent_live().await;
            live.hello(token, None).await;
            assert_eq!(live.closing().await, closed(4401, "unauthenticated"), "{token}");
        }
        app.pass(Duration::from_secs(3600));
        let mut live = app.silent_live().await;
        live.hello(&ann.token, None).await;
        assert_eq!(live.closing().await, closed(4401, "unauthenticated"), "an expired one");
    }

    async fn a_socket_ends_with_its_token_unless_there_is_a_new_one(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (mut old, mut renewed) = (app.live(&ann).await, app.live(&ann).await);
        app.pass(Duration::from_secs(29 * 60));
        let again = app.sign_in_again(&ann).await;
        renewed.hello(&again.token, None).await;
        renewed.next_of("ready").await;
        app.pass(Duration::from_secs(2 * 60));
        let began = Instant::now();
        assert_eq!(old.closing().await, closed(4401, "token_expired"));
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        app.save(&again, film, 60).await;
        assert_eq!(renewed.next_of("entry").await["entry"]["watch_position"], 60);
    }

    async fn a_socket_takes_no_token_of_another_account(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let mut live = app.live(&ann).await;
        live.hello(&bob.token, None).await;
        assert_eq!(live.closing().await, closed(4401, "other_account"));
    }

    async fn a_socket_ends_with_its_session(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let again = app.sign_in_again(&ann).await;
        let (mut first, mut second) = (app.live(&ann).await, app.live(&again).await);
        let out = app.post("/api/v1/auth/logout", &json!({"refresh_token": ann.refresh_token})).await;
        assert_eq!(out.status(), StatusCode::NO_CONTENT);
        let began = Instant::now();
        assert_eq!(first.closing().await, closed(4401, "session_ended"));
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert!(second.is_quiet().await);
    }

    async fn a_socket_ends_with_its_account(app: TestApp) {
        let ann = app.sign_up("ann").await;
        app.sign_up("admin").await;
        let mut live = app.live(&ann).await;
        let elsewhere = app.sign_up("bob").await;
        let mut of_bob = app.live(&elsewhere).await;
        app.deactivate("bob").await;
        let began = Instant::now();
        assert_eq!(of_bob.closing().await.status, 4401);
        assert!(began.elapsed() < SOON + Duration::from_millis(200), "{:?}", began.elapsed());
        // An administrator cannot leave while there is no other one.
        let second = app.sign_up("carl").await;
        let mut of_carl = app.live(&second).await;
        assert_eq!(app.leave(&second).await.status(), StatusCode::NO_CONTENT);
        let began = Instant::now();
        assert_eq!(of_carl.closing().await.status, 4401);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert!(live.is_quiet().await);
    }

    async fn the_oldest_of_too_many_sockets_goes(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let mut sockets = Vec::new();
        for _ in 0..22 {
            sockets.push(app.live(&ann).await);
        }
        for (n, socket) in sockets.iter_mut().enumerate() {
            if n < 2 {
                assert_eq!(socket.closing().await, closed(4429, "too_many_sockets"));
            } else {
                socket.send(Message::Ping("x".into())).await;
                assert!(matches!(socket.frame().await, Some(Message::Pong(_))), "socket {n}");
            }
        }
    }

    async fn what_is_no_hello_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let texts = [
            "", "{", "[]", "null", "{}", r#"{"type": "hello"}"#, r#"{"type": "hello", "token": 7}"#,
            r#"{"type": "bye"}"#, r#"{"type": "hello", "token": "x", "extra": 1}"#,
        ];
        let mut messages: Vec<_> = texts.into_iter().map(Message::text).collect();
        messages.push(Message::binary("{}".as_bytes().to_vec()));
        for message in messages {
            for mut live in [app.silent_live().await, app.live(&ann).await] {
                live.send(message.clone()).await;
                assert_eq!(live.closing().await, closed(4400, "bad_message"), "{message:?}");
            }
        }
    }

    async fn a_long_message_is_refused_before_it_has_arrived(app: TestApp) {
        for length in [17 * 1024, 1024 * 1024] {
            let mut live = app.silent_live().await;
            live.send(Message::text("x".repeat(length))).await;
            assert_eq!(live.closing().await, closed(1009, "message_too_long"), "{length}");
        }
    }

    async fn a_stop_closes_all_sockets(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let (mut live, mut silent) = (app.live(&ann).await, app.silent_live().await);
        let began = Instant::now();
        app.end(ShutdownMode::Immediate);
        assert_eq!(live.closing().await, closed(1001, "shutting_down"));
        assert_eq!(silent.closing().await, closed(1001, "shutting_down"));
        drop((live, silent));
        app.wait_for_end();
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }

    async fn a_client_that_answers_pings_stays_and_a_silent_one_goes(app: TestApp = short()) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (mut awake, mut half_open) = (app.live(&ann).await, app.live(&ann).await);
        let began = Instant::now();
        // Reading answers the pings.
        while began.elapsed() < Duration::from_millis(2500) {
            assert!(tokio::time::timeout(Duration::from_millis(500), awake.frame()).await.is_err());
        }
        app.save(&ann, film, 60).await;
        awake.next_of("entry").await;
        // It reads for the first time: the pings, and the end.
        let end = tokio::time::timeout(Duration::from_secs(5), async { while half_open.frame().await.is_some() {} });
        assert!(end.await.is_ok(), "the silent one is closed");
    }

    async fn few_sockets_of_an_address_may_be_silent(app: TestApp = short()) {
        let ann = app.sign_up("ann").await;
        let waiting = [app.silent_live().await, app.silent_live().await, app.silent_live().await];
        let refused = app.open_live(&[]).await.err().expect("one more is refused");
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "1");
        drop(waiting);
        for _ in 0..100 {
            if app.open_live(&[]).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut sockets = Vec::new();
        for _ in 0..10 {
            sockets.push(app.live(&ann).await);
        }
    }

    async fn only_a_handshake_of_an_allowed_page_is_taken(app: TestApp = TestOptions {
        cors_origins: vec!["https://shop.example".into()], ..TestOptions::default()
    }) {
        let plain = app.get("/api/v1/live").await;
        assert_eq!(plain.headers()["upgrade"], "websocket");
        crate::app::problem(plain, 426, "upgrade_required").await;
        let own = format!("http://{}", app.address);
        for origin in ["https://shop.example", &own] {
            assert!(app.open_live(&[("origin", origin)]).await.is_ok(), "{origin}");
        }
        for origin in ["https://evil.example", "null", "https://shop.example.evil.example"] {
            let refused = app.open_live(&[("origin", origin)]).await.err().expect("it is refused");
            assert_eq!(refused.status(), 400);
            assert_eq!(refused.headers()["content-type"], "application/problem+json");
        }
        let old = app.request(Method::GET, "/api/v1/live").header("upgrade", "websocket").header("connection", "upgrade");
        crate::app::problem(old.header("sec-websocket-version", "8").send().await.unwrap(), 426, "upgrade_required").await;
        let keyless = app.request(Method::GET, "/api/v1/live").header("upgrade", "websocket").header("connection", "upgrade");
        let keyless = keyless.header("sec-websocket-version", "13").send().await.unwrap();
        crate::app::problem(keyless, 400, "bad_handshake").await;
    }
}
