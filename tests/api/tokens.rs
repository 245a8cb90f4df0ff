//! Invalid access tokens are refused by every operation that reads a token.

use crate::app::{Person, SECRET, TestApp, problem, send};
use crate::document::{Operation, operations};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// The claims of a long-lived token of `person`.
fn claims(person: &Person) -> Value {
    let sub = person.id.to_string();
    json!({"sub": sub, "email": "ann@example.org", "type": "access", "exp": 9_999_999_999_i64, "iat": 1_700_000_000})
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &[u8]) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn with(person: &Person, claim: &str, value: Value) -> String {
    let mut claims = claims(person);
    claims[claim] = value;
    signed(&claims, Algorithm::HS256, SECRET)
}

fn without(person: &Person, claim: &str) -> String {
    let mut claims = claims(person);
    claims.as_object_mut().unwrap().remove(claim);
    signed(&claims, Algorithm::HS256, SECRET)
}

/// Base64 for URLs, without padding.
fn base64url(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let encode = |chunk: &[u8]| {
        let bits = (0..3).fold(0_u32, |bits, n| bits << 8 | u32::from(chunk.get(n).copied().unwrap_or(0)));
        (0..=chunk.len()).map(|n| char::from(LETTERS[(bits >> (18 - 6 * n) & 63) as usize])).collect::<String>()
    };
    text.as_bytes().chunks(3).map(encode).collect()
}

