//! How the API document describes failures, and what client generators and Swagger UI make of it.

use crate::app::{PASSWORD, Person, TestApp, history, problem, send};
use crate::document::{Operation, document, operation_at, operations, resolve};
use crate::schema::unfit;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PROBLEM: &str = "application/problem+json";

#[test]
fn every_failure_has_its_own_example() {
    let (mut found, mut details) = (Vec::new(), BTreeSet::new());
    for operation in operations() {
        let responses = operation.description["responses"].as_object().unwrap();
        for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
            let what = format!("{} {status}", operation.id());
            let content = &response["content"][PROBLEM];
            let examples = content["examples"].as_object().expect(&what);
            let codes: BTreeSet<_> = operation.codes(status).into_iter().collect();
            assert_eq!(examples.keys().map(String::as_str).collect::<BTreeSet<_>>(), codes, "{what}");
            for (code, example) in examples {
                let example = &example["value"];
                unfit(&content["schema"], example, &what, &mut found);
                assert_eq!((&example["code"], example["status"].to_string()), (&json!(code), status.clone()), "{what}");
                details.insert((code.clone(), example["title"].to_string()));
            }
            let properties = &resolve(&content["schema"])["properties"];
            assert_eq!(properties["status"]["enum"], json!([status.parse::<u16>().unwrap()]), "{what}");
            assert!(codes.contains(properties["code"]["example"].as_str().unwrap()), "{what}");
        }
        for field in operation.codes("422").into_iter().filter(|code| *code == "validation_failed") {
            let example = &operation.response("422")["content"][PROBLEM]["examples"][field]["value"]["errors"][0];
            let name = example["field"].as_str().unwrap();
            let of_body = operation.bodies().iter().any(|(_, schema)| schema["properties"].get(name).is_some());
            let parameters = ["path", "query"].map(|place| operation.parameters(place)).concat();
            let of_parameters = parameters.iter().any(|parameter| parameter["name"] == name);
            assert!(of_body || of_parameters, "{} has no {name}", operation.id());
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    let codes: BTreeSet<_> = details.iter().map(|(code, _)| code).collect();
    assert_eq!(codes.len(), details.len(), "a code has one title: {details:?}");
    let all = document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap();
    assert!(codes.iter().all(|code| all.contains(&json!(code))), "{all:?}");
}

#[test]
fn every_status_lists_its_headers() {
    for operation in operations() {
        for (status, response) in operation.description["responses"].as_object().unwrap() {
            let headers = response["headers"].as_object().unwrap();
            let is_file = |kind: &String| kind == "application/octet-stream";
            let is_file = response["content"].as_object().is_some_and(|content| content.keys().any(is_file));
            for (is_due, name) in [
                (true, "x-request-id"),
                (status == "401", "WWW-Authenticate"),
                (["429", "503"].contains(&&**status), "Retry-After"),
                (["206", "416"].contains(&&**status), "Content-Range"),
                (is_file || status == "304", "ETag"),
            ] {
                assert!(!is_due || headers.contains_key(name), "{} {status} {name}", operation.id());
            }
            for header in headers.values() {
                assert!(
                    header["schema"]["type"].is_string() && header["description"].is_string(),
                    "{}",
                    operation.id()
                );
            }
            let writes = operation.method != Method::GET;
            assert!(writes || status != "507", "{} only reads", operation.id());
        }
    }
}

#[test]
fn clients_can_be_generated_from_the_document() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        let common = ["Batch", "Entry", "Error", "Event", "File", "Item", "List", "Map", "Object", "Record", "Request"];
        let common = common.iter().chain(&["Response", "Role", "Save", "Set", "Session", "Status", "Tag", "Type"]);
        assert!(!common.clone().any(|common| common == name), "{name} meets names that others use");
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property.get("default").is_none(), "{name}.{field}: some clients would have to send it");
            for way in ["oneOf", "anyOf"].iter().filter_map(|way| property[way].as_array()).flatten() {
                let is_promised = field == "previous";
                assert!(way["type"] != "null" || is_promised, "{name}.{field}: an object that is missing is absent");
            }
        }
    }
    let schemas = &document()["components"]["schemas"];
    for name in ["Registration", "UserChange"] {
        assert!(schemas[name]["properties"]["username"]["pattern"].is_string(), "{name}");
    }
    for operation in operations() {
        for (status, response) in operation.description["responses"].as_object().unwrap() {
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                let is_json = kind == "application/json" || kind == PROBLEM;
                let binary = json!({"type": "string", "format": "binary", "contentMediaType": kind});
                assert!(is_json || content["schema"] == binary, "{} {status} {kind}", operation.id());
            }
        }
        let kinds: Vec<_> = operation.bodies().into_iter().map(|(kind, _)| kind).collect();
        assert!(kinds.is_empty() || kinds == ["application/json"], "{} {kinds:?}", operation.id());
        for place in ["query", "header", "path"] {
            for parameter in operation.parameters(place) {
                let (schema, name) = (resolve(&parameter["schema"]), &parameter["name"]);
                assert!(schema["type"].is_string() || schema["enum"].is_array(), "{} {name}", operation.id());
                // Swagger UI fills the example in, and would request what does not exist.
                let is_left_away = parameter.get("example").is_none() || parameter["example"] == schema["default"];
                assert!(is_left_away || place != "query" || parameter["required"] == true, "{} {name}", operation.id());
            }
        }
    }
}

