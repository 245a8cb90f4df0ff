//! Which requests may become a live socket.

use crate::client_address::is_from_trusted_proxy;
use crate::error::Problem;
use crate::state::AppState;
use actix_http::ws::{HandshakeError, verify_handshake};
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, UPGRADE};

/// The subprotocol of live sockets.
pub(super) const PROTOCOL: &str = "playhead.v1";
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Checks that the request is a handshake, of a program or of a page that may call the API.
///
/// # Errors
/// It is not; the origin is not allowed.
pub(super) fn check(app: &AppState, request: &HttpRequest) -> Result<(), Problem> {
    verify_handshake(request.head()).map_err(|error| match error {
        HandshakeError::BadWebsocketKey => bad_handshake(),
        _ => upgrade_required(),
    })?;
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    let origin = String::from_utf8_lossy(origin.as_bytes());
    let is_own = || is_own_origin(&origin, request.headers(), is_from_trusted_proxy(app, request));
    if app.cors_origins.iter().any(|allowed| *allowed == origin) || is_own() {
        Ok(())
    } else {
        Err(Problem::refused_origin(&origin))
    }
}

/// Whether a page of the site itself sends the request. The scheme does not count: a proxy may have
/// taken TLS off.
fn is_own_origin(origin: &str, headers: &HeaderMap, behind_proxy: bool) -> bool {
    let Some((_, origin)) = origin.split_once("://") else { return false };
    let hosts = [Some(HOST), behind_proxy.then_some(X_FORWARDED_HOST)];
    let mut hosts = hosts.into_iter().flatten().filter_map(|name| headers.get(name)?.to_str().ok());
    hosts.any(|host| !host.is_empty() && host.eq_ignore_ascii_case(origin))
}

/// The request asks for no WebSocket, or for another version of the protocol.
pub(crate) fn upgrade_required() -> Problem {
    let detail = "this path takes WebSockets of version 13 only; connect with a WebSocket client";
    let mut problem = Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", detail);
    problem.header = Some(Box::new((UPGRADE, HeaderValue::from_static("websocket"))));
    problem
}

/// The handshake has no valid key.
pub(crate) fn bad_handshake() -> Problem {
    let detail = "the header Sec-WebSocket-Key is missing or not valid";
    Problem::new(StatusCode::BAD_REQUEST, "bad_handshake", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_own_origin_is_its_host() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("video.example:8000"));
        headers.insert(X_FORWARDED_HOST, HeaderValue::from_static("Shown.example"));
        for (origin, direct, behind_proxy) in [
            ("http://video.example:8000", true, true),
            ("https://VIDEO.example:8000", true, true),
            ("https://shown.example", false, true),
            ("http://video.example", false, false),
            ("http://evil.example", false, false),
            ("http://video.example:8000.evil.example", false, false),
            ("null", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_own_origin(origin, &headers, false), direct, "{origin}");
            assert_eq!(is_own_origin(origin, &headers, true), behind_proxy, "{origin}");
        }
    }
}
