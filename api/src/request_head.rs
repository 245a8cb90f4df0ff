//! Checks the head of every request before anything else uses it.
//!
//! It runs inside the CORS middleware, so that a page of an allowed origin can read the refusal.

use crate::body::{BODY_LIMIT, body_too_large};
use crate::error::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    IF_MODIFIED_SINCE, IF_RANGE, IF_UNMODIFIED_SINCE, ORIGIN, RANGE,
};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};

/// The longest path with query, in bytes; RFC 9110 (4.1) asks for at least 8,000.
pub(crate) const ADDRESS_LIMIT: usize = 8 * 1024;
/// The size of all header names and values together, in bytes.
const HEADERS_LIMIT: usize = 32 * 1024;
/// Headers that may be sent once: of two values, a proxy and this server could use different ones.
const SINGLE_VALUE_HEADERS: [HeaderName; 8] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    RANGE,
    IF_RANGE,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    ORIGIN,
    ACCESS_CONTROL_REQUEST_METHOD,
];

/// Refuses requests with an invalid head.
pub(crate) async fn check(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match find_problem(request.uri(), request.headers()) {
        Some(problem) => Ok(request.into_response(problem.error_response())),
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

fn find_problem(address: &Uri, headers: &HeaderMap) -> Option<Problem> {
    if address.path_and_query().is_some_and(|address| address.as_str().len() > ADDRESS_LIMIT) {
        return Some(address_too_long());
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEADERS_LIMIT {
        return Some(headers_too_large());
    }
    let has_repeated = headers.len() > headers.len_keys();
    if let Some(name) = SINGLE_VALUE_HEADERS.into_iter().find(|name| has_repeated && headers.get_all(name).count() > 1)
    {
        return Some(duplicate_header(name.as_str()));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    length.filter(|length| *length > BODY_LIMIT as u64).map(|_| body_too_large())
}

pub(crate) fn duplicate_header(name: &str) -> Problem {
    let detail = format!("the header {name} is repeated; send it once");
    Problem::new(StatusCode::BAD_REQUEST, "duplicate_header", detail)
}

pub(crate) fn address_too_long() -> Problem {
    let detail = format!("the URL has more than {ADDRESS_LIMIT} bytes");
    Problem::new(StatusCode::URI_TOO_LONG, "address_too_long", detail)
}

pub(crate) fn headers_too_large() -> Problem {
    let detail = format!("the headers have more than {HEADERS_LIMIT} bytes, or are too many");
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)
}
