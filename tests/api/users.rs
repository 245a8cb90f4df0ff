//! The caller's own account.

use crate::app::{PASSWORD, Person, TestApp, problem};
use entity::{refresh_token, session, user, video, watch_history};
use reqwest::{Method, Response, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::time::Duration;

const ME: &str = "/api/v1/users/me";

async fn read(app: &TestApp, person: &Person) -> Value {
    app.ask(person, Method::GET, ME, None).await.json().await.unwrap()
}

async fn change(app: &TestApp, person: &Person, change: Value) -> Response {
    app.ask(person, Method::PATCH, ME, Some(change)).await
}

/// Changes the account and returns it.
async fn changed(app: &TestApp, person: &Person, wish: Value) -> Value {
    let answer = change(app, person, wish).await;
    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

/// Checks that the change is refused with a 422 that names the field.
async fn refused(app: &TestApp, person: &Person, wish: Value, field: &str) {
    let refusal = problem(change(app, person, wish.clone()).await, 422, "validation_failed").await;
    assert_eq!(refusal["errors"][0]["field"], field, "{wish} {refusal}");
}

async fn sign_in(app: &TestApp, name: &str, password: &str) -> StatusCode {
    app.post("/api/v1/auth/login", &json!({"username": name, "password": password})).await.status()
}

async fn make_administrator(app: &TestApp, person: &Person) {
    let update = user::Entity::update_many().col_expr(user::Column::Role, Expr::value("admin"));
    update.filter(user::Column::Id.eq(person.id)).exec(app.db.writer().await.unwrap().1).await.unwrap();
}

on_both! {
    async fn each_field_changes_by_itself(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let before = read(&app, &ann).await;
        let mut now = before.clone();
        for (field, value) in
            [("username", json!("Änne")), ("full_name", json!("Ann Example")), ("email", json!("anne@example.org"))]
        {
            app.pass(Duration::from_secs(1));
            let mut wish = json!({field: value});
            if field != "full_name" {
                wish["current_password"] = json!(PASSWORD);
            }
            let after = changed(&app, &ann, wish).await;
            assert!(now["updated_at"].as_str().unwrap() < after["updated_at"].as_str().unwrap(), "{field}");
            now[field] = value;
            now["updated_at"] = after["updated_at"].clone();
            assert_eq!(after, now);
            assert_eq!(read(&app, &ann).await, now);
        }
        for name in ["änne", "ANNE@example.org"] {
            assert_eq!(sign_in(&app, name, PASSWORD).await, StatusCode::OK, "{name}");
        }
        for name in ["ann", "ann@example.org"] {
            assert_eq!(sign_in(&app, name, PASSWORD).await, StatusCode::UNAUTHORIZED, "{name}");
        }
    }

    async fn a_full_name_is_removed_by_null_and_kept_when_it_is_absent(app: TestApp) {
        let ann = app.sign_up("ann").await;
        changed(&app, &ann, json!({"full_name": "Ann Example"})).await;
        assert_eq!(changed(&app, &ann, json!({"username": "anna", "current_password": PASSWORD})).await["full_name"], "Ann Example");
        assert_eq!(changed(&app, &ann, json!({"full_name": null})).await["full_name"], Value::Null);
    }

    async fn a_change_of_nothing_keeps_the_time_of_the_last_change(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let before = read(&app, &ann).await;
        app.pass(Duration::from_secs(5));
        for wish in [json!({}), json!({"username": "ann", "email": "ann@example.org", "full_name": null})] {
            assert_eq!(changed(&app, &ann, wish).await, before);
        }
    }

    async fn a_new_name_email_or_password_needs_the_current_password(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let before = read(&app, &ann).await;
        for (field, value) in
            [("username", "anna"), ("email", "new@example.org"), ("password", "battery staple")]
        {
            refused(&app, &ann, json!({field: value}), "current_password").await;
            refused(&app, &ann, json!({field: value, "current_password": null}), "current_password").await;
            refused(&app, &ann, json!({field: value, "current_password": ""}), "current_password").await;
            refused(&app, &ann, json!({field: value, "current_password": "Correct horse"}), "current_password").await;
        }
        assert_eq!(read(&app, &ann).await, before);
        assert_eq!(sign_in(&app, "ann", PASSWORD).await, StatusCode::OK);
    }

    async fn invalid_values_are_refused_with_their_field(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for (field, value) in [
            ("username", "an"),
            ("username", "a@n"),
            ("username", "ann\u{0}"),
            ("email", "ann"),
            ("email", ""),
            ("password", "1234567"),
            ("password", &"a".repeat(101)),
            ("full_name", &"a".repeat(256)),
            ("full_name", "\u{0}"),
            ("role", "admin"),
            ("id", "7"),
            ("is_active", "true"),
        ] {
            refused(&app, &ann, json!({field: value, "current_password": PASSWORD}), field).await;
        }
    }

    async fn values_of_another_account_are_taken_and_the_own_ones_are_not(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        changed(&app, &bob, json!({"username": "Ärger", "current_password": PASSWORD})).await;
        let wish = json!({"username": "ärger", "current_password": PASSWORD});
        problem(change(&app, &ann, wish).await, 409, "taken").await;
        let wish = json!({"email": "BOB@example.org", "current_password": PASSWORD});
        problem(change(&app, &ann, wish).await, 409, "taken").await;
        let wish = json!({"username": "ANN", "email": "ANN@example.org", "current_password": PASSWORD});
        let after = changed(&app, &ann, wish).await;
        assert_eq!((&after["username"], &after["email"]), (&json!("ANN"), &json!("ANN@example.org")));
    }

    async fn a_new_password_works_at_once_and_ends_every_other_session(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let elsewhere = app.sign_in_again(&ann).await;
        let wish = json!({"password": "battery staple", "current_password": PASSWORD});
        changed(&app, &ann, wish).await;
        assert_eq!(sign_in(&app, "ann", PASSWORD).await, StatusCode::UNAUTHORIZED);
        let over = app.post("/api/v1/auth/refresh", &json!({"refresh_token": elsewhere.refresh_token})).await;
        problem(over, 401, "wrong_refresh_token").await;
        problem(app.ask(&elsewhere, Method::GET, ME, None).await, 401, "unauthenticated").await;
        assert_eq!(app.ask(&ann, Method::GET, ME, None).await.status(), StatusCode::OK, "who set it stays signed in");
        let goes_on = app.post("/api/v1/auth/refresh", &json!({"refresh_token": ann.refresh_token})).await;
        assert_eq!(goes_on.status(), StatusCode::OK);
        assert_eq!(sign_in(&app, "ann", "battery staple").await, StatusCode::OK);
    }

    async fn new_passwords_and_refreshes_at_once_are_all_answered(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for round in 0..5 {
            let old = if round == 0 { PASSWORD.to_owned() } else { format!("password {round}") };
            let login = app.post("/api/v1/auth/login", &json!({"username": "ann", "password": old})).await;
            let token = login.json::<Value>().await.unwrap()["refresh_token"].take();
            let wish = json!({"current_password": old, "password": format!("password {}", round + 1)});
            let change = app.request(Method::PATCH, ME).bearer_auth(&ann.token).json(&wish).send();
            let change = tokio::spawn(change);
            while !change.is_finished() {
                let answer = app.post("/api/v1/auth/refresh", &json!({"refresh_token": token})).await;
                let status = answer.status();
                assert!([StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&status), "a refresh answered {status}");
            }
            assert_eq!(change.await.unwrap().unwrap().status(), StatusCode::OK);
        }
    }

    async fn deleting_an_account_deletes_its_videos_entries_and_sessions(app: TestApp) {
        let root = app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        let hers = app.add_video(&ann, "hers", Some(600)).await;
        let other = app.add_video(&root, "other", Some(600)).await;
        for (person, film) in [(&ann, hers), (&ann, other), (&root, hers), (&root, other)] {
            app.save(person, film, 60).await;
        }
        let left = app.leave(&ann).await;
        assert_eq!(left.status(), StatusCode::NO_CONTENT);
        assert!(left.bytes().await.unwrap().is_empty());
        let db = app.db.reader();
        let films = video::Entity::find().all(db).await.unwrap();
        assert_eq!(films.iter().map(|film| film.id).collect::<Vec<_>>(), [other]);
        let history = watch_history::Entity::find().all(db).await.unwrap();
        assert_eq!(history.iter().map(|row| (row.user_id, row.video_id)).collect::<Vec<_>>(), [(root.id, other)]);
        let sessions = session::Entity::find().all(db).await.unwrap();
        assert!(sessions.iter().all(|row| row.user_id == root.id) && sessions.len() == 1);
        assert_eq!(refresh_token::Entity::find().count(db).await.unwrap(), 1);
        assert_eq!(sign_in(&app, "ann", PASSWORD).await, StatusCode::UNAUTHORIZED);
    }

    async fn deleting_an_account_needs_the_password(app: TestApp) {
        app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        for body in [None, Some(json!({})), Some(json!({"current_password": null}))] {
            let refusal = problem(app.ask(&ann, Method::DELETE, ME, body).await, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "current_password", "{refusal}");
        }
        let wrong = || app.ask(&ann, Method::DELETE, ME, Some(json!({"current_password": "battery staple"})));
        for _ in 0..10 {
            let refusal = problem(wrong().await, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "current_password", "{refusal}");
        }
        problem(wrong().await, 429, "too_many_attempts").await;
        assert_eq!(read(&app, &ann).await["username"], "ann");
        app.pass(Duration::from_secs(300));
        assert_eq!(app.leave(&ann).await.status(), StatusCode::NO_CONTENT);
    }

    async fn the_last_administrator_cannot_be_deleted(app: TestApp) {
        let root = app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        problem(app.leave(&root).await, 409, "last_administrator").await;
        make_administrator(&app, &ann).await;
        assert_eq!(app.leave(&root).await.status(), StatusCode::NO_CONTENT);
        problem(app.leave(&ann).await, 409, "last_administrator").await;
    }

    async fn a_deactivated_administrator_does_not_count(app: TestApp) {
        let root = app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        make_administrator(&app, &ann).await;
        app.deactivate("ann").await;
        problem(app.leave(&root).await, 409, "last_administrator").await;
    }

    async fn of_two_administrators_deleted_at_once_one_stays(app: TestApp) {
        let root = app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        make_administrator(&app, &ann).await;
        let leaving = |person: &Person| {
            let request = app.request(Method::DELETE, ME).bearer_auth(&person.token);
            tokio::spawn(request.json(&json!({"current_password": PASSWORD})).send())
        };
        let (one, two) = (leaving(&root), leaving(&ann));
        let mut statuses = [one.await.unwrap().unwrap().status(), two.await.unwrap().unwrap().status()];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::NO_CONTENT, StatusCode::CONFLICT]);
    }
}
