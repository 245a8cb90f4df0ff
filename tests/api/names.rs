//! Look-alike names, and passwords that are guessed first.

use crate::app::{PASSWORD, TestApp, problem};
use entity::{user, video};
use reqwest::{Method, Response, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";
const ME: &str = "/api/v1/users/me";

async fn register(app: &TestApp, name: &str, number: usize) -> Response {
    let email = format!("{number}@example.org");
    app.post(REGISTER, &json!({"username": name, "email": email, "password": PASSWORD})).await
}

async fn sign_in(app: &TestApp, name: &str, password: &str) -> StatusCode {
    app.post(LOGIN, &json!({"username": name, "password": password})).await.status()
}

/// Checks that a request is refused with a 422 that names the field.
async fn refused(answer: Response, field: &str) {
    let refusal = problem(answer, 422, "validation_failed").await;
    assert_eq!(refusal["errors"][0]["field"], field, "{refusal}");
}

on_both! {
    async fn names_are_compared_after_unicode_normalization(app: TestApp) {
        let made: Value = register(&app, "A\u{308}nn Ｌee", 0).await.json().await.unwrap();
        assert_eq!(made["username"], "Änn Lee");
        for (number, name) in ["Änn Lee", "a\u{308}nn lee", "ÄNN ＬＥＥ", "änn 𝐥𝐞𝐞"].into_iter().enumerate() {
            assert_eq!(register(&app, name, number + 1).await.status(), StatusCode::CONFLICT, "{name}");
            assert_eq!(sign_in(&app, name, PASSWORD).await, StatusCode::OK, "{name}");
        }
    }

    async fn emails_are_compared_after_unicode_normalization(app: TestApp) {
        let body = |name, email| json!({"username": name, "email": email, "password": PASSWORD});
        let made = app.post(REGISTER, &body("ann", "ann@bu\u{308}cher.example")).await;
        assert_eq!(made.json::<Value>().await.unwrap()["email"], "ann@bücher.example");
        let again = app.post(REGISTER, &body("bob", "Ann@bücher.example")).await;
        assert_eq!(again.status(), StatusCode::CONFLICT);
        assert_eq!(sign_in(&app, "ann@bu\u{308}cher.example", PASSWORD).await, StatusCode::OK);
        for email in ["ann\u{200b}@example.org", "ann\u{3164}@example.org", "a\u{a0}nn@example.org"] {
            refused(app.post(REGISTER, &body("cyd", email)).await, "email").await;
        }
    }

    async fn a_name_that_looks_like_another_is_taken(app: TestApp) {
        for (number, name) in ["paypal", "bob", "modern", "Σωκράτης"].into_iter().enumerate() {
            assert_eq!(register(&app, name, number).await.status(), StatusCode::CREATED, "{name}");
        }
        for (number, name) in
            ["раураӏ", "paypa1", "paypaI", "PayPaI", "ВОВ", "b0b", "modem", "ΣΩΚΡΆΤΗΣ", "σωκράτησ"].into_iter().enumerate()
        {
            assert_eq!(register(&app, name, number + 10).await.status(), StatusCode::CONFLICT, "{name}");
        }
        for (number, name) in ["paypals", "bop", "moderne", "山田Taro", "김철수", "Мария"].into_iter().enumerate() {
            assert_eq!(register(&app, name, number + 30).await.status(), StatusCode::CREATED, "{name}");
        }
        assert_eq!(sign_in(&app, "paypa1", PASSWORD).await, StatusCode::UNAUTHORIZED, "a look-alike signs nobody in");
    }

    async fn a_name_with_invisible_characters_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for c in "\u{3164}\u{34f}\u{fe0f}\u{2800}\u{200d}\u{202e}\u{e0041}\u{a0}\u{3000}\u{115f}\u{ffa0}\u{180e}\u{e000}".chars() {
            for name in [format!("bo{c}b"), c.to_string().repeat(3)] {
                refused(register(&app, &name, 1).await, "username").await;
                let wish = json!({"username": name, "current_password": PASSWORD});
                refused(app.ask(&ann, Method::PATCH, ME, Some(wish)).await, "username").await;
            }
        }
        for name in ["p\u{430}ypal", "αnn", "＠nn", "bo  b"] {
            refused(register(&app, name, 1).await, "username").await;
        }
    }

    async fn a_new_name_may_look_like_the_own_old_one_but_like_no_other(app: TestApp) {
        let ann = app.sign_up("ann").await;
        app.sign_up("bob").await;
        let rename = |name: &str| {
            app.ask(&ann, Method::PATCH, ME, Some(json!({"username": name, "current_password": PASSWORD})))
        };
        assert_eq!(rename("ВОВ").await.status(), StatusCode::CONFLICT);
        let renamed: Value = rename("ＡNN").await.json().await.unwrap();
        assert_eq!(renamed["username"], "ANN");
        assert_eq!(rename("annа").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn a_name_that_is_older_than_these_rules_still_signs_in(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let old = "p\u{430}ypal\u{3164}";
        let update = user::Entity::update_many()
            .col_expr(user::Column::Username, Expr::value(old))
            .col_expr(user::Column::UsernameKey, Expr::value(Option::<String>::None))
            .col_expr(user::Column::UsernameSkeleton, Expr::value(Option::<String>::None))
            .filter(user::Column::Id.eq(ann.id));
        update.exec(app.db.writer().await.unwrap().1).await.unwrap();
        assert_eq!(sign_in(&app, old, PASSWORD).await, StatusCode::OK);
        let wish = json!({"username": old, "full_name": "Ann"});
        let changed: Value = app.ask(&ann, Method::PATCH, ME, Some(wish)).await.json().await.unwrap();
        assert_eq!((&changed["username"], &changed["full_name"]), (&json!(old), &json!("Ann")));
    }

    async fn a_common_password_is_refused_everywhere(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for password in ["password", "Password1", "12345678", "qwertyuiop", "ILOVEYOU", "password123", "ｐａｓｓｗｏｒｄ"] {
            let body = json!({"username": "bob", "email": "bob@example.org", "password": password});
            refused(app.post(REGISTER, &body).await, "password").await;
            let wish = json!({"password": password, "current_password": PASSWORD});
            refused(app.ask(&ann, Method::PATCH, ME, Some(wish)).await, "password").await;
        }
    }

    async fn a_password_that_is_the_name_or_the_email_is_refused(app: TestApp) {
        for password in ["Charlotte", "charlotte@example.org", "ＣＨＡＲＬＯＴＴＥ"] {
            let body = json!({"username": "charlotte", "email": "charlotte@example.org", "password": password});
            refused(app.post(REGISTER, &body).await, "password").await;
        }
        let ann = app.sign_up("ann").await;
        let change = async |wish: Value| {
            let mut wish = wish;
            wish["current_password"] = json!(PASSWORD);
            app.ask(&ann, Method::PATCH, ME, Some(wish)).await
        };
        refused(change(json!({"password": "ann@example.org"})).await, "password").await;
        refused(change(json!({"password": "charlotte", "username": "Charlotte"})).await, "password").await;
        refused(change(json!({"username": "Correct Horse"})).await, "username").await;
        assert!(app.set_password("ann", "ann@example.org").await.is_err());
        assert!(app.set_password("ann", "battery staple").await.is_ok());
    }

    async fn passwords_are_compared_after_unicode_normalization(app: TestApp) {
        let (composed, apart) = ("ein schöner Tag", "ein scho\u{308}ner Tag");
        let body = json!({"username": "ann", "email": "ann@example.org", "password": apart});
        assert_eq!(app.post(REGISTER, &body).await.status(), StatusCode::CREATED);
        for password in [composed, apart] {
            assert_eq!(sign_in(&app, "ann", password).await, StatusCode::OK, "{password}");
        }
        let long = "e\u{301}".repeat(100);
        let body = json!({"username": "bob", "email": "bob@example.org", "password": long});
        assert_eq!(app.post(REGISTER, &body).await.status(), StatusCode::CREATED);
        assert_eq!(sign_in(&app, "bob", &long).await, StatusCode::OK);
        let body = json!({"username": "cyd", "email": "cyd@example.org", "password": "e\u{301}".repeat(7)});
        refused(app.post(REGISTER, &body).await, "password").await;
    }

    async fn a_hash_of_an_unnormalized_password_still_works_and_is_renewed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        // The hash of "schön genug" in decomposed form (NFD), as an older version made it.
        let old = "$argon2id$v=19$m=19456,t=2,p=1$H9RJjFcPD0j8uq9m0Vnkfw$gyY5TxSmiVmbMecdzxI2a0bGhbWBECVkcblFeIgNOsE";
        let update = user::Entity::update_many().col_expr(user::Column::HashedPassword, Expr::value(old));
        update.filter(user::Column::Id.eq(ann.id)).exec(app.db.writer().await.unwrap().1).await.unwrap();
        assert_eq!(sign_in(&app, "ann", "schön genug").await, StatusCode::UNAUTHORIZED);
        assert_eq!(sign_in(&app, "ann", "scho\u{308}n genug").await, StatusCode::OK);
        assert_eq!(sign_in(&app, "ann", "schön genug").await, StatusCode::OK, "renewed");
        assert_eq!(sign_in(&app, "ann", "scho\u{308}n genug").await, StatusCode::OK);
    }

    async fn titles_and_full_names_are_stored_in_nfc(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let body = json!({"title": "Cafe\u{301}", "description": "\u{1112}\u{1161}\u{11ab}"});
        let made: Value = app.ask(&ann, Method::POST, "/api/v1/videos", Some(body)).await.json().await.unwrap();
        assert_eq!((&made["title"], &made["description"]), (&json!("Café"), &json!("한")));
        let path = format!("/api/v1/videos/{}", made["id"]);
        let wish = json!({"title": "Cre\u{301}me", "description": "e\u{301}"});
        app.ask(&ann, Method::PATCH, &path, Some(wish)).await;
        let stored = video::Entity::find().one(app.db.reader()).await.unwrap().unwrap();
        assert_eq!((stored.title.as_str(), stored.description.as_deref()), ("Créme", Some("é")));
        let wish = json!({"full_name": "Ann E\u{301}x"});
        let changed: Value = app.ask(&ann, Method::PATCH, ME, Some(wish)).await.json().await.unwrap();
        assert_eq!(changed["full_name"], "Ann Éx");
        let long = "e\u{301}".repeat(255);
        app.add_video(&ann, &long, None).await;
    }
}
