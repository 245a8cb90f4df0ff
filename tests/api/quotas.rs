//! Write quotas of accounts and addresses.

use crate::app::{PASSWORD, Person, TestApp, TestOptions, history, problem, send};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use service::limit::LimitSettings;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const VIDEOS: &str = "/api/v1/videos";

fn with(rates: LimitSettings) -> TestOptions {
    TestOptions { rates, trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()], ..TestOptions::default() }
}

/// Adds a video, sent from this client address.
async fn describe(app: &TestApp, person: &Person, from: &str) -> Response {
    let request = app.request(Method::POST, VIDEOS).bearer_auth(&person.token).header("x-forwarded-for", from);
    send(request.json(&json!({"title": "film"}))).await
}

on_both! {
    async fn one_account_has_a_quota_of_writes_a_minute_from_any_address(
        app: TestApp = with(LimitSettings { writes_per_minute: 5, ..LimitSettings::default() })
    ) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        for left in (0..5).rev() {
            let made = describe(&app, &ann, &format!("192.0.2.{left}")).await;
            assert_eq!(made.status(), StatusCode::CREATED);
            assert_eq!(made.headers()["ratelimit-policy"], "\"user\";q=5;w=60, \"address\";q=1500;w=60");
            let rate_limit = made.headers()["ratelimit"].to_str().unwrap().to_owned();
            assert!(rate_limit.starts_with(&format!("\"user\";r={left};t=")), "{rate_limit}");
        }
        let refused = describe(&app, &ann, "192.0.2.9").await;
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=13).contains(&wait), "{wait}");
        problem(refused, 429, "too_many_requests").await;
        let film = app.ask(&ann, Method::GET, VIDEOS, None).await.json::<Value>().await.unwrap()[0]["id"].as_i64().unwrap();
        let change = app.ask(&ann, Method::PATCH, &format!("{VIDEOS}/{film}"), Some(json!({"title": "x"}))).await;
        problem(change, 429, "too_many_requests").await;
        problem(app.leave(&ann).await, 429, "too_many_requests").await;
        assert_eq!(describe(&app, &bob, "192.0.2.9").await.status(), StatusCode::CREATED, "another account");

        // Saves and deletions of entries are not limited.
        for position in 0..20 {
            app.save(&ann, film, position).await;
            let batch = json!({"saves": [{"video_id": film, "watch_position": position}]});
            let saved = app.ask(&ann, Method::POST, "/api/v1/watch-history/batch", Some(batch)).await;
            assert_eq!((saved.status(), saved.headers().get("ratelimit")), (StatusCode::OK, None));
            let forgotten = app.ask(&ann, Method::DELETE, &history(film), None).await;
            assert_eq!(forgotten.status(), StatusCode::NO_CONTENT);
        }
        app.pass(Duration::from_secs(wait));
        assert_eq!(describe(&app, &ann, "192.0.2.9").await.status(), StatusCode::CREATED);
    }

    async fn one_address_has_a_quota_of_writes_a_minute_for_all_accounts(
        app: TestApp = with(LimitSettings { address_writes_per_minute: 6, ..LimitSettings::default() })
    ) {
        let people = [app.sign_up("ann").await, app.sign_up("bob").await, app.sign_up("cyd").await];
        for n in 0..6 {
            assert_eq!(describe(&app, &people[n % 3], "2001:db8::1").await.status(), StatusCode::CREATED);
        }
        for person in &people {
            problem(describe(&app, person, "2001:db8::2").await, 429, "too_many_requests").await;
        }
        assert_eq!(describe(&app, &people[0], "2001:db8:1::1").await.status(), StatusCode::CREATED, "from elsewhere");
    }

    async fn visitors_are_counted_by_address(
        app: TestApp = with(LimitSettings { address_writes_per_minute: 4, ..LimitSettings::default() })
    ) {
        let ann = app.sign_up("ann").await;
        let unknown = json!({"refresh_token": "nonsense"});
        for _ in 0..4 {
            assert_eq!(app.post("/api/v1/auth/logout", &unknown).await.status(), StatusCode::NO_CONTENT);
        }
        for path in ["logout", "refresh"] {
            let refused = app.post(&format!("/api/v1/auth/{path}"), &unknown).await;
            problem(refused, 429, "too_many_requests").await;
        }
        // Another spelling of the address changes nothing.
        let body = r#"{"refresh_token": "nonsense"}"#;
        let request = format!(
            "POST /%61pi/v1/auth/%6cogout HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let answer = String::from_utf8(app.raw(request.as_bytes())).unwrap();
        assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        let login = json!({"username": "ann", "password": PASSWORD});
        assert_eq!(app.post("/api/v1/auth/login", &login).await.status(), StatusCode::OK);
        assert_eq!(app.ask(&ann, Method::GET, VIDEOS, None).await.status(), StatusCode::OK);
    }

    async fn requests_that_are_refused_early_are_not_counted(
        app: TestApp = with(LimitSettings { writes_per_minute: 2, address_writes_per_minute: 2, ..LimitSettings::default() })
    ) {
        let ann = app.sign_up("ann").await;
        for _ in 0..10 {
            let unfit = app.ask(&ann, Method::POST, VIDEOS, Some(json!({"title": ""}))).await;
            assert!(unfit.headers()["ratelimit"].to_str().unwrap().starts_with("\"user\";r=2;t=0"));
            problem(unfit, 422, "validation_failed").await;
            problem(app.post(VIDEOS, &json!({"title": "film"})).await, 401, "unauthenticated").await;
        }
        app.add_video(&ann, "film", None).await;
    }

    async fn an_account_has_a_quota_of_videos_and_an_administrator_has_none(
        app: TestApp = with(LimitSettings { videos_per_user: 3, ..LimitSettings::default() })
    ) {
        let (root, ann) = (app.sign_up("root").await, app.sign_up("ann").await);
        for _ in 0..5 {
            app.add_video(&root, "film", None).await;
        }
        let asking = (0..8).map(|n| {
            let request = app.request(Method::POST, VIDEOS).bearer_auth(&ann.token);
            tokio::spawn(request.json(&json!({"title": format!("film {n}")})).send())
        });
        let mut made = Vec::new();
        for answer in asking.collect::<Vec<_>>() {
            let answer = answer.await.unwrap().unwrap();
            if answer.status() == StatusCode::CREATED {
                made.push(answer.json::<Value>().await.unwrap()["id"].as_i64().unwrap());
            } else {
                let refusal = problem(answer, 403, "too_many_videos").await;
                assert!(refusal["detail"].as_str().unwrap().contains("3 videos"), "{refusal}");
            }
        }
        assert_eq!(made.len(), 3);
        app.ask(&ann, Method::DELETE, &format!("{VIDEOS}/{}", made[0]), None).await;
        app.add_video(&ann, "another one", None).await;
    }

    async fn a_long_description_is_cut_in_lists_only(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let (long, cut) = ("🎬".repeat(10_000), format!("{}…", "🎬".repeat(500)));
        let body = json!({"title": "film", "description": long, "duration": 600});
        let made: Value = app.ask(&ann, Method::POST, VIDEOS, Some(body)).await.json().await.unwrap();
        let film = made["id"].as_i64().unwrap();
        app.save(&ann, film, 60).await;
        let read = async |path: &str| app.ask(&ann, Method::GET, path, None).await.json::<Value>().await.unwrap();
        assert_eq!(made["description"], long);
        assert_eq!(read(&format!("{VIDEOS}/{film}")).await["description"], long);
        assert_eq!(read(VIDEOS).await[0]["description"], cut);
        assert_eq!(read("/api/v1/videos?q=film").await[0]["description"], cut);
        assert_eq!(read("/api/v1/videos/continue-watching").await[0]["video_description"], cut);
    }
}
