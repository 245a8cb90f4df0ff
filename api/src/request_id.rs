//! The id of a request: made by the middleware, sent in `X-Request-Id`, and written to the logs.

use crate::error::Problem;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use service::Error;
use std::future::{Ready, ready};

/// The response header with the id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request, a UUID of version 7.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    /// The id for a log line; empty before the middleware has run.
    pub(crate) fn for_log(request: &HttpRequest) -> String {
        request.extensions().get::<Self>().map_or_else(String::new, |id| id.0.clone())
    }
}

impl FromRequest for RequestId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<Self>().cloned();
        ready(id.ok_or_else(|| Error::Internal("the request has no id".into()).into()))
    }
}
