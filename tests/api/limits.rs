//! How often a password may be guessed, and by whom.

use crate::app::{PASSWORD, Person, TestApp, Wishes, problem, send};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

async fn login_through_proxies(app: &TestApp, forwarded: &str, password: &str) -> Response {
    let body = json!({"username": "ann", "password": password});
    let request = app.request(Method::POST, "/api/v1/auth/login").header("x-forwarded-for", forwarded);
    send(request.json(&body)).await
}

async fn change_password(app: &TestApp, person: &Person, current: &str) -> Response {
    let body = json!({"password": "another one", "current_password": current});
    app.ask(person, Method::PATCH, "/api/v1/users/me", Some(body)).await
}

on_both! {
    async fn behind_a_trusted_proxy_one_visitor_does_not_lock_the_others_out(
        app: TestApp = Wishes { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..Wishes::default() }
    ) {
        app.sign_up("ann").await;
        for _ in 0..10 {
            let wrong = login_through_proxies(&app, "192.0.2.7", "battery staple").await;
            problem(wrong, 401, "wrong_credentials").await;
        }
        let again = login_through_proxies(&app, "192.0.2.7", PASSWORD).await;
        problem(again, 429, "too_many_attempts").await;
        // What a visitor says of itself stands further left and counts for nothing.
        let disguised = login_through_proxies(&app, "198.51.100.1, 192.0.2.7", PASSWORD).await;
        problem(disguised, 429, "too_many_attempts").await;
        assert_eq!(login_through_proxies(&app, "192.0.2.8", PASSWORD).await.status(), StatusCode::OK);
    }

    async fn nobody_else_is_believed_about_where_they_come_from(app: TestApp) {
        app.sign_up("ann").await;
        for n in 0..10 {
            let wrong = login_through_proxies(&app, &format!("192.0.2.{n}"), "battery staple").await;
            problem(wrong, 401, "wrong_credentials").await;
        }
        let again = login_through_proxies(&app, "192.0.2.99", "battery staple").await;
        problem(again, 429, "too_many_attempts").await;
    }

    async fn many_right_passwords_at_once_are_all_taken(app: TestApp) {
        app.sign_up("ann").await;
        let body = json!({"username": "ann", "password": PASSWORD});
        let sign_ins = (0..30).map(|_| app.request(Method::POST, "/api/v1/auth/login").json(&body).send());
        let running: Vec<_> = sign_ins.map(tokio::spawn).collect();
        for sign_in in running {
            assert_eq!(sign_in.await.unwrap().unwrap().status(), StatusCode::OK);
        }
    }

    async fn a_stolen_access_token_cannot_guess_the_password(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for _ in 0..10 {
            problem(change_password(&app, &ann, "battery staple").await, 422, "validation_failed").await;
        }
        problem(change_password(&app, &ann, PASSWORD).await, 429, "too_many_attempts").await;
    }
}
