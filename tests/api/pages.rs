//! The web player.

use crate::app::{TestApp, problem, send};
use crate::databases::Engine;
use reqwest::{Method, StatusCode};

const MODULES: [&str; 4] = ["/app.js", "/playhead.js", "/session.js", "/views/player.js"];

#[tokio::test]
async fn the_player_is_served_with_a_strict_policy() {
    let app = TestApp::start(Engine::Sqlite).await;
    let page = app.get("/").await;
    assert_eq!((page.status(), &page.headers()["content-type"]), (StatusCode::OK, &"text/html".parse().unwrap()));
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let script = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
    assert!(!policy.contains("unsafe") && script.trim() == "script-src 'self'", "{policy}");
    let page = page.text().await.unwrap();
    assert!(page.contains("<script type=\"module\" src=\"/app.js\">"), "{page}");
    assert!(!page.contains("onclick") && !page.contains("style="), "the policy forbids inline scripts and styles");
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in ["/", "/app.js", "/style.css", "/favicon.svg"] {
        let first = app.get(path).await;
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(first.headers()["cache-control"], "no-cache");
        for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".into()] {
            let again = send(app.request(Method::GET, path).header("if-none-match", &known)).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path} {known}");
            assert_eq!(again.headers()["etag"], tag);
        }
        let other = send(app.request(Method::GET, path).header("if-none-match", "\"other\"")).await;
        assert_eq!(other.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn an_unchanged_file_is_answered_without_a_body() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in ["/", "/app.js"] {
        // A client would not read a body after a 304, so the bytes that follow must be the next
        // response.
        let ask = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nif-none-match: *\r\n\r\n\
             GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        );
        let answers = String::from_utf8(app.raw(ask.as_bytes())).unwrap();
        let (first, rest) = answers.split_once("\r\n\r\n").unwrap();
        assert!(first.starts_with("HTTP/1.1 304 ") && rest.starts_with("HTTP/1.1 200 "), "{path}: {rest:.100}");
    }
}

#[tokio::test]
async fn every_file_has_its_content_type_and_nosniff() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in MODULES {
        let module = app.get(path).await;
        assert_eq!(module.status(), StatusCode::OK, "{path}");
        let kind = module.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/javascript") || kind.starts_with("application/javascript"), "{kind}");
        assert_eq!(module.headers()["x-content-type-options"], "nosniff");
        assert!(module.headers().contains_key("content-security-policy"));
    }
    for (path, kind) in [("/style.css", "text/css"), ("/favicon.svg", "image/svg+xml")] {
        assert!(app.get(path).await.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
}

#[tokio::test]
async fn every_imported_module_exists() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (mut open, mut seen) = (vec!["/app.js".to_owned()], Vec::new());
    while let Some(path) = open.pop() {
        let module = app.get(&path).await;
        assert_eq!(module.status(), StatusCode::OK, "{path}");
        let base = reqwest::Url::parse(&app.url(&path)).unwrap();
        let text = module.text().await.unwrap();
        let imports = [" from \".", "import(\"."].into_iter().flat_map(|before| text.split(before).skip(1));
        for rest in imports {
            let name = rest.split('"').next().unwrap();
            open.push(base.join(&format!(".{name}")).unwrap().path().to_owned());
        }
        seen.push(path);
        open.retain(|path| !seen.contains(path));
    }
    assert!(seen.len() > 5, "{seen:?}");
}

#[tokio::test]
async fn a_missing_file_is_a_problem() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in ["/nothing.js", "/views/nothing.css", "/index.htm", "/robots.txt", "/watch/1", "/Cargo.toml", "/views/"]
    {
        problem(app.get(path).await, 404, "not_found").await;
    }
}

#[tokio::test]
async fn the_page_answers_get_only() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in ["/", "/app.js", "/favicon.svg", "/docs/", "/openapi.json"] {
        let refused = send(app.request(Method::POST, path)).await;
        assert_eq!(refused.headers().get("allow").map(|allow| allow.to_str().unwrap()), Some("GET, HEAD"), "{path}");
        problem(refused, 405, "method_not_allowed").await;
    }
}
