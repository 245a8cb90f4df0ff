//! Requests from pages of other origins (CORS).

use crate::app::{TestApp, TestOptions, problem, send};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response, StatusCode};

const FRIEND: &str = "https://app.example.org";
const PATHS: [&str; 4] = ["/api/v1/videos", "/api/v1/videos/99", "/health", "/openapi.json"];

fn options() -> TestOptions {
    TestOptions { cors_origins: vec![FRIEND.to_owned(), "http://localhost:5173".to_owned()], ..Default::default() }
}

async fn get_from(app: &TestApp, origin: &str, path: &str) -> Response {
    send(app.request(Method::GET, path).header("origin", origin)).await
}

/// The preflight that a browser sends before a request that a form could not send.
async fn preflight(app: &TestApp, origin: &str, path: &str, method: &str) -> Response {
    let request = app.request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", method);
    send(request.header("access-control-request-headers", "authorization,content-type,range")).await
}

fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).into_iter().flat_map(|value| value.to_str().unwrap().split(','));
    values.map(|value| value.trim().to_lowercase()).filter(|value| !value.is_empty()).collect()
}

fn allowed_origin(response: &Response) -> Option<&str> {
    response.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap())
}

on_both! {
    async fn a_page_of_an_allowed_origin_may_read_responses_and_headers(app: TestApp = super::options()) {
        for path in PATHS {
            let answer = get_from(&app, FRIEND, path).await;
            assert_eq!(allowed_origin(&answer), Some(FRIEND), "{path}");
            assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
            assert!(list(answer.headers(), "vary").contains(&"origin".to_owned()), "{path}");
            let exposed = list(answer.headers(), "access-control-expose-headers");
            for name in ["link", "location", "retry-after", "www-authenticate", "x-request-id"] {
                assert!(exposed.contains(&name.to_owned()), "{name} of {exposed:?}");
            }
        }
        assert_eq!(
            allowed_origin(&get_from(&app, "http://localhost:5173", "/health").await),
            Some("http://localhost:5173")
        );
    }

    async fn a_preflight_of_an_allowed_origin_allows_every_method(app: TestApp = super::options()) {
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let answer = preflight(&app, FRIEND, "/api/v1/videos/1", method).await;
            assert!(answer.status().is_success(), "{method} {}", answer.status());
            assert_eq!(allowed_origin(&answer), Some(FRIEND));
            let methods = list(answer.headers(), "access-control-allow-methods");
            assert!(methods.contains(&method.to_lowercase()), "{methods:?}");
            let headers = list(answer.headers(), "access-control-allow-headers");
            for name in ["authorization", "content-type", "range"] {
                assert!(headers.contains(&name.to_owned()), "{name} of {headers:?}");
            }
        }
    }

    async fn a_page_of_another_origin_may_not_use_trace_or_connect(app: TestApp = super::options()) {
        for method in ["TRACE", "CONNECT", "TRACK", "get", ""] {
            let answer = preflight(&app, FRIEND, "/api/v1/videos", method).await;
            assert!(list(answer.headers(), "access-control-allow-methods").is_empty(), "{method}");
            assert!(answer.status().is_client_error(), "{method}");
            problem(answer, 400, "method_not_allowed_elsewhere").await;
        }
    }

    async fn a_page_of_an_allowed_origin_may_read_a_refused_head(app: TestApp = super::options()) {
        let request = app.request(Method::GET, "/api/v1/videos").header("origin", FRIEND);
        let refused = send(request.bearer_auth("a").bearer_auth("b")).await;
        assert_eq!(allowed_origin(&refused), Some(FRIEND));
        problem(refused, 400, "duplicate_header").await;
    }

    async fn a_page_of_an_allowed_origin_may_read_failures(app: TestApp = super::options()) {
        let missing = get_from(&app, FRIEND, "/api/v1/videos/99").await;
        assert_eq!(allowed_origin(&missing), Some(FRIEND));
        problem(missing, 404, "video_not_found").await;
        let nothing = get_from(&app, FRIEND, "/api/v1/nothing").await;
        assert_eq!(allowed_origin(&nothing), Some(FRIEND));
        problem(nothing, 404, "not_found").await;
        let unsigned = get_from(&app, FRIEND, "/api/v1/auth/me").await;
        assert_eq!(allowed_origin(&unsigned), Some(FRIEND));
        problem(unsigned, 401, "unauthenticated").await;
    }

    async fn a_page_of_another_origin_is_refused(app: TestApp = super::options()) {
        for origin in ["https://evil.example", "https://app.example.org.evil.example", "http://app.example.org", "null"]
        {
            for path in PATHS {
                let answer = get_from(&app, origin, path).await;
                assert_eq!(allowed_origin(&answer), None, "{origin} {path}");
            }
            let answer = preflight(&app, origin, "/api/v1/videos", "POST").await;
            assert_eq!(allowed_origin(&answer), None, "{origin}");
            let refusal = problem(answer, 400, "origin_not_allowed").await;
            assert_eq!(refusal["detail"], format!("origin {origin} is not allowed; add it to CORS_ORIGINS"));
        }
    }

    async fn a_request_without_an_origin_is_answered_as_usual(app: TestApp = super::options()) {
        assert_eq!(app.get("/health").await.status(), StatusCode::OK);
        app.sign_up("ann").await;
    }

    async fn the_page_of_this_server_works_beside_allowed_origins(app: TestApp = super::options()) {
        // A browser also sends the origin with the POST requests of the server's own page.
        let own = app.url("").trim_end_matches('/').to_owned();
        let body = serde_json::json!({"username": "ann", "email": "ann@example.org", "password": "correct horse"});
        let request = app.request(Method::POST, "/api/v1/auth/register").header("origin", own).json(&body);
        assert_eq!(send(request).await.status(), StatusCode::CREATED);
    }

    async fn without_allowed_origins_no_cors_header_is_sent(app: TestApp) {
        for path in PATHS {
            let answer = get_from(&app, FRIEND, path).await;
            assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control-")), "{path}");
        }
        let answer = preflight(&app, FRIEND, "/api/v1/videos", "POST").await;
        assert_eq!(allowed_origin(&answer), None);
        problem(answer, 400, "origin_not_allowed").await;
    }
}
