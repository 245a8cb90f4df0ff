//! Changes the path that the router matches.

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;

/// Makes `/api/…/` and `/health/` the same as without the slash.
pub(super) fn drop_trailing_slash(request: &mut ServiceRequest) {
    let path = request.path();
    if path.ends_with('/') && (path.starts_with("/api/") || path.starts_with("/health")) {
        let path = path.trim_end_matches('/').to_owned();
        set_path(request, &path);
    }
}

/// Replaces the path and keeps the query string.
pub(super) fn set_path(request: &mut ServiceRequest, path: &str) {
    let with_query = request.uri().query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = request.head().uri.clone().into_parts();
    parts.path_and_query = with_query.parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}
