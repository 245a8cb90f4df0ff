//! Password hashes of an older site: they sign in, and the first sign-in renews them.

use crate::app::{PASSWORD, TestApp, problem};
use ::entity::user;
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Database, EntityTrait, QueryFilter, UpdateMany};
use serde_json::{Value, json};

/// The hash that Python's bcrypt made of [`PASSWORD`], with 12 rounds as on every site.
const BCRYPT: &str = "$2b$12$1SHaXvgrTveq5P8mmc/JRe2mlzzlXxwjJX4G4ag2MA8HuHS3FtaM6";
const OTHERS: [&str; 4] = [
    "$2a$05$Oikc3uw9QtPEKqt3cpdJxeXvlQ6DQ59a6A5ExaE9td0A/7UGgujMG",
    "$2y$05$Oikc3uw9QtPEKqt3cpdJxeXvlQ6DQ59a6A5ExaE9td0A/7UGgujMG",
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdCBvZiBzaXh0ZWVuIQ$RX8D8sSjK2ezoBXSbLUexlRaKEMn39YQHPIVLcWBJco",
    "$argon2i$v=19$m=8192,t=2,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$D1sCCLdZBKa82L1kyHmVN9jyz3/WId0QbjMNs1O9ulE",
];
const OURS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

on_both! {
    async fn an_old_hash_signs_in_and_is_replaced(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for old in [BCRYPT].into_iter().chain(OTHERS) {
            store(&app, ann.id, old).await;
            assert_eq!(sign_in(&app, "ann", PASSWORD).await, StatusCode::OK, "{old}");
            let renewed = stored(&app, ann.id).await;
            assert!(renewed.starts_with(OURS), "{old} became {renewed}");
            assert_eq!(sign_in(&app, "ann@example.org", PASSWORD).await, StatusCode::OK);
            assert_eq!(stored(&app, ann.id).await, renewed, "ours is not renewed");
        }
    }

    async fn a_wrong_password_does_not_replace_the_old_hash(app: TestApp) {
        let ann = app.sign_up("ann").await;
        store(&app, ann.id, BCRYPT).await;
        let wrong = json!({"username": "ann", "password": "correct horsf"});
        problem(app.post("/api/v1/auth/login", &wrong).await, 401, "wrong_credentials").await;
        assert_eq!(stored(&app, ann.id).await, BCRYPT);
    }

    async fn a_deactivated_account_keeps_its_old_hash(app: TestApp) {
        let ann = app.sign_up("ann").await;
        store(&app, ann.id, BCRYPT).await;
        let inactive = user::Entity::update_many().col_expr(user::Column::IsActive, Expr::value(false));
        change(&app, inactive.filter(user::Column::Id.eq(ann.id))).await;
        assert_ne!(sign_in(&app, "ann", PASSWORD).await, StatusCode::OK);
        assert_eq!(stored(&app, ann.id).await, BCRYPT);
    }

    async fn the_refresh_token_of_a_renewing_sign_in_works(app: TestApp) {
        let ann = app.sign_up("ann").await;
        store(&app, ann.id, BCRYPT).await;
        let pair = app.post("/api/v1/auth/login", &json!({"username": "ann", "password": PASSWORD})).await;
        let pair: Value = pair.json().await.unwrap();
        let refreshed = app.post("/api/v1/auth/refresh", &json!({"refresh_token": pair["refresh_token"]})).await;
        assert_eq!(refreshed.status(), StatusCode::OK);
    }

    async fn a_password_with_an_old_hash_can_be_changed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        store(&app, ann.id, BCRYPT).await;
        let change = json!({"password": "battery staple", "current_password": PASSWORD});
        let changed = app.ask(&ann, Method::PATCH, "/api/v1/users/me", Some(change)).await;
        assert_eq!(changed.status(), StatusCode::OK);
        assert_eq!(sign_in(&app, "ann", PASSWORD).await, StatusCode::UNAUTHORIZED);
        assert_eq!(sign_in(&app, "ann", "battery staple").await, StatusCode::OK);
    }

    async fn many_first_sign_ins_at_once_all_succeed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        store(&app, ann.id, OTHERS[0]).await;
        let credentials = json!({"username": "ann", "password": PASSWORD});
        let (one, two, three) = tokio::join!(
            app.post("/api/v1/auth/login", &credentials),
            app.post("/api/v1/auth/login", &credentials),
            app.post("/api/v1/auth/login", &credentials),
        );
        assert_eq!([one.status(), two.status(), three.status()], [StatusCode::OK; 3]);
        assert!(stored(&app, ann.id).await.starts_with(OURS));
        assert_eq!(sign_in(&app, "ann", PASSWORD).await, StatusCode::OK);
    }
}

async fn sign_in(app: &TestApp, name: &str, password: &str) -> StatusCode {
    app.post("/api/v1/auth/login", &json!({"username": name, "password": password})).await.status()
}

async fn store(app: &TestApp, id: i64, hash: &str) {
    let update = user::Entity::update_many().col_expr(user::Column::HashedPassword, Expr::value(hash));
    change(app, update.filter(user::Column::Id.eq(id))).await;
}

async fn change(app: &TestApp, update: UpdateMany<user::Entity>) {
    let db = Database::connect(&app.database.url).await.unwrap();
    update.exec(&db).await.unwrap();
    db.close().await.unwrap();
}

async fn stored(app: &TestApp, id: i64) -> String {
    let db = Database::connect(&app.database.url).await.unwrap();
    let user = user::Entity::find_by_id(id).one(&db).await.unwrap().unwrap();
    db.close().await.unwrap();
    user.hashed_password
}
