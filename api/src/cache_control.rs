//! The header `Cache-Control`. A route sets it for public answers; all others are not stored.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, EXPIRES, HeaderMap, HeaderValue, VARY};

/// The same for everybody; caches may keep it for an hour.
pub(crate) const PUBLIC_ONE_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// The same for everybody; caches may keep it, but must revalidate it each time.
pub(crate) const PUBLIC_REVALIDATE: HeaderValue = HeaderValue::from_static("public, no-cache");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Sets `no-store` on answers without `Cache-Control`, and on every failure.
pub(crate) fn apply_default(status: StatusCode, headers: &mut HeaderMap) {
    let has_content = matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED);
    if has_content && headers.get(CACHE_CONTROL).is_some_and(|kept| *kept != NO_STORE) {
        return;
    }
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.remove(EXPIRES);
    vary_by_caller(headers);
}

/// Adds `Vary: Authorization`, so that a cache that ignores `no-store` still separates callers.
fn vary_by_caller(headers: &mut HeaderMap) {
    let mut names: Vec<&str> = headers.get_all(VARY).filter_map(|names| names.to_str().ok()).collect();
    let knows = |name: &str| name.trim() == "*" || name.trim().eq_ignore_ascii_case(AUTHORIZATION.as_str());
    if names.iter().flat_map(|names| names.split(',')).any(knows) {
        return;
    }
    names.push("Authorization");
    if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
        headers.insert(VARY, names);
    }
}
