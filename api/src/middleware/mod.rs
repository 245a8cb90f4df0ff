//! What every request passes on its way in, and every answer on its way out.

mod path;
mod problem;
mod public_path;
mod range;
mod rate_limit;

pub(crate) use problem::CORS_METHODS;
pub(crate) use public_path::strip_public_path;
pub(crate) use rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY, limit_writes};

use crate::access_log;
use crate::cache_control;
use crate::request_id::{REQUEST_ID, RequestId};
use crate::shared_payload::SharedPayload;
use crate::state::{AppState, metrics_of};
use actix_web::body::{BodySize, BodyStream, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use futures_util::stream;
use std::convert::Infallible;
use std::time::Instant;
use uuid::Uuid;

/// The policy of pages that set none themselves, which is Swagger UI: it has inline styles, data
/// URLs, and shows pictures of answers as blobs.
const DEFAULT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";
/// Gives the request an id, makes `HEAD` and trailing slashes work, turns failures into problems,
/// and sets the headers that all answers have.
pub(crate) async fn process(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = Uuid::now_v7().to_string();
    let draining = request.app_data::<Data<AppState>>().is_some_and(|app| app.shutdown.is_draining());
    let log_line = access_log::PendingLine::start(&request);
    let is_head = request.method() == Method::HEAD;
    let started = metrics_of(request.request()).map(|_| Instant::now());
    if is_head {
        request.head_mut().method = Method::GET;
        // Ranges are for GET only (RFC 9110, 14.2).
        request.headers_mut().remove(RANGE);
    }
    let payload = SharedPayload::take(&mut request);
    request.extensions_mut().insert(RequestId(id.clone()));
    path::drop_trailing_slash(&mut request);
    range::sanitize_range(&mut request);

    let response = next.call(request).await?.map_into_boxed_body();
    let is_failure = response.status().is_client_error() || response.status().is_server_error();
    let mut response = if is_failure { problem::write_problem(response, &id) } else { response };
    add_headers(&mut response, &id);
    if let (Some(started), Some(metrics)) = (started, metrics_of(response.request())) {
        metrics.count_response(started, is_head, &response);
    }
    if is_head {
        response = remove_body(response);
    }
    if draining {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Some(payload) = payload {
        response = response.map_body(|_, body| payload.hold_until_sent(body));
    }
    Ok(match log_line {
        Some(line) => line.finish(response),
        None => response,
    })
}

fn add_headers(response: &mut ServiceResponse<BoxBody>, id: &str) {
    let status = response.status();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    cache_control::apply_default(status, headers);
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page && !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(DEFAULT_POLICY));
    }
}

/// Keeps only the head of an answer. actix-web does it for `HEAD` itself, but not when the next
/// request has already arrived.
fn remove_body(mut response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let BodySize::Sized(length) = response.response().body().size() else { return response };
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    // An empty stream, whose length the header states.
    response.response_mut().head_mut().no_chunking(true);
    response.map_body(|_, _| BoxBody::new(BodyStream::new(stream::empty::<Result<_, Infallible>>())))
}
