//! Limits on guessing passwords.

use crate::app::{PASSWORD, Person, TestApp, TestOptions, problem, send};
use ::entity::sign_in_limit;
use reqwest::{Method, Response, StatusCode};
use sea_orm::{ColumnTrait, DatabaseBackend, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, TransactionTrait};
use serde_json::json;
use service::Error;
use service::auth::sessions::ClientInfo;
use service::auth::{self, Auth, Credentials, Tokens};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

async fn login_through_proxies(app: &TestApp, forwarded: &str, password: &str) -> Response {
    let body = json!({"username": "ann", "password": password});
    let request = app.request(Method::POST, "/api/v1/auth/login").header("x-forwarded-for", forwarded);
    send(request.json(&body)).await
}

/// Signs in through another process on the same database, or through the same one after a restart.
async fn login_elsewhere(app: &TestApp, other: &Auth, password: &str) -> Result<(), Error> {
    let credentials = Credentials { username: "ann".into(), password: password.into() };
    let client = ClientInfo { address: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: None };
    auth::login(&app.db, other, credentials, client, app.now()).await.map(drop)
}

fn another_process() -> Auth {
    Auth::new(Tokens::new(&[7; 32], Duration::from_secs(60)), Duration::from_secs(60))
}

async fn login(app: &TestApp, name: &str, password: &str) -> Response {
    app.post("/api/v1/auth/login", &json!({"username": name, "password": password})).await
}

async fn change_password(app: &TestApp, person: &Person, current: &str) -> Response {
    let body = json!({"password": "another one", "current_password": current});
    app.ask(person, Method::PATCH, "/api/v1/users/me", Some(body)).await
}

