//! What is wrong with the head of a request, whatever its address: told before anything of it is believed or read.
//!
//! It stands behind the CORS rules, so that a page of an allowed origin can read the refusal.

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

/// The longest address, in bytes; RFC 9110 (4.1) asks for 8,000 at least.
pub(crate) const ADDRESS_LIMIT: usize = 8 * 1024;
/// How large all headers together may be, names and values.
const HEADERS_LIMIT: usize = 32 * 1024;
/// Headers that have one value. Of two, each reader on the way could take another one for the true one.
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

/// Refuses a request whose head is wrong, and lets all others through.
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
    let has_doubles = headers.len() > headers.len_keys();
    if let Some(name) = SINGLE_VALUE_HEADERS.into_iter().find(|name| has_doubles && headers.get_all(name).count() > 1) {
        return Some(duplicate_header(name.as_str()));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    length.filter(|length| *length > BODY_LIMIT as u64).map(|_| body_too_large())
}

pub(crate) fn duplicate_header(name: &str) -> Problem {
    let detail = format!("the header {name} is there more than once");
    Problem::new(StatusCode::BAD_REQUEST, "duplicate_header", detail)
}

pub(crate) fn address_too_long() -> Problem {
    let detail = format!("the address has more than {ADDRESS_LIMIT} bytes");
    Problem::new(StatusCode::URI_TOO_LONG, "address_too_long", detail)
}

pub(crate) fn headers_too_large() -> Problem {
    let detail = format!("the headers have more than {HEADERS_LIMIT} bytes, or there are too many");
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)
}
