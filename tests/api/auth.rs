//! Sign-up and sign-in.

use crate::app::{PASSWORD, SECRET, TestApp, TestOptions, fields, problem, send};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use service::user::RegistrationPolicy;
use std::time::Duration;

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";

async fn register(app: &TestApp, name: &str, email: &str) -> Response {
    app.post(REGISTER, &json!({"username": name, "email": email, "password": PASSWORD})).await
}

async fn login(app: &TestApp, name: &str, password: &str) -> Response {
    app.post(LOGIN, &json!({"username": name, "password": password})).await
}

async fn form(app: &TestApp, fields: &[(&str, &str)]) -> Response {
    send(app.request(Method::POST, LOGIN).form(fields)).await
}

/// Signs in with a wrong password until the limit is reached, and returns the last response.
async fn fail_until_refused(app: &TestApp, name: &str) -> Response {
    for _ in 0..10 {
        problem(login(app, name, "battery staple").await, 401, "wrong_credentials").await;
    }
    login(app, name, "battery staple").await
}

/// Checks that a registration with this value is refused with a 422 that names the field.
async fn refused(app: &TestApp, field: &str, value: Value) {
    let mut body = json!({"username": "cyd", "email": "cyd@example.org", "password": PASSWORD, "full_name": null});
    body[field] = value.clone();
    let answer = app.post(REGISTER, &body).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
    let refusal = problem(answer, 422, "validation_failed").await;
    assert_eq!(refusal["errors"][0]["field"], field, "{value} {refusal}");
    assert!(!refusal["errors"][0]["message"].as_str().unwrap().is_empty());
}

