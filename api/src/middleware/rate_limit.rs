//! Refuses writes beyond the rate limits, and tells with every answer what is left of them.

use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extractors::TokenUser;
use crate::rate_limits::{RateLimitPolicy, WriteKind};
use crate::state::AppState;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpResponse, ResponseError};
use chrono::{DateTime, Utc};
use service::limit::Quota;
use std::time::Duration;

/// What is left of the limits (draft-ietf-httpapi-ratelimit-headers).
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The limits themselves.
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Requests with these answers were refused before they cost anything, and do not count.
const NOT_COUNTED: [StatusCode; 6] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
];

pub(crate) async fn limit_writes(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kind = WriteKind::of(request.method(), request.match_info().as_str());
    let app = request.app_data::<Data<AppState>>().filter(|_| kind != WriteKind::Exempt).cloned();
    let Some(app) = app else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    let user = TokenUser::from_request(request.request(), &mut Payload::None).await.ok().map(|TokenUser(id)| id);
    let address = match ClientAddress::from_request(request.request(), &mut Payload::None).await {
        Ok(ClientAddress(address)) => address,
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let now = app.clock.now();
    let policies = app.rate_limits.policies(kind, user, address.into());
    if let Err(retry_after) = take(&policies, now) {
        let problem = Problem::from(service::Error::TooManyRequests { retry_after });
        let response = request.into_response::<BoxBody, HttpResponse>(problem.error_response());
        return Ok(add_headers(&policies, response, now));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    if NOT_COUNTED.contains(&response.status()) {
        policies.iter().for_each(|policy| policy.refund(now));
    }
    Ok(add_headers(&policies, response, now))
}

/// Counts the request in every bucket, or in none and says how long to wait.
fn take(policies: &[RateLimitPolicy<'_>], now: DateTime<Utc>) -> Result<(), Duration> {
    for (index, policy) in policies.iter().enumerate() {
        if let Err(retry_after) = policy.limiter.take(policy.key, now) {
            policies[..index].iter().for_each(|policy| policy.refund(now));
            return Err(retry_after);
        }
    }
    Ok(())
}

fn add_headers(
    policies: &[RateLimitPolicy<'_>],
    mut response: ServiceResponse<BoxBody>,
    now: DateTime<Utc>,
) -> ServiceResponse<BoxBody> {
    let (mut limits, mut rest) = (Vec::new(), Vec::new());
    for policy in policies {
        let (name, Quota { size, window, left, reset }) = (policy.name, policy.quota(now));
        limits.push(format!("\"{name}\";q={size};w={window}"));
        rest.push(format!("\"{name}\";r={left};t={reset}"));
    }
    for (header, values) in [(RATE_LIMIT_POLICY, limits), (RATE_LIMIT, rest)] {
        if let Ok(value) = HeaderValue::from_str(&values.join(", "))
            && !value.is_empty()
        {
            response.headers_mut().insert(header, value);
        }
    }
    response
}
