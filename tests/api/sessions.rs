//! Refresh tokens and signing out.

use crate::app::{PASSWORD, Person, TestApp, TestOptions, fields, problem};
use entity::{refresh_token, session};
use reqwest::{Method, Response, StatusCode};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use std::time::Duration;

const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";
const DAY: Duration = Duration::from_secs(86_400);

async fn refresh(app: &TestApp, token: &str) -> Response {
    app.post(REFRESH, &json!({"refresh_token": token})).await
}

/// Refreshes and returns the new refresh token.
async fn refreshed(app: &TestApp, token: &str) -> String {
    let answer = refresh(app, token).await;
    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    let pair: Value = answer.json().await.unwrap();
    pair["refresh_token"].as_str().unwrap().to_owned()
}

async fn refused(app: &TestApp, token: &str) {
    let answer = refresh(app, token).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    problem(answer, 401, "wrong_refresh_token").await;
}

/// Signs in once more.
async fn second_session(app: &TestApp, person: &Person) -> String {
    let body = json!({"username": person.name, "password": PASSWORD});
    let pair: Value = app.post("/api/v1/auth/login", &body).await.json().await.unwrap();
    pair["refresh_token"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_refresh_gives_a_new_pair_that_works(app: TestApp) {
        let ann = app.sign_up("ann").await;
        app.pass(Duration::from_secs(60));
        let answer = refresh(&app, &ann.refresh_token).await;
        assert_eq!(
            (answer.status(), &answer.headers()["cache-control"]),
            (StatusCode::OK, &"no-store".parse().unwrap())
        );
        let pair: Value = answer.json().await.unwrap();
        assert_eq!(fields(&pair), ["access_token", "expires_in", "refresh_token", "token_type"]);
        assert_ne!(pair["refresh_token"], ann.refresh_token);
        assert_ne!(pair["access_token"], ann.token);
        let again = Person { token: pair["access_token"].as_str().unwrap().to_owned(), ..ann };
        assert_eq!(app.ask(&again, Method::GET, "/api/v1/auth/me", None).await.status(), StatusCode::OK);
        refreshed(&app, pair["refresh_token"].as_str().unwrap()).await;
    }

    async fn a_spent_token_gives_the_same_successor_for_60_seconds(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let next = refreshed(&app, &ann.refresh_token).await;
        for _ in 0..5 {
            app.pass(Duration::from_secs(11));
            assert_eq!(refreshed(&app, &ann.refresh_token).await, next);
        }
        assert_eq!(refresh_token::Entity::find().count(app.db.reader()).await.unwrap(), 2, "one chain of successors, not a tree");
        assert_ne!(refreshed(&app, &next).await, next);
    }

    async fn a_spent_token_used_later_ends_its_session_and_no_other(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let elsewhere = second_session(&app, &ann).await;
        let next = refreshed(&app, &ann.refresh_token).await;
        app.pass(Duration::from_secs(40));
        refreshed(&app, &ann.refresh_token).await;
        // The grace period starts at the first use; the second use did not extend it.
        app.pass(Duration::from_secs(21));
        refused(&app, &ann.refresh_token).await;
        refused(&app, &next).await;
        refreshed(&app, &elsewhere).await;
    }

    async fn many_refreshes_at_once_get_one_successor(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let ask = || app.request(Method::POST, REFRESH).json(&json!({"refresh_token": ann.refresh_token})).send();
        let asking: Vec<_> = (0..60).map(|_| tokio::spawn(ask())).collect();
        let mut successors = std::collections::BTreeSet::new();
        for answer in asking {
            let answer = answer.await.unwrap().unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let pair: Value = answer.json().await.unwrap();
            successors.insert(pair["refresh_token"].as_str().unwrap().to_owned());
        }
        assert_eq!(successors.len(), 1);
        assert_eq!(refresh_token::Entity::find().count(app.db.reader()).await.unwrap(), 2);
        refreshed(&app, successors.first().unwrap()).await;
    }

    async fn a_thief_who_refreshes_first_shares_the_token_and_is_detected(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let stolen = ann.refresh_token.clone();
        let thief = refreshed(&app, &stolen).await;
        let victim = refreshed(&app, &stolen).await;
        assert_eq!(thief, victim, "there is one chain of successors");
        app.pass(Duration::from_secs(30 * 60));
        let next = refreshed(&app, &thief).await;
        app.pass(Duration::from_secs(5 * 60));
        refused(&app, &victim).await;
        refused(&app, &next).await;
    }

    async fn a_thief_who_refreshes_second_is_detected(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let stolen = ann.refresh_token.clone();
        let victim = refreshed(&app, &stolen).await;
        app.pass(Duration::from_secs(61));
        refused(&app, &stolen).await;
        refused(&app, &victim).await;
    }

    async fn a_spent_token_with_a_spent_successor_ends_the_session(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let victim = refreshed(&app, &ann.refresh_token).await;
        let next = refreshed(&app, &victim).await;
        app.pass(Duration::from_secs(5));
        refused(&app, &ann.refresh_token).await;
        refused(&app, &victim).await;
        refused(&app, &next).await;
    }

    async fn without_a_grace_period_a_token_works_once(
        app: TestApp = TestOptions { refresh_grace: Duration::ZERO, ..Default::default() }
    ) {
        let ann = app.sign_up("ann").await;
        let next = refreshed(&app, &ann.refresh_token).await;
        refused(&app, &ann.refresh_token).await;
        refused(&app, &next).await;
    }

    async fn a_refresh_token_and_its_successor_live_for_30_days_each(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let idle = second_session(&app, &ann).await;
        app.pass(29 * DAY);
        let next = refreshed(&app, &ann.refresh_token).await;
        app.pass(DAY);
        refused(&app, &idle).await;
        app.pass(28 * DAY);
        let last = refreshed(&app, &next).await;
        app.pass(30 * DAY);
        refused(&app, &last).await;
    }

    async fn a_refresh_token_of_a_deleted_account_is_invalid(app: TestApp) {
        app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        app.leave(&ann).await;
        refused(&app, &ann.refresh_token).await;
    }

    async fn a_refresh_token_of_a_deactivated_account_is_invalid(app: TestApp) {
        app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        app.deactivate("ann").await;
        refused(&app, &ann.refresh_token).await;
    }

    async fn a_malformed_refresh_token_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for token in ["x", &ann.token, &ann.refresh_token.to_uppercase(), &format!(" {}", ann.refresh_token), "🦀"] {
            refused(&app, token).await;
        }
        for body in [json!({"refresh_token": ""}), json!({"refresh_token": "a".repeat(513)}), json!({})] {
            for path in [REFRESH, LOGOUT] {
                let refusal = problem(app.post(path, &body).await, 422, "validation_failed").await;
                assert_eq!(refusal["errors"][0]["field"], "refresh_token", "{refusal}");
            }
        }
        refreshed(&app, &ann.refresh_token).await;
    }

    async fn a_logout_ends_its_session_and_no_other(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let elsewhere = second_session(&app, &ann).await;
        let next = refreshed(&app, &ann.refresh_token).await;
        let over = app.post(LOGOUT, &json!({"refresh_token": ann.refresh_token})).await;
        assert_eq!(over.status(), StatusCode::NO_CONTENT);
        assert!(over.bytes().await.unwrap().is_empty());
        refused(&app, &ann.refresh_token).await;
        refused(&app, &next).await;
        refreshed(&app, &elsewhere).await;
    }

    async fn a_logout_with_an_invalid_token_succeeds(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for token in ["unknown", "a\u{0}b", &ann.refresh_token, &ann.refresh_token] {
            let answer = app.post(LOGOUT, &json!({"refresh_token": token})).await;
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        }
    }

    async fn refreshes_and_a_logout_at_once_are_answered_and_end_the_session(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for _ in 0..20 {
            let token = second_session(&app, &ann).await;
            let post = |path: &str| {
                tokio::spawn(app.request(Method::POST, path).json(&json!({"refresh_token": token})).send())
            };
            let (one, two, out) = (post(REFRESH), post(REFRESH), post(LOGOUT));
            for answer in [one.await, two.await] {
                let status = answer.unwrap().unwrap().status();
                assert!([StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&status), "a refresh answered {status}");
            }
            assert_eq!(out.await.unwrap().unwrap().status(), StatusCode::NO_CONTENT);
            refused(&app, &token).await;
        }
    }

    async fn sign_ins_during_the_deletion_of_the_account_are_all_answered(app: TestApp) {
        app.sign_up("root").await;
        for _ in 0..5 {
            let ann = app.sign_up("ann").await;
            let body = json!({"username": "ann", "password": PASSWORD});
            let logins: Vec<_> = (0..6)
                .map(|_| tokio::spawn(app.request(Method::POST, "/api/v1/auth/login").json(&body).send()))
                .collect();
            while !logins.iter().any(|login| login.is_finished()) {
                tokio::task::yield_now().await;
            }
            let left = app.leave(&ann).await;
            assert_eq!(left.status(), StatusCode::NO_CONTENT);
            for login in logins {
                let status = login.await.unwrap().unwrap().status();
                assert!([StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&status), "a sign-in answered {status}");
            }
        }
    }

    async fn only_a_hash_of_a_refresh_token_is_stored(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let stored = refresh_token::Entity::find().one(app.db.reader()).await.unwrap().unwrap();
        assert!(!stored.token_hash.contains(&ann.refresh_token));
        assert_eq!(stored.token_hash.len(), 64);
        refused(&app, &stored.token_hash).await;
    }

    async fn expired_sessions_are_deleted_at_the_next_sign_in(app: TestApp) {
        let ann = app.sign_up("ann").await;
        second_session(&app, &ann).await;
        assert_eq!(session::Entity::find().count(app.db.reader()).await.unwrap(), 2);
        app.pass(31 * DAY);
        second_session(&app, &ann).await;
        assert_eq!(session::Entity::find().count(app.db.reader()).await.unwrap(), 1);
    }
}
