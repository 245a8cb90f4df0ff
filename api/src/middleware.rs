//! What every request passes on its way in and every answer on its way out.

use crate::access_log;
use crate::cache_control;
use crate::error::Problem;
use crate::extractors::RequestId;
use crate::routes::is_password_form;
use crate::shared_payload::SharedPayload;
use crate::state::AppState;
use actix_web::body::{BodySize, BodyStream, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    ORIGIN, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, ResponseError};
use futures_util::stream;
use std::convert::Infallible;
use uuid::Uuid;

/// The header that names a request, in answers and in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For pages that bring no policy of their own, which is Swagger UI: it styles itself inline and draws with data URLs, and pictures
/// that it was answered come as blobs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// What pages of allowed origins may call with; TRACE and CONNECT are not among them.
pub(crate) const CORS_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Names the request, makes `HEAD` and trailing slashes work, and turns every failure into a problem.
pub(crate) async fn process(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = Uuid::now_v7().to_string();
    let draining = request.app_data::<Data<AppState>>().is_some_and(|app| app.shutdown.is_draining());
    let logged = access_log::PendingLine::start(&request);
    let is_head = request.method() == Method::HEAD;
    if is_head {
        request.head_mut().method = Method::GET;
        // Parts are for GET only (RFC 9110, 14.2).
        request.headers_mut().remove(RANGE);
    }
    let body = SharedPayload::take(&mut request);
    request.extensions_mut().insert(RequestId(id.clone()));
    drop_trailing_slash(&mut request);
    sanitize_range(&mut request);

    let response = next.call(request).await?.map_into_boxed_body();
    let mut response = if is_failure(&response) { write_problem(response, &id) } else { response };
    let status = response.status();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    cache_control::apply_default(status, headers);
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page && !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if is_head {
        response = remove_body(response);
    }
    if draining {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Some(body) = body {
        response = response.map_body(|_, answer| body.hold_until_sent(answer));
    }
    Ok(match logged {
        Some(logged) => logged.finish(response),
        None => response,
    })
}

/// The head of an answer alone. actix leaves out the body of a `HEAD` by itself, but not when the next request has arrived
/// behind it already.
fn remove_body(mut response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let BodySize::Sized(length) = response.response().body().size() else { return response };
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    // A stream of nothing, whose length the header tells.
    response.response_mut().head_mut().no_chunking(true);
    response.map_body(|_, _| BoxBody::new(BodyStream::new(stream::empty::<Result<_, Infallible>>())))
}

/// Leaves a `Range` out that is none, as RFC 9110 (14.2) wants it, and opens one whose end is beyond any number.
fn sanitize_range(request: &mut ServiceRequest) {
    let Some(range) = request.headers().get(RANGE) else { return };
    let range = range.to_str().unwrap_or_default().trim();
    let unit = range.split_once('=').filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"));
    let bounds = unit.and_then(|(_, bounds)| bounds.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let sanitized = match bounds {
        // Several ranges at once are for the file server to judge.
        Some(_) if range.contains(',') => return,
        Some((first, "")) if is_number(first) => return,
        Some(("", last)) if is_number(last) => return,
        Some((first, last)) if is_number(first) && is_number(last) => match (first.parse::<u64>(), last.parse::<u64>())
        {
            (Ok(first), Ok(last)) if first <= last => return,
            (Ok(first), Err(_)) => HeaderValue::from_str(&format!("bytes={first}-")).ok(),
            _ => None,
        },
        _ => None,
    };
    match sanitized {
        Some(open) => request.headers_mut().insert(RANGE, open),
        None => request.headers_mut().remove(RANGE),
    };
}

fn drop_trailing_slash(request: &mut ServiceRequest) {
    let path = request.path();
    if !path.ends_with('/') || !(path.starts_with("/api/") || path.starts_with("/health")) {
        return;
    }
    let trimmed = path.trim_end_matches('/');
    let trimmed = trimmed.to_owned();
    set_path(request, &trimmed);
}

/// Gives the request another path.
pub(crate) fn set_path(request: &mut ServiceRequest, path: &str) {
    let with_query = request.uri().query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = request.head().uri.clone().into_parts();
    parts.path_and_query = with_query.parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

fn is_failure(response: &ServiceResponse<BoxBody>) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// What is wrong when a browser asks for a page elsewhere whether it may call. The page itself is told nothing, so the log says it too.
fn preflight_problem(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let request = response.request();
    let method =
        request.headers().get(ACCESS_CONTROL_REQUEST_METHOD).filter(|_| request.method() == Method::OPTIONS)?;
    let origin = request.headers().get(ORIGIN)?.to_str().ok()?;
    let named = &request.app_data::<Data<AppState>>()?.cors_origins;
    if !named.iter().any(|named| named == origin) {
        return Some(Problem::origin_not_allowed(origin));
    }
    let is_allowed = method.to_str().is_ok_and(|method| CORS_METHODS.iter().any(|allowed| *allowed == method));
    (!is_allowed).then(|| {
        let detail =
            format!("pages elsewhere may call with {} only", CORS_METHODS.map(|method| method.to_string()).join(", "));
        Problem::new(StatusCode::BAD_REQUEST, "method_not_allowed_elsewhere", detail)
    })
}

fn write_problem(mut response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let ours = response.response_mut().extensions_mut().remove::<Problem>();
    let problem = preflight_problem(&response).or(ours).unwrap_or_else(|| Problem::from_status(response.status()));
    let problem = Problem { instance: id.to_owned(), ..problem };
    let problem = if is_password_form(response.request()) { problem.with_oauth2_fields() } else { problem };
    let status = problem.status_code();
    *response.response_mut().status_mut() = status;
    if status.is_server_error() {
        let request = response.request();
        problem.log(id, format_args!("{} {}", request.method(), request.path()));
    }
    let headers = response.headers_mut();
    problem.add_header(headers);
    headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    headers.remove(CONTENT_LENGTH);
    let body = serde_json::to_string(&problem).unwrap_or_default();
    response.map_body(|_, _| BoxBody::new(body))
}
