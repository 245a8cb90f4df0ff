//! Who may sign up, how often, and what a refusal reveals.

use crate::app::{PASSWORD, TestApp, TestOptions, problem, send};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use service::limit::LimitSettings;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const REGISTER: &str = "/api/v1/auth/register";
const ME: &str = "/api/v1/users/me";

fn new(name: &str) -> Value {
    json!({"username": name, "email": format!("{name}@example.org"), "password": PASSWORD})
}

async fn register(app: &TestApp, account: &Value, headers: &[(&str, &str)]) -> Response {
    let request = app.request(Method::POST, REGISTER).json(account);
    let with = |request: RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
    send(headers.iter().fold(request, with)).await
}

fn sign_ups(sign_ups_per_hour: u32) -> LimitSettings {
    LimitSettings { sign_ups_per_hour, ..LimitSettings::default() }
}

on_both! {
    async fn nobody_becomes_the_administrator_through_a_proxy_or_a_tunnel(app: TestApp) {
        for header in [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=127.0.0.1"),
            ("via", "1.1 example"),
            ("x-real-ip", "127.0.0.1"),
            ("cf-connecting-ip", "192.0.2.1"),
            ("host", "1234.ngrok-free.app"),
            ("origin", "https://films.example"),
        ] {
            let refused = register(&app, &new("mallory"), &[header]).await;
            problem(refused, 403, "first_account_by_command").await;
        }
        let body = new("mallory").to_string();
        let old = format!(
            "POST {REGISTER} HTTP/1.0\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let answer = String::from_utf8(app.raw(old.as_bytes())).unwrap();
        assert!(answer.contains(" 403 ") && answer.contains("first_account_by_command"), "{answer}");

        let first: Value = register(&app, &new("ann"), &[]).await.json().await.unwrap();
        let second = register(&app, &new("bob"), &[("x-forwarded-for", "192.0.2.1")]).await;
        assert_eq!((first["role"].as_str(), second.status()), (Some("admin"), StatusCode::CREATED));
        assert_eq!(second.json::<Value>().await.unwrap()["role"], "user");
    }

    async fn a_taken_name_and_a_taken_email_get_the_same_answer(app: TestApp) {
        let ann = app.sign_up("ann").await;
        app.sign_up("bob").await;
        let mut answers = Vec::new();
        for (name, email) in [("BOB", "new@example.org"), ("new", "Bob@example.org"), ("bob", "bob@example.org")] {
            let body = json!({"username": name, "email": email, "password": PASSWORD});
            answers.push(problem(app.post(REGISTER, &body).await, 409, "taken").await);
            let change = json!({"username": name, "email": email, "current_password": PASSWORD});
            answers.push(problem(app.ask(&ann, Method::PATCH, ME, Some(change)).await, 409, "taken").await);
        }
        for answer in &mut answers {
            answer["instance"].take();
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }

    async fn many_sign_ups_for_a_taken_name_are_answered_at_once(
        app: TestApp = TestOptions { rates: sign_ups(0), ..TestOptions::default() }
    ) {
        app.sign_up("ann").await;
        let asking = (0..500).map(|_| tokio::spawn(app.request(Method::POST, REGISTER).json(&new("ann")).send()));
        let asking: Vec<_> = asking.collect();
        let login = json!({"username": "ann", "password": PASSWORD});
        assert_eq!(app.post("/api/v1/auth/login", &login).await.status(), StatusCode::OK);
        // If every password were hashed first, most requests would wait too long and get a 503.
        for answer in asking {
            problem(answer.await.unwrap().unwrap(), 409, "taken").await;
        }
    }

    async fn one_address_has_a_quota_of_sign_ups_an_hour(
        app: TestApp = TestOptions { rates: sign_ups(3), ..TestOptions::default() }
    ) {
        let made = register(&app, &new("ann"), &[]).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        assert_eq!(made.headers()["ratelimit-policy"], "\"sign-ups\";q=3;w=3600");
        assert_eq!(made.headers()["ratelimit"], "\"sign-ups\";r=2;t=1200");
        // Invalid requests cost nothing and are not counted; requests that reveal whether a name
        // exists are.
        for _ in 0..5 {
            problem(register(&app, &new("b"), &[]).await, 422, "validation_failed").await;
        }
        problem(register(&app, &new("ann"), &[]).await, 409, "taken").await;
        assert_eq!(register(&app, &new("bob"), &[]).await.status(), StatusCode::CREATED);
        for name in ["cyd", "ann"] {
            let refused = register(&app, &new(name), &[]).await;
            let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=1201).contains(&wait), "{wait}");
            assert!(refused.headers()["ratelimit"].to_str().unwrap().starts_with("\"sign-ups\";r=0;t="));
            problem(refused, 429, "too_many_requests").await;
        }
        let body = new("cyd").to_string();
        let spelled = format!(
            "POST /api/v1/auth/%72egister HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let answer = String::from_utf8(app.raw(spelled.as_bytes())).unwrap();
        assert!(answer.starts_with("HTTP/1.1 429 "), "the same address in another spelling: {answer}");
        let login = json!({"username": "ann", "password": PASSWORD});
        assert_eq!(app.post("/api/v1/auth/login", &login).await.status(), StatusCode::OK, "a sign-in is no sign-up");
        app.pass(Duration::from_secs(1201));
        assert_eq!(register(&app, &new("cyd"), &[]).await.status(), StatusCode::CREATED);
        problem(register(&app, &new("dan"), &[]).await, 429, "too_many_requests").await;
    }

    async fn behind_a_proxy_each_address_has_a_quota_and_an_ipv6_64_is_one(
        app: TestApp = TestOptions {
            rates: sign_ups(1), trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()], ..TestOptions::default()
        }
    ) {
        register(&app, &new("ann"), &[]).await;
        for (name, from, status) in [
            ("bob", "192.0.2.1", 201),
            ("cyd", "192.0.2.1", 429),
            ("cyd", "192.0.2.2", 201),
            ("dan", "2001:db8::1", 201),
            ("eve", "2001:db8::ffff:ffff:ffff:ffff", 429),
            ("eve", "2001:db8:0:1::1", 201),
            ("fay", "192.0.2.3, 192.0.2.1", 429),
        ] {
            let answer = register(&app, &new(name), &[("x-forwarded-for", from)]).await;
            assert_eq!(answer.status().as_u16(), status, "{name} from {from}");
        }
    }

    async fn a_change_of_the_account_reveals_no_more_than_a_sign_up(
        app: TestApp = TestOptions { rates: sign_ups(3), ..TestOptions::default() }
    ) {
        let ann = app.sign_up("ann").await;
        app.sign_up("bob").await;
        for (name, status) in [("bob", 409), ("anna", 200), ("Bob", 409), ("bob", 429), ("anne", 429)] {
            let answer = app.ask(&ann, Method::PATCH, ME, Some(json!({"username": name, "current_password": PASSWORD}))).await;
            assert_eq!(answer.status().as_u16(), status, "{name}");
        }
    }

    async fn a_name_that_is_taken_during_the_sign_up_is_refused(app: TestApp) {
        app.sign_up("root").await;
        let asking = (0..8).map(|n| {
            let (username, email) = if n % 2 == 0 { ("bob".into(), format!("{n}@a.org")) } else { (format!("bo{n}"), "bob@a.org".into()) };
            let body = json!({"username": username, "email": email, "password": PASSWORD});
            tokio::spawn(app.request(Method::POST, REGISTER).json(&body).send())
        });
        let mut made = 0;
        for answer in asking.collect::<Vec<_>>() {
            let answer = answer.await.unwrap().unwrap();
            if answer.status() == StatusCode::CREATED {
                made += 1;
            } else {
                problem(answer, 409, "taken").await;
            }
        }
        assert_eq!(made, 2);
    }
}