/// The key of a handshake (RFC 6455, 1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A request for a live socket that lacks its key.
fn handshake(app: &TestApp) -> RequestBuilder {
    let request = app.request(Method::GET, "/api/v1/live").header("connection", "upgrade");
    request.header("upgrade", "websocket").header("sec-websocket-version", "13")
}

/// The response with one of these codes, to a caller who causes it; `None` where another test
/// covers it.
async fn meet(
    app: &TestApp,
    ann: &Person,
    joe: &Person,
    video: i64,
    operation: &Operation,
    code: &str,
) -> Option<Response> {
    let body = operation
        .bodies()
        .first()
        .map(|_| operation.description["requestBody"]["content"]["application/json"]["example"].clone());
    let at = |video: i64| operation.at(video);
    let ask = |person: &Person, path: String, body: Option<Value>| {
        let request = app.request(operation.method.clone(), &path).bearer_auth(&person.token);
        body.into_iter().fold(request, |request, body| request.json(&body))
    };
    let raw = |kind: &str, body: &str| {
        let request = ask(ann, at(video), None).header("content-type", kind.to_owned());
        request.body(body.to_owned())
    };
    let with = |changes: Value| {
        let mut body = body.clone().unwrap_or_else(|| json!({}));
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        Some(body)
    };
    let request = match code {
        "unauthenticated" => app.request(operation.method.clone(), &at(video)).bearer_auth("nonsense").json(&body),
        "invalid_json" => raw("application/json", "{"),
        "duplicate_header" => ask(ann, at(video), None).header("authorization", "Bearer another"),
        "body_too_large" if body.is_none() => return None,
        "body_too_large" => raw("application/json", &" ".repeat(1024 * 1024 + 1)),
        "unsupported_media_type" => raw("text/plain", "{}"),
        "validation_failed" if body.is_some() => ask(ann, at(video), with(json!({"no_such_field": 1}))),
        "validation_failed" if operation.path.contains('{') => ask(ann, at(0), None),
        "validation_failed" => ask(ann, format!("{}?limit=0&page=0&tz=x&before=x", at(video)), None),
        "video_not_found" => ask(ann, at(999), body),
        "session_not_found" | "play_not_found" => ask(ann, at(999), None),
        "nothing_to_undo" | "recommendations_off" => ask(ann, at(video), body),
        "rating_not_found" => ask(ann, at(video), body),
        "watch_history_not_found" => ask(joe, at(video), body),
        "file_not_found" | "thumbnail_not_found" => ask(ann, at(video + 1), body),
        "forbidden" => ask(joe, at(video), body),
        "taken" if operation.id() == "register" => {
            ask(ann, at(0), with(json!({"username": "joe", "email": "new@example.org"})))
        }
        "taken" => ask(ann, at(0), Some(json!({"username": "joe", "current_password": PASSWORD}))),
        "wrong_credentials" => ask(ann, at(0), with(json!({"password": "wrong horse"}))),
        "wrong_refresh_token" => ask(ann, at(0), body),
        "last_administrator" => ask(ann, at(0), body),
        "account_inactive" => ask(ann, at(0), Some(json!({"username": "gone", "password": PASSWORD}))),
        "precondition_failed" => ask(ann, at(video), None).header("if-match", "\"other\""),
        "range_not_satisfiable" => ask(ann, at(video), None).header("range", "bytes=99999999-"),
        "changes_expired" => ask(ann, format!("{}?since=nonsense", at(0)), None),
        "upgrade_required" => ask(ann, at(0), None),
        "bad_handshake" => handshake(app),
        "origin_not_allowed" => {
            handshake(app).header("sec-websocket-key", KEY).header("origin", "https://evil.example")
        }
        "unreadable_body"
        | "address_too_long"
        | "headers_too_large"
        | "too_many_streams"
        | "too_many_sockets"
        | "body_too_slow"
        | "registration_closed"
        | "first_account_by_command"
        | "too_many_attempts"
        | "too_many_requests"
        | "too_many_videos" => return None,
        _ => panic!("{}: say how {code} is met", operation.id()),
    };
    Some(send(request).await)
}

