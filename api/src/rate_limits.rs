//! How often one account and one address may write.
//!
//! Everything that is not a read is counted, whether or not there is such an operation, so that a new one is limited without
//! a word. Saves and what belongs to them are not, nor are sign-ins, which have limits of their own.

use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extractors::TokenUser;
use crate::responses::TooManyRequests;
use crate::state::AppState;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpResponse, ResponseError};
use chrono::{DateTime, TimeDelta, Utc};
use service::limit::{Bucket, LimitKey, LimitSettings, Network, Quota, RateLimiter};
use utoipa::IntoResponses;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{HeaderBuilder, ObjectBuilder, RefOr, Response, Type};

/// What is left (draft-ietf-httpapi-ratelimit-headers).
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What is allowed at all.
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

const REGISTER: &str = "/api/v1/auth/register";
const SIGN_INS: [&str; 2] = ["/api/v1/auth/login", "/api/v1/auth/token"];
const MY_ACCOUNT: &str = "/api/v1/users/me";
const BATCH: &str = "/api/v1/watch-history/batch";

/// Answers to requests that were refused before they cost anything. They are not counted.
const NOT_COUNTED: [StatusCode; 6] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
];

/// The counts of what was written lately, of this process.
#[derive(Debug)]
pub struct RateLimits {
    /// Videos that one account may have; 0 for any number.
    pub(crate) videos_per_user: u32,
    sign_ups: Option<RateLimiter>,
    /// As many as sign-ups: a new name or e-mail tells whether another account has it, and must not tell it faster.
    account_changes: Option<RateLimiter>,
    user_writes: Option<RateLimiter>,
    address_writes: Option<RateLimiter>,
}

impl RateLimits {
    /// With nothing counted yet.
    pub fn new(rates: LimitSettings) -> Self {
        let LimitSettings { sign_ups_per_hour, writes_per_minute, address_writes_per_minute, videos_per_user } = rates;
        let limiter = |size, window| Bucket::within(size, window).map(RateLimiter::new);
        Self {
            videos_per_user,
            sign_ups: limiter(sign_ups_per_hour, TimeDelta::hours(1)),
            account_changes: limiter(sign_ups_per_hour, TimeDelta::hours(1)),
            user_writes: limiter(writes_per_minute, TimeDelta::minutes(1)),
            address_writes: limiter(address_writes_per_minute, TimeDelta::minutes(1)),
        }
    }

    fn policies(&self, kind: WriteKind, user: Option<i64>, address: Network) -> Vec<Policy<'_>> {
        let (user, address) = (user.map(LimitKey::User), Some(LimitKey::Address(address)));
        let of_user = ("user", &self.user_writes, user);
        let of_address = ("address", &self.address_writes, address);
        let all = match kind {
            WriteKind::Exempt => vec![],
            WriteKind::SignUp => vec![("sign-ups", &self.sign_ups, address)],
            WriteKind::AccountChange => vec![("account-changes", &self.account_changes, address), of_user, of_address],
            WriteKind::Write => vec![of_user, of_address],
        };
        let in_force = all.into_iter().filter_map(|(name, limiter, key)| Some((name, limiter.as_ref()?, key?)));
        in_force.map(|(name, limiter, key)| Policy { name, limiter, key }).collect()
    }
}

/// What a request is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteKind {
    Exempt,
    SignUp,
    AccountChange,
    Write,
}

impl WriteKind {
    /// By the path as the router reads it, so that no other spelling of an address is counted otherwise.
    fn of(method: &Method, path: &str) -> Self {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
            return Self::Exempt;
        }
        match path {
            BATCH => Self::Exempt,
            path if SIGN_INS.contains(&path) => Self::Exempt,
            path if path.starts_with("/api/v1/videos/") && path.ends_with("/watch-history") => Self::Exempt,
            REGISTER => Self::SignUp,
            MY_ACCOUNT if method == Method::PATCH => Self::AccountChange,
            _ => Self::Write,
        }
    }
}

/// One limit, and whose bucket a request falls into.
struct Policy<'a> {
    name: &'static str,
    limiter: &'a RateLimiter,
    key: LimitKey,
}

impl Policy<'_> {
    fn refund(&self, now: DateTime<Utc>) {
        self.limiter.refund(self.key, now);
    }
}

