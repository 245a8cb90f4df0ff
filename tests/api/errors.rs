//! Invalid bodies: for every operation, the answer is a problem with the right status and never a
//! 5xx.
//!
//! The operations are read from the API document, so that a new one is tested too.

use crate::app::{PASSWORD, Person, TestApp, problem, send};
use crate::document::{Operation, operations, resolve};
use crate::unfit_values::{is_a, unfit_values};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The caller and the video of the requests.
pub struct Setting {
    pub person: Person,
    pub video: i64,
}

pub async fn set_up(app: &TestApp) -> Setting {
    app.sign_up("root").await;
    let person = app.sign_up("ann").await;
    let video = app.add_video(&person, "film", Some(600)).await;
    Setting { person, video }
}

/// Collects the failures, so that one run shows all of them.
#[derive(Default)]
pub struct Findings(pub Vec<String>);

impl Findings {
    /// Checks that the response is a problem with one of these statuses.
    pub async fn expect(&mut self, what: &str, answer: Response, statuses: &[u16]) {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        if !statuses.contains(&status) {
            self.0.push(format!(
                "{what}: {status} instead of {statuses:?}: {}",
                text.chars().take(200).collect::<String>()
            ));
        } else if status >= 400 {
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            let whole = headers["content-type"] == "application/problem+json"
                && body["status"] == status
                && body["instance"].as_str() == headers["x-request-id"].to_str().ok()
                && ["type", "title", "detail", "code"].iter().all(|field| body[field].is_string())
                && (status != 422 || body["errors"][0]["message"].is_string());
            if !whole {
                self.0.push(format!("{what}: {status} without all that belongs to a problem: {text}"));
            }
        }
    }