on_both! {
    async fn every_documented_refusal_can_be_caused(app: TestApp) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        fs::create_dir_all(&app.media).unwrap();
        fs::copy(fixtures.join("two-seconds.mp4"), app.media.join("film.mp4")).unwrap();
        fs::write(app.media.join("film.jpg"), "a picture").unwrap();
        let (ann, joe, _) = (app.sign_up("ann").await, app.sign_up("joe").await, app.sign_up("gone").await);
        app.deactivate("gone").await;
        let library = service::library::Library::new(&app.media);
        let rules = service::progress::ProgressRules::default();
        service::library::scan(&app.db, &library, &app.media, ann.id, &rules, app.now(), |_| {}).await.unwrap();
        let videos: Vec<Value> = app.get("/api/v1/videos").await.json().await.unwrap();
        let film = videos.iter().find(|video| video["stream_url"].is_string()).unwrap()["id"].as_i64().unwrap();
        assert_eq!(app.add_video(&ann, "described only", Some(600)).await, film + 1);
        // It has no previous position.
        app.save(&ann, film, 60).await;
        let mut found = Vec::new();
        for operation in operations() {
            let statuses = operation.description["responses"].as_object().unwrap().keys();
            for status in statuses.filter(|status| status.starts_with('4')) {
                for code in operation.codes(status) {
                    let Some(answer) = meet(&app, &ann, &joe, film, &operation, code).await else { continue };
                    let met = answer.status().to_string();
                    let problem: Value = answer.json().await.unwrap_or_default();
                    if !met.starts_with(&**status) || problem["code"] != code {
                        found.push(format!("{} {status} {code}: {met} {problem}", operation.id()));
                    }
                }
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }

    async fn the_example_of_a_save_is_accepted_repeatedly(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let save = operation_at(&Method::POST, &history(film)).unwrap();
        let example = &save.description["requestBody"]["content"]["application/json"]["example"];
        for _ in 0..2 {
            let answer = app.ask(&ann, Method::POST, &history(film), Some(example.clone())).await;
            assert_eq!(answer.json::<Value>().await.unwrap()["applied"], true);
            app.save(&ann, film, 30).await;
        }
    }

    async fn every_example_body_is_valid(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let mut found = Vec::new();
        for operation in operations().into_iter().filter(|operation| !operation.bodies().is_empty()) {
            let content = &operation.description["requestBody"]["content"]["application/json"];
            unfit(&content["schema"], &content["example"], operation.id(), &mut found);
            let example = Some(content["example"].clone());
            let answer = app.ask(&ann, operation.method.clone(), &operation.at(film), example).await;
            if [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&answer.status()) {
                found.push(format!("{}: {}", operation.id(), answer.text().await.unwrap()));
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }

    async fn a_failed_form_also_has_the_oauth2_error_fields(app: TestApp) {
        app.sign_up("ann").await;
        let login = || app.request(Method::POST, "/api/v1/auth/login");
        for (form, status, code, error) in [
            (vec![("username", "ann"), ("password", "wrong horse")], 401, "wrong_credentials", "invalid_grant"),
            (vec![("username", "ann"), ("password", "")], 422, "validation_failed", "invalid_request"),
            (vec![("username", "ann")], 422, "validation_failed", "invalid_request"),
        ] {
            let problem = problem(send(login().form(&form)).await, status, code).await;
            assert_eq!((&problem["error"], &problem["error_description"]), (&json!(error), &problem["detail"]));
        }
        let wrong = json!({"username": "ann", "password": "wrong horse"});
        let problem = problem(send(login().json(&wrong)).await, 401, "wrong_credentials").await;
        assert!(problem.get("error").is_none(), "{problem}");
    }

    async fn a_batch_answers_with_one_of_two_shapes_for_each_save(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let saves = json!({"saves": [
            {"video_id": film, "watch_position": 1}, {"video_id": 999, "watch_position": 1},
            {"video_id": film, "watch_position": -1}, {},
        ]});
        let answer = app.ask(&ann, Method::POST, "/api/v1/watch-history/batch", Some(saves)).await;
        let answer: Value = answer.json().await.unwrap();
        let schemas = &document()["components"]["schemas"];
        let ways = schemas["WatchHistoryBatchResult"]["oneOf"].as_array().unwrap();
        let mut names = Vec::new();
        for result in answer["results"].as_array().unwrap() {
            let fits = |way: &&Value| {
                let (schema, mut found) = (resolve(&schemas[way["$ref"].as_str().unwrap().rsplit('/').next().unwrap()]), Vec::new());
                unfit(schema, result, "result", &mut found);
                let statuses = schema["properties"]["status"]["enum"].as_array().unwrap();
                found.is_empty() && statuses.contains(&result["status"])
            };
            let fitting: Vec<_> = ways.iter().filter(fits).collect();
            assert_eq!(fitting.len(), 1, "{result}");
            names.push(fitting[0]["$ref"].as_str().unwrap().rsplit('/').next().unwrap());
        }
        let (taken, refused) = ("WatchHistoryBatchTaken", "WatchHistoryBatchRefused");
        assert_eq!(names, [taken, refused, refused, refused]);
    }
}
