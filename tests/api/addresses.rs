//! Invalid paths, queries and methods, and what holds for every path.

use crate::app::{TestApp, problem, send};
use crate::document::{document, operations, resolve};
use crate::errors::{Findings, set_up};
use crate::unfit_values::is_a;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Fixed paths that the path of a video with its parameter matches too.
const OVER_A_PATTERN: [&str; 2] = ["/continue-watching", "/recommendations"];

on_both! {
    async fn an_invalid_path_parameter_is_refused(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for operation in operations().iter().filter(|operation| !operation.parameters("path").is_empty()) {
            for value in [
                "-1",
                "0",
                "9223372036854775808",
                "99999999999999999999999",
                "abc",
                "%00",
                "%F0%9F%A6%80",
                "🦀",
                "1.5",
                "1e3",
                "0x1",
                "%201",
                "1%20",
                "%2B1%00",
                "%FF",
                "null",
                "1%2C2",
                "_",
                "%E2%91%A0",
                "٣",
            ] {
                let request = app.request(operation.method.clone(), &operation.at(value)).bearer_auth(&at.person.token);
                let request = operation.example().into_iter().fold(request, |request, body| request.json(&body));
                findings.expect(&format!("{} at {value}", operation.id()), send(request).await, &[422]).await;
            }
            let far = app.request(operation.method.clone(), &operation.at(i64::MAX)).bearer_auth(&at.person.token);
            let far = operation.example().into_iter().fold(far, |request, body| request.json(&body));
            findings.expect(&format!("{} at 2^63 - 1", operation.id()), send(far).await, &[404]).await;
        }
        findings.none();
    }

    async fn an_invalid_query_is_refused(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for operation in operations() {
            for parameter in operation.parameters("query") {
                let (name, schema) = (parameter["name"].as_str().unwrap(), resolve(&parameter["schema"]));
                let numbers = [
                    "-1",
                    "9223372036854775808",
                    "18446744073709551616",
                    "abc",
                    "",
                    "%00",
                    "%F0%9F%A6%80",
                    "1.5",
                    "1e1",
                    "+",
                    "1+",
                    "%2B",
                    "null",
                    "%FF",
                    "1&LAST=1",
                ];
                let unfit = match name {
                    "q" | "search" => vec!["%00", "a%00b"],
                    "sort_by" | "order" => vec!["", "x", "%00", "created_at,title", "DESC"],
                    "tag_ids" | "include_tags" | "exclude_tags" => vec!["x", "1,x", "%00", "1.5", "9223372036854775808"],
                    "cursor" => vec!["-1", "0", "9223372036854775808", "abc", "%00", "%F0%9F%A6%80", "", "%FF", "=="],
                    "since" | "until" | "before" => {
                        vec!["", "x", "0", "2026-11-30", "2026-11-30T00:00:00", "2026-13-01T00:00:00Z", "%00", "null"]
                    }
                    "from" | "to" => vec!["", "x", "0", "2026-02-30", "2026-13-01", "2026-1-1", "%00", "null"],
                    "tz" => vec!["", "x", "Mars/Olympus", "%2B09:00", "Asia/Seoul%00", "%00", "null"],
                    "state" => vec!["", "x", "ALL", "all,completed", "%00", "null"],
                    _ if is_a(schema, "integer") => numbers.to_vec(),
                    _ => panic!("say here what does not fit the parameter {name}"),
                };
                // There a change token that was not given out is answered as one that has expired.
                let is_token = name == "since" && schema["format"] != "date-time";
                for value in unfit {
                    let value = value.replace("LAST", name);
                    let path = format!("{}?{name}={value}", operation.at(at.video));
                    let answer = app.ask(&at.person, operation.method.clone(), &path, None).await;
                    let status = if is_token { 410 } else { 422 };
                    findings.expect(&format!("{} {name}={value}", operation.id()), answer, &[status]).await;
                }
                for bound in
                    [schema["minimum"].as_i64().map(|min| min - 1), schema["maximum"].as_i64().map(|max| max + 1)]
                {
                    let Some(bound) = bound else { continue };
                    let path = format!("{}?{name}={bound}", operation.at(at.video));
                    let answer = app.ask(&at.person, operation.method.clone(), &path, None).await;
                    findings.expect(&format!("{} {name}={bound}", operation.id()), answer, &[422]).await;
                }
            }
        }
        findings.none();
    }

    async fn a_trailing_slash_makes_no_difference(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for operation in operations() {
            for tail in ["/", "//", "/?x=1"] {
                let ask = async |path: String| {
                    let request = app.request(operation.method.clone(), &path);
                    let answer =
                        send(if operation.bodies().is_empty() { request } else { request.json(&json!({})) }).await;
                    (answer.status(), answer.json::<Value>().await.unwrap_or_default().get("code").cloned())
                };
                let path = operation.at(at.video);
                let (with, without) = (ask(format!("{path}{tail}")).await, ask(path).await);
                if with != without {
                    findings.0.push(format!("{} with {tail}: {with:?} instead of {without:?}", operation.id()));
                }
            }
        }
        findings.none();
    }

    async fn head_is_answered_like_get_without_a_body(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        let pages =
            ["/", "/app.js", "/nothing.js", "/openapi.json", "/docs", "/docs/", "/api/v1/nothing"].map(str::to_owned);
        let addresses =
            operations().into_iter().filter(|known| known.method == Method::GET).map(|known| known.at(at.video));
        for path in addresses.chain(pages) {
            let get = app.ask(&at.person, Method::GET, &path, None).await;
            let head = app.ask(&at.person, Method::HEAD, &path, None).await;
            let kept = ["content-type", "content-length", "etag", "location"];
            let kept = |answer: &Response| kept.map(|name| answer.headers().get(name).cloned());
            let (status, headers) = (get.status(), kept(&get));
            if (status, &headers) != (head.status(), &kept(&head)) {
                findings.0.push(format!(
                    "HEAD {path}: {} {:?} instead of {status} {headers:?}",
                    head.status(),
                    kept(&head)
                ));
            }
            let request = format!(
                "HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
                at.person.token
            );
            let raw = app.raw(request.as_bytes());
            if !raw.ends_with(b"\r\n\r\n") {
                findings.0.push(format!("HEAD {path} has a body"));
            }
        }
        findings.none();
    }

    async fn a_method_that_is_not_allowed_is_answered_with_the_allowed_ones(app: TestApp) {
        let (at, mut findings) = (set_up(&app).await, Findings::default());
        for (path, item) in document()["paths"].as_object().unwrap() {
            let mut allowed: BTreeSet<_> =
                item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
            if allowed.contains("GET") {
                allowed.insert("HEAD".into());
            }
            let address = path.replace("{video_id}", &at.video.to_string());
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
                // A fixed path that a path with a parameter matches too takes the methods of both.
                if allowed.contains(method)
                    || (OVER_A_PATTERN.iter().any(|end| path.ends_with(end)) && ["PATCH", "DELETE"].contains(&method))
                {
                    continue;
                }
                let request = app.request(Method::from_bytes(method.as_bytes()).unwrap(), &address);
                let answer = request.bearer_auth(&at.person.token).send().await.unwrap();
                let actual =
                    answer.headers().get("allow").map(|allow| allow.to_str().unwrap().to_owned()).unwrap_or_default();
                if method != "HEAD" {
                    findings.expect(&format!("{method} {path}"), answer, &[405]).await;
                }
                let actual: BTreeSet<_> = actual.split(", ").map(str::to_owned).collect();
                if actual != allowed {
                    findings.0.push(format!("{method} {path}: allowed {actual:?} instead of {allowed:?}"));
                }
            }
        }
        findings.none();
    }

    async fn an_unknown_path_is_not_found_by_any_method(app: TestApp) {
        for path in [
            "/api",
            "/api/v1",
            "/api/v1/nothing",
            "/api/v2/videos",
            "/api/v1/videos/1/nothing",
            "/api/v1/videos/1/stream/x",
            "/nothing",
            "/health/x",
            "/API/V1/VIDEOS",
            "/%00",
            "/%F0%9F%A6%80",
            "/api/v1/%00",
            "/api/v1/users",
            "/api/v1/users/1",
            "/doc",
        ] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
                let answer = app.request(method.clone(), path).send().await.unwrap();
                problem(answer, 404, "not_found").await;
            }
        }
    }

    async fn every_request_has_its_own_id(app: TestApp) {
        let mut ids = BTreeSet::new();
        for path in
            ["/health", "/health", "/", "/nothing", "/api/v1/videos", "/api/v1/auth/me", "/openapi.json", "/docs/"]
        {
            let answer = send(app.request(Method::GET, path).header("x-request-id", "mine")).await;
            let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
            assert!(id.len() == 36 && ids.insert(id.clone()), "{path} {id}");
        }
    }
}