    pub fn none(self) {
        assert!(self.0.is_empty(), "{} findings:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// The bodies of an operation: those of the document, and the sign-in form, which the document
/// describes in prose.
fn bodies(operation: &Operation) -> Vec<(&'static str, &'static Value)> {
    let mut bodies = operation.bodies();
    if operation.id() == "login" {
        bodies.push((FORM, bodies[0].1));
    }
    bodies
}

async fn send_body(app: &TestApp, at: &Setting, operation: &Operation, kind: &str, body: Vec<u8>) -> Response {
    let request = app.request(operation.method.clone(), &operation.at(at.video)).bearer_auth(&at.person.token);
    let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
    send(request.body(body)).await
}

/// The JSON text of `example`, with this text as the value of one field.
fn with_field(example: &Value, field: &str, value: &str) -> Vec<u8> {
    let mut body = example.clone();
    body[field] = json!("<here>");
    body.to_string().replace("\"<here>\"", value).into_bytes()
}

on_both! {
    async fn a_body_that_is_not_an_object_is_refused(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for operation in operations() {
            for (kind, schema) in bodies(&operation) {
                let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
                let example = operation.example().unwrap().to_string();
                let positional: Vec<_> =
                    schema["properties"].as_object().unwrap().values().map(|p| &p["example"]).collect();
                // Where the body may be absent, an empty one is none.
                let empty: &[u16] = match operation.method {
                    Method::PUT => &[200, 404],
                    Method::DELETE => &[422],
                    _ => &[400],
                };
                for (body, statuses) in [
                    ("[]", &[422][..]),
                    ("null", &[422]),
                    ("\"text\"", &[422]),
                    ("5", &[422]),
                    ("true", &[422]),
                    ("[{}]", &[422]),
                    ("", empty),
                    ("{", &[400]),
                    ("<a/>", &[400]),
                    ("{'a': 1}", &[400]),
                    // The first value is invalid, but the body as a whole is not even JSON.
                    ("[", &[400]),
                    ("{\"what\": 1", &[400]),
                    ("{\"what\": 1} x", &[400]),
                    (&example[..example.len() - 1], &[400]),
                    (&*format!("{example}x"), &[400]),
                    (&*json!(positional).to_string(), &[422]),
                    (&deep, &[422]),
                ] {
                    let statuses = match kind {
                        JSON => statuses,
                        _ if body.starts_with('{') => &[415],
                        _ => &[422],
                    };
                    let answer = send_body(&app, &at, &operation, kind, body.into()).await;
                    let what = format!("{} {kind} {}", operation.id(), body.chars().take(60).collect::<String>());
                    findings.expect(&what, answer, statuses).await;
                }
            }
        }
        findings.none();
    }

    async fn a_body_of_another_media_type_or_not_in_utf_8_is_refused(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for operation in operations().iter().filter(|operation| !operation.bodies().is_empty()) {
            let example = operation.example().unwrap().to_string().into_bytes();
            for kind in
                ["", "text/plain", "application/xml", "application/octet-stream", "nonsense", "application/jsonx"]
            {
                let answer = send_body(&app, &at, operation, kind, example.clone()).await;
                findings.expect(&format!("{} as {kind:?}", operation.id()), answer, &[415]).await;
            }
            let (_, schema) = operation.bodies().into_iter().find(|(kind, _)| *kind == JSON).unwrap();
            let mut texts =
                schema["properties"].as_object().unwrap().iter().filter(|(_, property)| is_a(property, "string"));
            if let Some((name, _)) = texts.next() {
                let body = [b"{\"", name.as_bytes(), b"\": \"\xff\"}"].concat();
                let answer = send_body(&app, &at, operation, JSON, body).await;
                findings.expect(&format!("{} {name}: bytes that are no text", operation.id()), answer, &[400]).await;
            }
            for body in [&b"\xff\xfe"[..], b"\xef\xbb\xbf{}", b"{\"\xc3\x28\": 1}", b"\0"] {
                let answer = send_body(&app, &at, operation, JSON, body.to_vec()).await;
                findings.expect(&format!("{} {body:?}", operation.id()), answer, &[400]).await;
            }
            for length in [1024 * 1024 + 1, 2 * 1024 * 1024] {
                let answer = send_body(&app, &at, operation, JSON, vec![b' '; length]).await;
                findings.expect(&format!("{} {length} spaces", operation.id()), answer, &[413]).await;
            }
        }
        findings.none();
    }

    async fn a_message_explains_the_invalid_value_without_repeating_it(app: TestApp) {
        let at = set_up(&app).await;
        let save = format!("/api/v1/videos/{}/watch-history", at.video);
        let (login, long) = ("/api/v1/auth/login", "\u{85}".repeat(100_000));
        for (path, kind, body, status, field, message) in [
            (&*save, JSON, json!({"watch_position": 10.7}), 422, "watch_position", "must be a whole number, not one with a fraction"),
            (&save, JSON, json!({"watch_position": "ten"}), 422, "watch_position", "must be a whole number, not a text"),
            (&save, JSON, json!({"watch_position": null}), 422, "watch_position", "must be a whole number, not null"),
            (&save, JSON, json!({"watch_position": 1_u64 << 40}), 422, "watch_position", "is out of range"),
            (&save, JSON, json!({"watch_position": long}), 422, "watch_position", "must be a whole number, not a text"),
            (&save, JSON, json!({"watch_position": 1e30}), 422, "watch_position", "is out of range"),
            (&save, JSON, json!({"watch_position": 1, "age_ms": u64::MAX}), 422, "age_ms", "is out of range"),
            (&save, JSON, json!([]), 422, "", "must be an object, not a list"),
            ("/api/v1/videos/9223372036854775808/watch-history", JSON, json!({"watch_position": 1}), 422, "path", "the id in the path is out of range"),
            ("/api/v1/videos/abc/watch-history", JSON, json!({"watch_position": 1}), 422, "path", "the id in the path must be a whole number, 1 or more"),
            (login, JSON, json!({"username": "ann", "password": 123_456_789}), 422, "password", "must be a string, not a number"),
            (login, FORM, json!({"username": "ann", "password": "correct horse"}), 415, "", ""),
            (login, JSON, json!({long.as_str(): 1}), 422, "", ""),
        ] {
            let request = app.request(Method::POST, path).bearer_auth(&at.person.token);
            let answer = send(request.header("content-type", kind).body(body.to_string())).await;
            assert_eq!(answer.status(), status, "{path} {message}");
            let text = answer.text().await.unwrap();
            assert!(text.len() < 4_000 && !text.contains("123456789") && !text.contains("correct horse"), "{text}");
            let problem: Value = serde_json::from_str(&text).unwrap();
            if !message.is_empty() {
                assert_eq!(problem["errors"], json!([{"field": field, "message": message}]), "{path}");
            }
        }
    }

    async fn a_message_explains_invalid_text_and_encodings(app: TestApp) {
        let at = set_up(&app).await;
        let save = format!("/api/v1/videos/{}/watch-history", at.video);
        let ask = |method, path: &str| app.request(method, path).bearer_auth(&at.person.token).header("content-type", JSON);
        for (request, status, code, detail) in [
            (
                ask(Method::POST, &save).body(r#"{"watch_position": 1, "device": "\ud83d"}"#),
                422, "validation_failed", r"device: is not valid text: half of a surrogate pair in \u",
            ),
            (
                ask(Method::POST, &save).header("content-encoding", "gzip").body("{}"),
                415, "unsupported_media_type", "the body must not be compressed; send it without Content-Encoding",
            ),
            (
                ask(Method::POST, &save).body("\u{feff}{}"),
                400, "invalid_json", "the body is not valid JSON: it starts with a byte order mark",
            ),
            (
                ask(Method::POST, "/api/v1/watch-history/batch").body(r#"{"saves": [], "more": 1}"#),
                422, "validation_failed", "more: is unknown; expected `saves`",
            ),
            (ask(Method::POST, "/api/v1/watch-history/batch").body("{}"), 422, "validation_failed", "saves: is missing"),
            (ask(Method::POST, &save).body(""), 400, "invalid_json", "the body is not valid JSON: it is empty"),
            (
                ask(Method::GET, "/api/v1/watch-history?state=begun"),
                422, "validation_failed", "state: must be one of `all`, `in_progress`, `completed`",
            ),
            (ask(Method::GET, "/api/v1/videos?limit=-1"), 422, "validation_failed", "limit: must be from 1 to 100"),
            (ask(Method::GET, "/api/v1/videos?skip=-1"), 422, "validation_failed", "skip: must be at least 0"),
            (
                ask(Method::PATCH, "/api/v1/videos/continue-watching").body("{}"),
                405, "method_not_allowed", "this path only takes GET, HEAD",
            ),
        ] {
            assert_eq!(problem(send(request).await, status, code).await["detail"], detail);
        }
    }

    async fn an_invalid_form_is_refused(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for operation in operations() {
            for (_, schema) in bodies(&operation).into_iter().filter(|(kind, _)| *kind == FORM) {
                let kind = FORM;
                for name in schema["properties"].as_object().unwrap().keys().filter(|name| is_needed(schema, name)) {
                    for value in ["", "%00", "abc%00def", &"x".repeat(100_000)] {
                        let others = ["username=ann", "password=correct+horse"];
                        let others = others.iter().filter(|other| !other.starts_with(name));
                        let body =
                            others.map(ToString::to_string).chain([format!("{name}={value}")]).collect::<Vec<_>>();
                        let answer = send_body(&app, &at, &operation, kind, body.join("&").into()).await;
                        let what = format!("{} {name}={}", operation.id(), value.chars().take(20).collect::<String>());
                        findings.expect(&what, answer, &[422]).await;
                    }
                }
                for body in ["username=a&username=b&password=c", "a", "=", "&&&", "username[]=a"] {
                    let answer = send_body(&app, &at, &operation, kind, body.into()).await;
                    findings.expect(&format!("{} {body}", operation.id()), answer, &[422]).await;
                }
            }
        }
        findings.none();
    }

    async fn an_invalid_value_is_refused_in_every_field(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for operation in operations() {
            let Some(mut example) = operation.example() else { continue };
            if example.get("current_password").is_some() {
                example["current_password"] = json!(PASSWORD);
            }
            let (_, schema) = operation.bodies().into_iter().find(|(kind, _)| *kind == JSON).unwrap();
            for (name, property) in schema["properties"].as_object().unwrap() {
                for (value, statuses) in unfit_values(name, resolve(property)) {
                    let body = with_field(&example, name, &value);
                    let answer = send_body(&app, &at, &operation, JSON, body).await;
                    let value: String = value.chars().take(40).collect();
                    findings.expect(&format!("{} {name}: {value}", operation.id()), answer, &statuses).await;
                }
                if is_needed(schema, name) {
                    let mut body = example.clone();
                    body.as_object_mut().unwrap().remove(name);
                    let answer = send_body(&app, &at, &operation, JSON, body.to_string().into()).await;
                    findings.expect(&format!("{} without {name}", operation.id()), answer, &[422]).await;
                    let answer = send_body(&app, &at, &operation, JSON, with_field(&example, name, "null")).await;
                    findings.expect(&format!("{} {name}: null", operation.id()), answer, &[422]).await;
                }
                let twice = example.to_string().replacen('{', &format!("{{\"{name}\": {}, ", example[name]), 1);
                let answer = send_body(&app, &at, &operation, JSON, twice.into()).await;
                findings.expect(&format!("{} {name} twice", operation.id()), answer, &[422]).await;
            }
            let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
            for (name, value) in
                [("unknown", "1"), ("", "1"), ("\\u0000", "1"), ("unknown", &deep), ("__proto__", "{}")]
            {
                let body = example.to_string().replacen('{', &format!("{{\"{name}\": {value}, "), 1);
                let answer = send_body(&app, &at, &operation, JSON, body.into()).await;
                findings.expect(&format!("{} with a field {name:?}", operation.id()), answer, &[422]).await;
            }
        }
        findings.none();
    }

    async fn the_server_survives_bytes_that_are_not_http(app: TestApp) {
        for bytes in [
            &b"\0\0\0\0\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ] {
            let answer = app.raw(bytes);
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(app.get("/health").await.status(), StatusCode::OK);
    }
}

fn is_needed(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|needed| needed.iter().any(|needed| needed == name))
}
