//! Request heads that are refused for any path.

use crate::app::{TestApp, problem, send};
use reqwest::{Method, StatusCode};

on_both! {
    async fn a_request_with_two_contradicting_headers_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bearer = format!("Bearer {}", ann.token);
        for path in ["/api/v1/auth/me", "/api/v1/videos", "/health", "/", "/nothing"] {
            for (name, first, second) in [
                ("authorization", &*bearer, "Bearer x"),
                ("authorization", "Bearer x", &bearer),
                ("authorization", &bearer, &bearer),
                ("Content-Type", "application/json", "text/plain"),
                ("range", "bytes=0-1", "bytes=2-3"),
                ("origin", "https://a.example", "https://b.example"),
            ] {
                let request = app.request(Method::GET, path).header(name, first).header(name, second);
                problem(send(request).await, 400, "duplicate_header").await;
            }
        }
        // One header with two tokens is one invalid header.
        let both = app.request(Method::GET, "/api/v1/auth/me").header("authorization", format!("{bearer}, {bearer}"));
        problem(send(both).await, 401, "unauthenticated").await;
        // Headers that may be repeated are accepted.
        let request = app.request(Method::GET, "/api/v1/auth/me").bearer_auth(&ann.token);
        let request = request.header("accept", "application/json").header("accept", "*/*").header("x-a", "1").header("x-a", "2");
        assert_eq!(send(request).await.status(), StatusCode::OK);
    }

    async fn a_path_that_is_too_long_is_a_problem(app: TestApp) {
        for path in ["/api/v1/videos", "/health", "/nothing", "/"] {
            let long = format!("{path}?q={}", "a".repeat(10_000));
            problem(send(app.request(Method::GET, &long)).await, 414, "address_too_long").await;
        }
        let fits = format!("/health?q={}", "a".repeat(8000));
        assert_eq!(send(app.request(Method::GET, &fits)).await.status(), StatusCode::OK);
    }

    async fn a_malformed_request_is_a_problem(app: TestApp) {
        let long = "a".repeat(70_000);
        let huge = "a".repeat(140_000);
        let many = "x-a: 1\r\n".repeat(200);
        for (request, status, code) in [
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "malformed_request"),
            ("GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n".into(), 400, "malformed_request"),
            ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n".into(), 400, "malformed_request"),
            ("GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n".into(), 400, "malformed_request"),
            ("GET /\u{1} HTTP/1.1\r\nhost: x\r\n\r\n".into(), 400, "malformed_request"),
            ("nonsense\r\n\r\n".into(), 400, "malformed_request"),
            (format!("GET /?{long} HTTP/1.1\r\nhost: x\r\n\r\n"), 414, "address_too_long"),
            (format!("GET /?{huge} HTTP/1.1\r\nhost: x\r\n\r\n"), 414, "address_too_long"),
            (format!("GET / HTTP/1.1\r\nhost: x\r\nx-a: {huge}\r\n\r\n"), 431, "headers_too_large"),
            (format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 431, "headers_too_large"),
            ("GET / HTTP/1.1\r\nhost: x".into(), 408, "request_too_slow"),
        ] {
            let answer = String::from_utf8(app.raw(request.as_bytes())).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let problem: serde_json::Value = serde_json::from_str(body).unwrap();
            let actual = (problem["status"].as_u64().unwrap(), problem["code"].as_str().unwrap());
            assert_eq!(actual, (status, code), "{request:.40}: {answer}");
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
            for header in [
                "content-type: application/problem+json".to_owned(),
                format!("content-length: {}", body.len()),
                format!("x-request-id: {}", problem["instance"].as_str().unwrap()),
                "cache-control: no-store".to_owned(),
                "connection: close".to_owned(),
            ] {
                assert!(head.split("\r\n").any(|line| line == header), "{header}: {head}");
            }
        }
        let answer = String::from_utf8(app.raw(b"HEAD / HTTP/1.1\r\n\r\n")).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }

    async fn headers_that_are_too_large_are_a_problem(app: TestApp) {
        for path in ["/api/v1/videos", "/health", "/nothing", "/"] {
            let request = app.request(Method::GET, path).header("x-a", "a".repeat(20_000)).header("x-b", "b".repeat(20_000));
            problem(send(request).await, 431, "headers_too_large").await;
        }
    }
}
