//! Writes the body of every failure: a problem document (RFC 9457).

use crate::body::media_type;
use crate::error::Problem;
use crate::paths;
use crate::state::AppState;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, ORIGIN};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, ResponseError};

/// The methods that pages of allowed origins may use; not TRACE and CONNECT.
pub(crate) const CORS_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Replaces the body by the problem that the handler left, or by one made from the status.
pub(super) fn write_problem(mut response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
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

/// Why a CORS preflight was refused. The browser does not show it to the page, so it is logged too.
fn preflight_problem(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let request = response.request();
    let method =
        request.headers().get(ACCESS_CONTROL_REQUEST_METHOD).filter(|_| request.method() == Method::OPTIONS)?;
    let origin = request.headers().get(ORIGIN)?.to_str().ok()?;
    let allowed = &request.app_data::<Data<AppState>>()?.cors_origins;
    if !allowed.iter().any(|allowed| allowed == origin) {
        return Some(Problem::refused_origin(origin));
    }
    let is_allowed = method.to_str().is_ok_and(|method| CORS_METHODS.iter().any(|allowed| *allowed == method));
    (!is_allowed).then(|| {
        let methods = CORS_METHODS.map(|method| method.to_string()).join(", ");
        let detail = format!("pages of other origins may only use {methods}");
        Problem::new(StatusCode::BAD_REQUEST, "method_not_allowed_elsewhere", detail)
    })
}

/// Whether the request signs in with OAuth2's form, whose clients expect errors in its own words.
fn is_password_form(request: &HttpRequest) -> bool {
    let is_form = matches!(&*media_type(request), "application/x-www-form-urlencoded" | "multipart/form-data");
    is_form && request.path().ends_with(paths::LOGIN)
}