fn unsigned(person: &Person) -> String {
    format!("{}.{}.", base64url(r#"{"alg":"none","typ":"JWT"}"#), base64url(&claims(person).to_string()))
}

/// A token with this head and these claims, signed with the server's secret.
fn with_head(head: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", base64url(&head.to_string()), base64url(&claims.to_string()));
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

/// Calls an operation with a valid body and this header.
async fn answer(app: &TestApp, operation: &Operation, video: i64, header: &[u8]) -> reqwest::Response {
    let request = app.request(operation.method.clone(), &operation.with_query(video)).header("authorization", header);
    send(operation.example().into_iter().fold(request, |request, body| request.json(&body))).await
}

/// Checks that every operation that reads a token refuses this header, and lists those that do not.
async fn refused_everywhere(app: &TestApp, video: i64, what: &str, header: impl AsRef<[u8]>) {
    let mut taken = Vec::new();
    for operation in operations().iter().filter(|operation| operation.takes_token()) {
        let answer = answer(app, operation, video, header.as_ref()).await;
        if answer.status() == StatusCode::UNAUTHORIZED {
            assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{} with {what}", operation.id());
            problem(answer, 401, "unauthenticated").await;
        } else {
            taken.push(format!("{} answered {}", operation.id(), answer.status()));
        }
    }
    assert!(taken.is_empty(), "with {what}: {taken:#?}");
}

on_both! {
    async fn a_token_that_this_server_did_not_sign_is_refused_everywhere(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let genuine = signed(&claims(&ann), Algorithm::HS256, SECRET);
        let trusted = Person { token: genuine.clone(), ..ann.clone() };
        let me = app.ask(&trusted, Method::GET, "/api/v1/auth/me", None).await;
        assert_eq!(me.status(), StatusCode::OK, "the tests know how to sign");
        let (head, tail) = genuine.rsplit_once('.').unwrap();
        for (what, token) in [
            ("no signature asked for", unsigned(&ann)),
            ("no signature", format!("{head}.")),
            ("another signature", format!("{head}.{}", tail.chars().rev().collect::<String>())),
            (
                "another key",
                signed(&claims(&ann), Algorithm::HS256, b"another secret, as long as the one of the tests"),
            ),
            ("an empty key", signed(&claims(&ann), Algorithm::HS256, b"")),
            ("another algorithm", signed(&claims(&ann), Algorithm::HS512, SECRET)),
            ("a part too many", format!("{genuine}.x")),
            ("a refresh token", ann.refresh_token.clone()),
            ("garbage", "garbage".to_owned()),
            ("nothing", String::new()),
            ("a very long one", "x".repeat(20_000)),
        ] {
            refused_everywhere(&app, film, what, format!("Bearer {token}")).await;
        }
    }

    async fn a_token_with_invalid_claims_is_refused_everywhere(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for (what, token) in [
            ("another type", with(&ann, "type", json!("refresh"))),
            ("no type", without(&ann, "type")),
            ("no subject", without(&ann, "sub")),
            ("no end", without(&ann, "exp")),
            ("an end in the past", with(&ann, "exp", json!(1_700_000_000))),
            ("a negative end", with(&ann, "exp", json!(-1))),
            ("an end that is text", with(&ann, "exp", json!("9999999999"))),
            ("a subject that is a number", with(&ann, "sub", json!(ann.id))),
            ("a subject of 2^63", with(&ann, "sub", json!("9223372036854775808"))),
            ("a subject of 2^63 - 1", with(&ann, "sub", json!("9223372036854775807"))),
            ("a negative subject", with(&ann, "sub", json!("-1"))),
            ("an empty subject", with(&ann, "sub", json!(""))),
            ("a name as the subject", with(&ann, "sub", json!("ann"))),
            ("a beginning in the future", with(&ann, "nbf", json!(9_000_000_000_i64))),
            ("a beginning beyond all numbers", with(&ann, "nbf", json!(1e300))),
            ("a beginning that is text", with(&ann, "nbf", json!("1700000000"))),
            ("an audience elsewhere", with(&ann, "aud", json!("https://elsewhere.example"))),
            ("a subject with U+0000", with(&ann, "sub", json!("1\u{0}"))),
        ] {
            refused_everywhere(&app, film, what, format!("Bearer {token}")).await;
        }
    }

    async fn a_token_with_unknown_critical_headers_is_refused_everywhere(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for head in [
            json!({"alg": "HS256", "typ": "JWT", "crit": ["exp"]}),
            json!({"alg": "HS256", "typ": "JWT", "crit": ["https://example.org/x"], "https://example.org/x": true}),
            json!({"alg": "HS256", "crit": []}),
            json!({"alg": "HS256", "crit": null}),
            json!({"alg": "HS256", "crit": "exp"}),
            json!({"alg": "HS256", "b64": false, "crit": ["b64"]}),
            json!({"alg": "HS256", "b64": false}),
            json!({"alg": "HS256", "zip": "DEF"}),
            json!({"alg": "HS256", "typ": "dpop+jwt"}),
            json!({"alg": "HS256", "typ": "refresh"}),
            json!({"alg": "HS256", "typ": 1}),
            json!({"alg": "none"}),
            json!({"alg": "hs256"}),
            json!({"alg": "HS512"}),
            json!({"typ": "JWT"}),
        ] {
            let token = with_head(&head, &claims(&ann));
            refused_everywhere(&app, film, &head.to_string(), format!("Bearer {token}")).await;
        }
    }

    async fn a_token_of_another_issuer_with_the_same_key_is_accepted(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let mut later = claims(&ann);
        later["nbf"] = json!((app.now().timestamp() + 60) as f64 - 0.5);
        let later = with_head(&json!({"alg": "HS256"}), &later);
        let mut due = claims(&ann);
        due["nbf"] = json!(app.now().timestamp());
        for (what, token) in [
            ("no type", with_head(&json!({"alg": "HS256"}), &claims(&ann))),
            ("a type in small letters", with_head(&json!({"alg": "HS256", "typ": "jwt"}), &claims(&ann))),
            ("a key id", with_head(&json!({"alg": "HS256", "typ": "JWT", "kid": "1"}), &claims(&ann))),
            ("the type of RFC 9068", with_head(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims(&ann))),
            ("a beginning now", with_head(&json!({"alg": "HS256"}), &due)),
        ] {
            let me = app.ask(&Person { token, ..ann.clone() }, Method::GET, "/api/v1/auth/me", None).await;
            assert_eq!(me.status(), StatusCode::OK, "{what}");
        }
        let early = Person { token: later, ..ann.clone() };
        problem(app.ask(&early, Method::GET, "/api/v1/auth/me", None).await, 401, "unauthenticated").await;
        app.pass(Duration::from_secs(61));
        assert_eq!(app.ask(&early, Method::GET, "/api/v1/auth/me", None).await.status(), StatusCode::OK, "then it is due");
    }

    async fn a_header_that_is_no_bearer_token_is_refused_everywhere(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for header in [
            format!("Basic {}", base64url("ann:correct horse")),
            format!("Token {}", ann.token),
            ann.token.clone(),
            format!("Bearer{}", ann.token),
            format!("Bearer {0} {0}", ann.token),
            "Bearer".into(),
            String::new(),
        ] {
            refused_everywhere(&app, film, &header, &header).await;
        }
        refused_everywhere(&app, film, "bytes that are no text", b"Bearer \xff\xfe").await;
    }

    async fn the_authentication_scheme_ignores_case(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for scheme in ["bearer", "BEARER", "Bearer"] {
            let header = format!("{scheme} {}", ann.token);
            let request = app.request(Method::GET, "/api/v1/auth/me").header("authorization", header);
            assert_eq!(send(request).await.status(), StatusCode::OK);
        }
    }

    async fn a_token_expires_after_30_minutes(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.pass(Duration::from_secs(29 * 60));
        assert_eq!(app.ask(&ann, Method::GET, "/api/v1/auth/me", None).await.status(), StatusCode::OK);
        app.pass(Duration::from_secs(60));
        refused_everywhere(&app, film, "an expired token", format!("Bearer {}", ann.token)).await;
    }

    async fn a_token_of_a_deleted_account_is_refused_everywhere(app: TestApp) {
        let root = app.sign_up("root").await;
        let film = app.add_video(&root, "film", Some(600)).await;
        let ann = app.sign_up("ann").await;
        app.save(&ann, film, 60).await;
        app.leave(&ann).await;
        refused_everywhere(&app, film, "a token of who left", format!("Bearer {}", ann.token)).await;
    }

    async fn a_token_of_a_deactivated_account_is_refused_everywhere(app: TestApp) {
        let root = app.sign_up("root").await;
        let film = app.add_video(&root, "film", Some(600)).await;
        let ann = app.sign_up("ann").await;
        app.save(&ann, film, 60).await;
        app.deactivate("ann").await;
        refused_everywhere(&app, film, "a token of a deactivated account", format!("Bearer {}", ann.token)).await;
    }

    async fn without_a_token_only_public_operations_answer(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for operation in operations().iter().filter(|operation| operation.takes_token()) {
            let request = app.request(operation.method.clone(), &operation.at(film));
            let request = operation.example().into_iter().fold(request, |request, body| request.json(&body));
            let status = send(request).await.status();
            assert_eq!(status == StatusCode::UNAUTHORIZED, operation.needs_token(), "{} {status}", operation.id());
        }
    }
}
