//! Adds the answer 429 and the headers of the rate limits to the operations that have limits.

use crate::middleware::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::rate_limits::WriteKind;
use crate::responses::TooManyRequests;
use actix_web::http::header::HeaderName;
use actix_web::http::{Method, StatusCode};
use utoipa::IntoResponses;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{HeaderBuilder, ObjectBuilder, RefOr, Response, Type};

pub(super) fn describe(path: &str, item: &mut PathItem) {
    let operations = [
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    for (method, operation) in operations {
        if let Some(operation) = operation
            && WriteKind::of(&method, path) != WriteKind::Exempt
        {
            describe_operation(operation);
        }
    }
}

fn describe_operation(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in TooManyRequests::responses() {
        responses.entry(status).or_insert(response);
    }
    let headers = [
        (RATE_LIMIT_POLICY, "The limits: `q` requests in `w` seconds, for each name"),
        (RATE_LIMIT, "What is left: `r` requests now, and all of them in `t` seconds"),
    ];
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with('2') || status == StatusCode::TOO_MANY_REQUESTS.as_str() {
            headers.iter().for_each(|(name, description)| add_header(response, name, description));
        }
    }
}

fn add_header(response: &mut Response, name: &HeaderName, description: &str) {
    let schema = ObjectBuilder::new().schema_type(Type::String).build();
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
    response.headers.insert(name.to_string(), header.into());
}