on_both! {
    async fn an_account_has_every_documented_field(app: TestApp) {
        let body = json!({
            "email": "Ann@Example.org", "username": "Änn", "password": PASSWORD, "full_name": "Ann Example",
        });
        let made = app.post(REGISTER, &body).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        let account: Value = made.json().await.unwrap();
        let contract = [
            "created_at",
            "email",
            "full_name",
            "id",
            "is_active",
            "is_verified",
            "last_login",
            "role",
            "updated_at",
            "username",
        ];
        assert_eq!(fields(&account), contract);
        assert_eq!((&account["email"], &account["username"]), (&json!("Ann@Example.org"), &json!("Änn")));
        assert_eq!((&account["full_name"], &account["role"]), (&json!("Ann Example"), &json!("admin")));
        assert_eq!((&account["is_active"], &account["is_verified"]), (&json!(true), &json!(true)));
        assert_eq!(account["last_login"], Value::Null);
        assert_eq!(account["created_at"], account["updated_at"]);
        let made_at = account["created_at"].as_str().unwrap();
        assert!(made_at.len() == 24 && made_at.ends_with('Z'), "{made_at}");
    }

    async fn user_names_are_unique_without_regard_to_case(app: TestApp) {
        register(&app, "Ärger", "one@example.org").await;
        for name in ["Ärger", "ÄRGER", "ärger"] {
            problem(register(&app, name, "two@example.org").await, 409, "taken").await;
        }
        assert_eq!(register(&app, "Arger", "two@example.org").await.status(), StatusCode::CREATED);
    }

    async fn emails_are_unique_without_regard_to_case(app: TestApp) {
        register(&app, "ann", "Ann@Bücher.example").await;
        for email in ["Ann@Bücher.example", "ANN@BÜCHER.EXAMPLE", "ann@bücher.example"] {
            problem(register(&app, "bob", email).await, 409, "taken").await;
        }
        assert_eq!(register(&app, "bob", "bob@bücher.example").await.status(), StatusCode::CREATED);
    }

    async fn of_many_sign_ups_for_one_name_at_once_one_succeeds(app: TestApp) {
        app.sign_up("ann").await;
        let asking = (0..8).map(|n| {
            let email = format!("bob{n}@example.org");
            let body = json!({"username": "bob", "email": email, "password": PASSWORD});
            tokio::spawn(app.request(Method::POST, REGISTER).json(&body).send())
        });
        let asking: Vec<_> = asking.collect();
        let mut made = 0;
        for answer in asking {
            let answer = answer.await.unwrap().unwrap();
            if answer.status() == StatusCode::CREATED {
                made += 1;
            } else {
                problem(answer, 409, "taken").await;
            }
        }
        assert_eq!(made, 1);
    }

    async fn the_first_account_is_the_administrator_and_the_second_is_not(app: TestApp) {
        let first: Value = register(&app, "ann", "ann@example.org").await.json().await.unwrap();
        let second: Value = register(&app, "bob", "bob@example.org").await.json().await.unwrap();
        assert_eq!((&first["role"], &second["role"]), (&json!("admin"), &json!("user")));
    }

    async fn many_first_sign_ups_at_once_make_one_administrator(app: TestApp) {
        let asking: Vec<_> = (0..8)
            .map(|n| json!({"username": format!("ann{n}"), "email": format!("{n}@a.org"), "password": PASSWORD}))
            .map(|body| tokio::spawn(app.request(Method::POST, REGISTER).json(&body).send()))
            .collect();
        let mut roles = Vec::new();
        for answer in asking {
            let account: Value = answer.await.unwrap().unwrap().json().await.unwrap();
            roles.push(account["role"].as_str().unwrap().to_owned());
        }
        roles.sort();
        assert_eq!(roles.iter().filter(|role| *role == "admin").count(), 1, "{roles:?}");
        assert_eq!(roles.iter().filter(|role| *role == "user").count(), 7, "{roles:?}");
    }

    async fn nobody_registers_while_registration_is_closed(
        app: TestApp = TestOptions { registration_policy: RegistrationPolicy::Closed, ..Default::default() }
    ) {
        problem(register(&app, "ann", "ann@example.org").await, 403, "registration_closed").await;
    }

    async fn a_visitor_does_not_become_the_administrator_of_a_public_server(
        app: TestApp = TestOptions { registration_policy: RegistrationPolicy::OpenAfterFirst, ..Default::default() }
    ) {
        problem(register(&app, "ann", "ann@example.org").await, 403, "first_account_by_command").await;
    }

    async fn an_invalid_user_name_is_refused_with_its_field(app: TestApp) {
        for name in ["", "ab", &"a".repeat(101), "ann@home", "a\u{7}nn", "a\u{0}nn", "ann\n", "ann\u{85}"] {
            refused(&app, "username", json!(name)).await;
        }
    }

    async fn an_invalid_email_is_refused_with_its_field(app: TestApp) {
        let long = format!("{}@{}.example", "a".repeat(64), "a.".repeat(100).trim_end_matches('.'));
        for email in ["", "nobody", "@example.org", "ann@", "a nn@example.org", "ann@exa mple.org", "ann@a..org", &long]
        {
            refused(&app, "email", json!(email)).await;
        }
        for email in ["ann@example.org\u{0}", "ann@example.org\n", "ann@ \n[127.0.0.1]", "a@b@example.org"] {
            refused(&app, "email", json!(email)).await;
        }
    }

    async fn an_invalid_password_is_refused_with_its_field(app: TestApp) {
        for password in ["", "1234567", &"a".repeat(101), "correct\u{0}horse"] {
            refused(&app, "password", json!(password)).await;
        }
    }

    async fn an_invalid_full_name_is_refused_with_its_field(app: TestApp) {
        for name in ["a".repeat(256), "Ann\u{0}".into()] {
            refused(&app, "full_name", json!(name)).await;
        }
    }

    async fn a_missing_or_unknown_field_is_refused_with_its_name(app: TestApp) {
        for field in ["email", "username", "password"] {
            let mut body = json!({"username": "ann", "email": "ann@example.org", "password": PASSWORD});
            body.as_object_mut().unwrap().remove(field);
            let refusal = problem(app.post(REGISTER, &body).await, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], field, "{refusal}");
        }
        let mut body = json!({"username": "ann", "email": "ann@example.org", "password": PASSWORD});
        body["role"] = json!("admin");
        let refusal = problem(app.post(REGISTER, &body).await, 422, "validation_failed").await;
        assert_eq!(refusal["errors"][0]["field"], "role", "{refusal}");
    }

    async fn one_answer_lists_every_broken_rule(app: TestApp) {
        let body = json!({"username": "a", "email": "a", "password": "a"});
        let refusal = problem(app.post(REGISTER, &body).await, 422, "validation_failed").await;
        let named: Vec<_> = refusal["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert_eq!(named, ["email", "password", "username"]);
    }

    async fn the_shortest_and_the_longest_values_are_accepted(app: TestApp) {
        let short = json!({"username": "äöü", "email": "a@b.c", "password": "ääääääää", "full_name": ""});
        // A letter whose lower case is longer, and a letter of four bytes.
        let long = json!({
            "username": "İ".repeat(100), "email": format!("{}@b.c", "a".repeat(64)), "password": "🦀".repeat(100),
            "full_name": "🦀".repeat(255),
        });
        for account in [short, long] {
            let made = app.post(REGISTER, &account).await;
            assert_eq!(made.status(), StatusCode::CREATED, "{}", made.text().await.unwrap());
            let (name, password) = (account["username"].as_str().unwrap(), account["password"].as_str().unwrap());
            assert_eq!(login(&app, name, password).await.status(), StatusCode::OK);
        }
    }

    async fn a_form_signs_in_with_every_field_that_oauth2_clients_send(app: TestApp) {
        app.sign_up("ann").await;
        let all = [
            ("username", "ann"),
            ("password", PASSWORD),
            ("grant_type", "password"),
            ("scope", "a b"),
            ("client_id", "x"),
            ("client_secret", "y"),
        ];
        for fields in [&all[..], &all[..2], &[all[0], all[1], ("grant_type", "")]] {
            assert_eq!(form(&app, fields).await.status(), StatusCode::OK, "{fields:?}");
        }
        let other = form(&app, &[all[0], all[1], ("grant_type", "refresh_token")]).await;
        assert_eq!(problem(other, 422, "validation_failed").await["errors"][0]["field"], "grant_type");
        let unknown = form(&app, &[all[0], all[1], ("otp", "1")]).await;
        assert_eq!(problem(unknown, 422, "validation_failed").await["errors"][0]["field"], "otp");
        let missing = form(&app, &all[..1]).await;
        assert_eq!(problem(missing, 422, "validation_failed").await["errors"][0]["field"], "password");
    }

    async fn the_name_or_the_email_signs_in_in_any_case(app: TestApp) {
        register(&app, "Ärger", "Ann@Bücher.example").await;
        for name in ["Ärger", "ÄRGER", "ärger", "Ann@Bücher.example", "ANN@BÜCHER.EXAMPLE"] {
            assert_eq!(login(&app, name, PASSWORD).await.status(), StatusCode::OK, "{name}");
            let fields = [("username", name), ("password", PASSWORD)];
            assert_eq!(form(&app, &fields).await.status(), StatusCode::OK, "{name}");
        }
    }

    async fn a_pair_of_tokens_has_every_documented_field_and_is_not_cached(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let answer = login(&app, "ann", PASSWORD).await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let pair: Value = answer.json().await.unwrap();
        assert_eq!(fields(&pair), ["access_token", "expires_in", "refresh_token", "token_type"]);
        assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("bearer"), &json!(1800)));
        let token = pair["access_token"].as_str().unwrap();
        let validation = Validation::new(Algorithm::HS256);
        let claims = decode::<Value>(token, &DecodingKey::from_secret(SECRET), &validation).unwrap().claims;
        assert_eq!(fields(&claims), ["email", "exp", "iat", "sid", "sub", "type"]);
        assert_eq!((&claims["sub"], &claims["type"]), (&json!(ann.id.to_string()), &json!("access")));
        assert_eq!(claims["email"], "ann@example.org");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 1800);
    }

    async fn a_sign_in_updates_the_time_of_the_last_one(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let read = async |path| app.ask(&ann, Method::GET, path, None).await.json::<Value>().await.unwrap();
        let before = read("/api/v1/auth/me").await;
        app.pass(Duration::from_secs(10));
        login(&app, "ann", PASSWORD).await;
        let after = read("/api/v1/auth/me").await;
        assert!(before["last_login"].as_str().unwrap() < after["last_login"].as_str().unwrap());
        assert_eq!(before["updated_at"], after["updated_at"], "a sign-in changes nothing of the account");
        assert_eq!(after, read("/api/v1/users/me").await);
    }

    async fn a_body_that_is_neither_form_nor_json_is_refused(app: TestApp) {
        let body = || json!({"username": "ann", "password": PASSWORD}).to_string();
        for kind in ["text/plain", "multipart/mixed", "application/jsonx", ""] {
            let sent = app.request(Method::POST, LOGIN).header("content-type", kind).body(body());
            problem(send(sent).await, 415, "unsupported_media_type").await;
        }
        problem(send(app.request(Method::POST, LOGIN).body(body())).await, 415, "unsupported_media_type").await;
    }

    async fn media_types_ignore_case_and_parameters(app: TestApp) {
        app.sign_up("ann").await;
        let body = json!({"username": "ann", "password": PASSWORD}).to_string();
        for kind in ["application/json;charset=utf-8", "application/json ; charset=UTF-8", "Application/JSON"] {
            let sent = app.request(Method::POST, LOGIN).header("content-type", kind).body(body.clone());
            assert_eq!(send(sent).await.status(), StatusCode::OK, "{kind}");
        }
    }

    async fn a_wrong_password_and_an_unknown_name_get_the_same_answer(app: TestApp) {
        app.sign_up("ann").await;
        let mut answers = Vec::new();
        for (name, password) in [("ann", "battery staple"), ("nobody", PASSWORD), ("no@example.org", PASSWORD)] {
            let answer = login(&app, name, password).await;
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            let mut refusal = problem(answer, 401, "wrong_credentials").await;
            refusal["instance"].take();
            answers.push(refusal);
        }
        assert_eq!((&answers[0], &answers[0]), (&answers[1], &answers[2]));
    }

    async fn only_the_right_password_tells_that_an_account_is_deactivated(app: TestApp) {
        app.sign_up("root").await;
        app.sign_up("ann").await;
        app.deactivate("ann").await;
        problem(login(&app, "ann", PASSWORD).await, 403, "account_inactive").await;
        problem(login(&app, "ann", "battery staple").await, 401, "wrong_credentials").await;
    }

    async fn after_many_failures_sign_ins_are_refused_for_a_while(app: TestApp) {
        app.sign_up("ann").await;
        app.sign_up("bob").await;
        let refused = fail_until_refused(&app, "ann").await;
        let wait = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=300).contains(&wait), "{wait}");
        problem(refused, 429, "too_many_attempts").await;
        problem(login(&app, "ANN", PASSWORD).await, 429, "too_many_attempts").await;
        let by_email = login(&app, "ann@example.org", "battery staple").await;
        // Another answer would tell whose email this is.
        problem(by_email, 401, "wrong_credentials").await;
        assert_eq!(login(&app, "bob", PASSWORD).await.status(), StatusCode::OK, "another account");
        app.pass(Duration::from_secs(wait));
        assert_eq!(login(&app, "ann", PASSWORD).await.status(), StatusCode::OK);
    }

    async fn an_unknown_name_is_limited_like_a_known_one(app: TestApp) {
        problem(fail_until_refused(&app, "nobody").await, 429, "too_many_attempts").await;
    }

    async fn the_right_password_is_never_limited(app: TestApp) {
        app.sign_up("ann").await;
        for _ in 0..200 {
            assert_eq!(login(&app, "ann", PASSWORD).await.status(), StatusCode::OK);
        }
    }
}