/// Refuses what is too much, and tells with every answer what is left.
pub(crate) async fn limit_writes(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kind = WriteKind::of(request.method(), request.match_info().as_str());
    let app = request.app_data::<Data<AppState>>().filter(|_| kind != WriteKind::Exempt).cloned();
    let Some(app) = app else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    let user = TokenUser::from_request(request.request(), &mut Payload::None).await.ok().map(|TokenUser(id)| id);
    let from = match ClientAddress::from_request(request.request(), &mut Payload::None).await {
        Ok(ClientAddress(from)) => from,
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let now = app.clock.now();
    let policies = app.rate_limits.policies(kind, user, from.into());
    for (at, policy) in policies.iter().enumerate() {
        if let Err(retry_after) = policy.limiter.take(policy.key, now) {
            policies[..at].iter().for_each(|policy| policy.refund(now));
            let problem = Problem::from(service::Error::TooManyRequests { retry_after });
            let response = request.into_response::<BoxBody, HttpResponse>(problem.error_response());
            return Ok(add_headers(&policies, response, now));
        }
    }
    let response = next.call(request).await?.map_into_boxed_body();
    if NOT_COUNTED.contains(&response.status()) {
        policies.iter().for_each(|policy| policy.refund(now));
    }
    Ok(add_headers(&policies, response, now))
}

/// Adds what is allowed and what is left of it.
fn add_headers(
    policies: &[Policy<'_>],
    mut response: ServiceResponse<BoxBody>,
    now: DateTime<Utc>,
) -> ServiceResponse<BoxBody> {
    let (mut allowed, mut rest) = (Vec::new(), Vec::new());
    for Policy { name, limiter, key } in policies {
        let Quota { size, window, left, reset } = limiter.quota(*key, now);
        allowed.push(format!("\"{name}\";q={size};w={window}"));
        rest.push(format!("\"{name}\";r={left};t={reset}"));
    }
    for (header, values) in [(RATE_LIMIT_POLICY, allowed), (RATE_LIMIT, rest)] {
        if let Ok(value) = HeaderValue::from_str(&values.join(", "))
            && !value.is_empty()
        {
            response.headers_mut().insert(header, value);
        }
    }
    response
}

/// Adds to the document what limited operations answer.
pub(crate) fn describe(path: &str, item: &mut PathItem) {
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
        (RATE_LIMIT_POLICY, "What is allowed: `q` requests in `w` seconds, by each of the named limits"),
        (RATE_LIMIT, "What is left: `r` requests now, and all of them in `t` seconds"),
    ];
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with('2') || status == StatusCode::TOO_MANY_REQUESTS.as_str() {
            headers.iter().for_each(|(name, description)| describe_header(response, name, description));
        }
    }
}

fn describe_header(response: &mut Response, name: &HeaderName, description: &str) {
    let schema = ObjectBuilder::new().schema_type(Type::String).build();
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
    response.headers.insert(name.to_string(), header.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_a_read_is_counted_but_saves_and_sign_ins() {
        for (method, path, kind) in [
            (Method::GET, "/api/v1/videos", WriteKind::Exempt),
            (Method::POST, "/api/v1/videos", WriteKind::Write),
            (Method::PATCH, "/api/v1/videos/1", WriteKind::Write),
            (Method::DELETE, "/api/v1/videos/1", WriteKind::Write),
            (Method::POST, "/api/v1/videos/1/watch-history", WriteKind::Exempt),
            (Method::DELETE, "/api/v1/videos/1/watch-history", WriteKind::Exempt),
            (Method::POST, "/api/v1/watch-history/batch", WriteKind::Exempt),
            (Method::POST, "/api/v1/auth/login", WriteKind::Exempt),
            (Method::POST, "/api/v1/auth/token", WriteKind::Exempt),
            (Method::POST, "/api/v1/auth/register", WriteKind::SignUp),
            (Method::POST, "/api/v1/auth/refresh", WriteKind::Write),
            (Method::POST, "/api/v1/auth/logout", WriteKind::Write),
            (Method::PATCH, "/api/v1/users/me", WriteKind::AccountChange),
            (Method::DELETE, "/api/v1/users/me", WriteKind::Write),
            (Method::POST, "/api/v1/what-comes-tomorrow", WriteKind::Write),
        ] {
            assert_eq!(WriteKind::of(&method, path), kind, "{method} {path}");
        }
    }
}
