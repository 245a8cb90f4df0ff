//! The list of sessions, and access tokens of ended sessions.

use crate::app::{PASSWORD, Person, SECRET, TestApp, fields, history, problem};
use entity::ended_session;
use jsonwebtoken::{EncodingKey, Header};
use reqwest::{Method, Response, StatusCode};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use std::time::Duration;

const SESSIONS: &str = "/api/v1/auth/sessions";
const ME: &str = "/api/v1/users/me";

async fn sessions(app: &TestApp, person: &Person) -> Vec<Value> {
    let answer = app.ask(person, Method::GET, SESSIONS, None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// The id of the session that the person's token belongs to.
async fn own(app: &TestApp, person: &Person) -> i64 {
    let all = sessions(app, person).await;
    let mut own = all.iter().filter(|session| session["current"] == true);
    let id = own.next().unwrap()["id"].as_i64().unwrap();
    assert_eq!(own.next(), None);
    id
}

async fn end(app: &TestApp, person: &Person, session: i64) -> Response {
    app.ask(person, Method::DELETE, &format!("{SESSIONS}/{session}"), None).await
}

async fn save(app: &TestApp, person: &Person, film: i64) -> Response {
    app.ask(person, Method::POST, &history(film), Some(json!({"watch_position": 60}))).await
}

/// Checks that neither the access token nor the refresh token of a person works, not even for a
/// save.
async fn assert_signed_out(app: &TestApp, person: &Person, film: i64) {
    problem(save(app, person, film).await, 401, "unauthenticated").await;
    let batch = json!({"saves": [{"video_id": film, "watch_position": 60}]});
    for (method, path, body) in [
        (Method::GET, ME.to_owned(), None),
        (Method::GET, "/api/v1/videos".to_owned(), None),
        (Method::GET, "/api/v1/videos/continue-watching".to_owned(), None),
        (Method::GET, history(film), None),
        (Method::GET, SESSIONS.to_owned(), None),
        (Method::POST, "/api/v1/watch-history/batch".to_owned(), Some(batch)),
    ] {
        problem(app.ask(person, method, &path, body).await, 401, "unauthenticated").await;
    }
    let refresh = app.post("/api/v1/auth/refresh", &json!({"refresh_token": person.refresh_token})).await;
    problem(refresh, 401, "wrong_refresh_token").await;
}

async fn assert_signed_in(app: &TestApp, person: &Person, film: i64) {
    assert_eq!(save(app, person, film).await.status(), StatusCode::OK);
    assert_eq!(app.ask(person, Method::GET, ME, None).await.status(), StatusCode::OK);
}

on_both! {
    async fn the_own_sessions_are_listed_with_their_origin(app: TestApp) {
        let ann = app.sign_up("ann").await;
        app.pass(Duration::from_secs(60));
        let body = json!({"username": "ann", "password": PASSWORD});
        let phone = app.request(Method::POST, "/api/v1/auth/login").header("user-agent", "Phone/1.0").json(&body);
        let phone = ann.with(&phone.send().await.unwrap().json().await.unwrap());
        app.sign_up("bob").await;
        let all = sessions(&app, &phone).await;
        let contract = ["address", "created_at", "current", "id", "last_used_at", "user_agent"];
        assert!(all.iter().all(|session| fields(session) == contract), "{all:?}");
        assert_eq!(all.len(), 2);
        assert_eq!((&all[0]["current"], &all[1]["current"]), (&json!(true), &json!(false)));
        assert_eq!((&all[0]["user_agent"], &all[0]["address"]), (&json!("Phone/1.0"), &json!("127.0.0.1")));
        assert_eq!(all[1]["user_agent"], Value::Null);
        app.pass(Duration::from_secs(60));
        let refresh = json!({"refresh_token": ann.refresh_token});
        assert_eq!(app.post("/api/v1/auth/refresh", &refresh).await.status(), StatusCode::OK);
        let again = sessions(&app, &phone).await;
        assert_eq!((&again[0]["id"], &again[1]["id"]), (&all[1]["id"], &all[0]["id"]), "the last used comes first");
        assert!(again[0]["last_used_at"].as_str().unwrap() > all[0]["last_used_at"].as_str().unwrap());
        assert_eq!(again[0]["created_at"], all[1]["created_at"]);
    }

    async fn an_expired_session_is_not_listed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        app.pass(Duration::from_secs(31 * 86_400));
        let again = app.sign_in_again(&ann).await;
        assert_eq!(sessions(&app, &again).await.len(), 1);
    }

    async fn an_ended_session_is_invalid_at_once_and_no_other_is(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let phone = app.sign_in_again(&ann).await;
        let id = own(&app, &phone).await;
        assert_signed_in(&app, &phone, film).await;
        assert_eq!(end(&app, &ann, id).await.status(), StatusCode::NO_CONTENT);
        assert_signed_out(&app, &phone, film).await;
        assert_signed_in(&app, &ann, film).await;
        problem(end(&app, &ann, id).await, 404, "session_not_found").await;
        assert_eq!(sessions(&app, &ann).await.len(), 1);
    }

    async fn a_session_of_somebody_else_is_not_found(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let id = own(&app, &bob).await;
        problem(end(&app, &ann, id).await, 404, "session_not_found").await;
        problem(end(&app, &ann, i64::MAX).await, 404, "session_not_found").await;
        for id in ["0", "-1", "x", "9223372036854775808"] {
            let refusal = app.ask(&ann, Method::DELETE, &format!("{SESSIONS}/{id}"), None).await;
            let refusal = problem(refusal, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "path", "{refusal}");
        }
        assert_eq!(sessions(&app, &bob).await.len(), 1);
    }

    async fn all_other_sessions_can_be_ended_at_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let bob = app.sign_up("bob").await;
        let (phone, television) = (app.sign_in_again(&ann).await, app.sign_in_again(&ann).await);
        assert_eq!(app.ask(&phone, Method::DELETE, SESSIONS, None).await.status(), StatusCode::NO_CONTENT);
        assert_signed_out(&app, &ann, film).await;
        assert_signed_out(&app, &television, film).await;
        assert_signed_in(&app, &phone, film).await;
        assert_signed_in(&app, &bob, film).await;
        assert_eq!(sessions(&app, &phone).await.len(), 1);
    }

    async fn the_own_session_can_be_ended_too(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let id = own(&app, &ann).await;
        assert_eq!(end(&app, &ann, id).await.status(), StatusCode::NO_CONTENT);
        assert_signed_out(&app, &ann, film).await;
    }

    async fn a_sign_out_ends_the_access_tokens_too(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let phone = app.sign_in_again(&ann).await;
        let body = json!({"refresh_token": phone.refresh_token});
        let renewed: Value = app.post("/api/v1/auth/refresh", &body).await.json().await.unwrap();
        let renewed = ann.with(&renewed);
        let body = json!({"refresh_token": renewed.refresh_token});
        assert_eq!(app.post("/api/v1/auth/logout", &body).await.status(), StatusCode::NO_CONTENT);
        assert_signed_out(&app, &renewed, film).await;
        assert_signed_out(&app, &phone, film).await;
        assert_signed_in(&app, &ann, film).await;
    }

    async fn a_new_password_ends_the_access_tokens_of_others(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let thief = app.sign_in_again(&ann).await;
        let wish = json!({"password": "battery staple", "current_password": PASSWORD});
        assert_eq!(app.ask(&ann, Method::PATCH, ME, Some(wish)).await.status(), StatusCode::OK);
        assert_signed_out(&app, &thief, film).await;
        assert_signed_in(&app, &ann, film).await;
    }

    async fn a_sign_in_with_the_old_password_does_not_outlive_the_new_one(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let old = json!({"username": "ann", "password": PASSWORD});
        let logins: Vec<_> = (0..30)
            .map(|_| tokio::spawn(app.request(Method::POST, "/api/v1/auth/login").json(&old).send()))
            .collect();
        let wish = json!({"password": "battery staple", "current_password": PASSWORD});
        assert_eq!(app.ask(&ann, Method::PATCH, ME, Some(wish)).await.status(), StatusCode::OK);
        for login in logins {
            let answer = login.await.unwrap().unwrap();
            if answer.status() == StatusCode::OK {
                let thief = ann.with(&answer.json().await.unwrap());
                let refresh = json!({"refresh_token": thief.refresh_token});
                let refresh = app.post("/api/v1/auth/refresh", &refresh).await;
                problem(refresh, 401, "wrong_refresh_token").await;
                problem(app.ask(&thief, Method::GET, ME, None).await, 401, "unauthenticated").await;
            }
        }
        assert_eq!(sessions(&app, &ann).await.len(), 1);
    }

    async fn a_spent_refresh_token_ends_the_access_tokens_too(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let phone = app.sign_in_again(&ann).await;
        let body = json!({"refresh_token": phone.refresh_token});
        let renewed: Value = app.post("/api/v1/auth/refresh", &body).await.json().await.unwrap();
        app.pass(Duration::from_secs(61));
        problem(app.post("/api/v1/auth/refresh", &body).await, 401, "wrong_refresh_token").await;
        assert_signed_out(&app, &ann.with(&renewed), film).await;
        assert_signed_in(&app, &ann, film).await;
    }

    async fn a_session_ended_by_another_process_is_invalid_soon(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        assert_signed_in(&app, &ann, film).await;
        // The connections of the test act as another process.
        app.set_password("ann", "battery staple").await.unwrap();
        let asked = app.ask(&ann, Method::GET, "/api/v1/videos", None).await;
        problem(asked, 401, "unauthenticated").await; // this request reads the database
        let waited = std::time::Instant::now();
        while save(&app, &ann, film).await.status() != StatusCode::UNAUTHORIZED {
            assert!(waited.elapsed() < Duration::from_secs(30), "saves go on");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_signed_out(&app, &ann, film).await;
    }

    async fn a_token_without_a_session_works_and_can_end_all_sessions(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let claims = json!({
            "sub": ann.id.to_string(), "email": "ann@example.org", "type": "access", "exp": 9_999_999_999_i64, "iat": 1,
        });
        let key = EncodingKey::from_secret(SECRET);
        let outside = Person { token: jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap(), ..ann.clone() };
        assert_signed_in(&app, &outside, film).await;
        let listed = sessions(&app, &outside).await;
        assert_eq!((listed.len(), &listed[0]["current"]), (1, &json!(false)));
        assert_eq!(app.ask(&outside, Method::DELETE, SESSIONS, None).await.status(), StatusCode::NO_CONTENT);
        assert_signed_out(&app, &ann, film).await;
        assert_signed_in(&app, &outside, film).await;
        for sid in [json!("x"), json!(1), json!(""), json!("9223372036854775808")] {
            let mut odd = claims.clone();
            odd["sid"] = sid.clone();
            let odd = Person { token: jsonwebtoken::encode(&Header::default(), &odd, &key).unwrap(), ..ann.clone() };
            problem(app.ask(&odd, Method::GET, ME, None).await, 401, "unauthenticated").await;
        }
    }

    async fn a_save_needs_no_statement_for_its_session(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let phone = app.sign_in_again(&ann).await;
        let id = own(&app, &phone).await;
        assert_eq!(end(&app, &ann, id).await.status(), StatusCode::NO_CONTENT);
        app.save(&ann, film, 60).await;
        app.take_statements();
        app.save(&ann, film, 70).await;
        assert!(app.take_statements().iter().all(|sql| !sql.contains("\"sessions\"")));
        problem(save(&app, &phone, film).await, 401, "unauthenticated").await;
        assert_eq!(app.take_statements(), [""; 0]);
        assert_eq!(ended_session::Entity::find().count(app.db.reader()).await.unwrap(), 1);
    }
}