on_both! {
    async fn behind_a_trusted_proxy_one_visitor_does_not_lock_out_others(
        app: TestApp = TestOptions { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..TestOptions::default() }
    ) {
        app.sign_up("ann").await;
        for _ in 0..10 {
            let wrong = login_through_proxies(&app, "192.0.2.7", "battery staple").await;
            problem(wrong, 401, "wrong_credentials").await;
        }
        let again = login_through_proxies(&app, "192.0.2.7", PASSWORD).await;
        problem(again, 429, "too_many_attempts").await;
        // The entries further left come from the visitor and are not trusted.
        let disguised = login_through_proxies(&app, "198.51.100.1, 192.0.2.7", PASSWORD).await;
        problem(disguised, 429, "too_many_attempts").await;
        assert_eq!(login_through_proxies(&app, "192.0.2.8", PASSWORD).await.status(), StatusCode::OK);
    }

    async fn only_a_trusted_proxy_may_name_the_client_address(app: TestApp) {
        app.sign_up("ann").await;
        for n in 0..10 {
            let wrong = login_through_proxies(&app, &format!("192.0.2.{n}"), "battery staple").await;
            problem(wrong, 401, "wrong_credentials").await;
        }
        let again = login_through_proxies(&app, "192.0.2.99", "battery staple").await;
        problem(again, 429, "too_many_attempts").await;
    }

    async fn many_right_passwords_at_once_are_all_accepted(app: TestApp) {
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
    async fn all_processes_of_a_site_share_the_counts(app: TestApp) {
        app.sign_up("ann").await;
        let other = another_process();
        for _ in 0..5 {
            problem(login(&app, "ann", "battery staple").await, 401, "wrong_credentials").await;
            let wrong = login_elsewhere(&app, &other, "battery staple").await;
            assert!(matches!(wrong, Err(Error::WrongCredentials)), "{wrong:?}");
        }
        let refused = login_elsewhere(&app, &other, PASSWORD).await;
        assert!(matches!(refused, Err(Error::TooManyAttempts { .. })), "{refused:?}");
        problem(login(&app, "ann", PASSWORD).await, 429, "too_many_attempts").await;
        let after_a_restart = login_elsewhere(&app, &another_process(), PASSWORD).await;
        assert!(matches!(after_a_restart, Err(Error::TooManyAttempts { .. })), "{after_a_restart:?}");
        app.pass(Duration::from_secs(31));
        login_elsewhere(&app, &other, PASSWORD).await.unwrap();
        // The right password in one process clears the failures of another.
        for _ in 0..10 {
            problem(login(&app, "ann", "battery staple").await, 401, "wrong_credentials").await;
        }
    }

    async fn expired_counts_are_deleted(app: TestApp) {
        for n in 0..20 {
            problem(login(&app, &format!("nobody {n}"), "battery staple").await, 401, "wrong_credentials").await;
        }
        let count = async || sign_in_limit::Entity::find().count(app.db.reader()).await.unwrap();
        assert_eq!(count().await, 41);
        app.pass(Duration::from_secs(3600));
        problem(login(&app, "nobody", "battery staple").await, 401, "wrong_credentials").await;
        for _ in 0..200 {
            if count().await == 3 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} rows are still there", count().await);
    }

    async fn refused_guesses_write_nothing(app: TestApp) {
        app.sign_up("ann").await;
        for _ in 0..10 {
            problem(login(&app, "ann", "battery staple").await, 401, "wrong_credentials").await;
        }
        app.take_statements();
        for _ in 0..50 {
            problem(login(&app, "ann", "battery staple").await, 429, "too_many_attempts").await;
        }
        assert_eq!(app.take_statements(), [""; 0]);
    }

    async fn a_guess_does_not_count_against_a_look_alike_name(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for name in [format!("account {}", ann.id), format!("00{}", ann.id), format!("SignedIn({})", ann.id)] {
            let account = json!({"username": name, "email": format!("{}@example.org", name.len()), "password": PASSWORD});
            assert_eq!(app.post("/api/v1/auth/register", &account).await.status(), StatusCode::CREATED, "{name}");
        }
        for _ in 0..10 {
            problem(change_password(&app, &ann, "battery staple").await, 422, "validation_failed").await;
        }
        problem(change_password(&app, &ann, PASSWORD).await, 429, "too_many_attempts").await;
        for name in [format!("account {}", ann.id), format!("00{}", ann.id), format!("SignedIn({})", ann.id)] {
            for _ in 0..9 {
                problem(login(&app, &name, "battery staple").await, 401, "wrong_credentials").await;
            }
            assert_eq!(login(&app, &name, PASSWORD).await.status(), StatusCode::OK, "{name}");
        }
        assert_eq!(login(&app, "ann", PASSWORD).await.status(), StatusCode::OK, "ann herself");
    }
    async fn a_burst_from_one_address_does_not_block_other_addresses(
        app: TestApp = TestOptions { trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()], ..TestOptions::default() }
    ) {
        app.sign_up("ann").await;
        let body = json!({"username": "ann", "password": PASSWORD});
        let burst = (0..200).map(|_| {
            let request = app.request(Method::POST, "/api/v1/auth/login").header("x-forwarded-for", "192.0.2.1");
            tokio::spawn(request.json(&body).send())
        });
        let burst: Vec<_> = burst.collect();
        let answered = || burst.iter().filter(|sign_in| sign_in.is_finished()).count();
        while answered() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let other = login_through_proxies(&app, "192.0.2.2", PASSWORD).await;
        let answered = answered();
        assert_eq!(other.status(), StatusCode::OK);
        assert!(answered < 100, "{answered} sign-ins of the burst came first");
    }

    async fn a_guess_that_hangs_does_not_block_other_sign_ins(
        app: TestApp = TestOptions { trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()], ..TestOptions::default() }
    ) {
        app.sign_up("ann").await;
        let keys = async || -> Vec<String> {
            let rows = sign_in_limit::Entity::find().all(app.db.reader()).await.unwrap();
            rows.into_iter().map(|row| row.key_hash).collect()
        };
        let before = keys().await;
        let guess = json!({"username": "root", "password": "battery staple"});
        let request = app.request(Method::POST, "/api/v1/auth/login").header("x-forwarded-for", "192.0.2.1");
        problem(send(request.json(&guess)).await, 401, "wrong_credentials").await;
        // SQLite has one writer at a time.
        if app.db.backend() == DatabaseBackend::Postgres {
            let hanging = app.db.reader().begin().await.unwrap();
            let of_guess = sign_in_limit::Entity::find().filter(sign_in_limit::Column::KeyHash.is_not_in(before));
            assert_eq!(of_guess.lock_exclusive().all(&hanging).await.unwrap().len(), 3);
            assert_eq!(login_through_proxies(&app, "192.0.2.2", PASSWORD).await.status(), StatusCode::OK);
            app.pass(Duration::from_secs(3600));
            assert_eq!(login_through_proxies(&app, "192.0.2.2", PASSWORD).await.status(), StatusCode::OK);
            hanging.rollback().await.unwrap();
        }
    }
}
