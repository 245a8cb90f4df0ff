//! What every request passes on its way in and every answer on its way out.

use crate::error::Problem;
use crate::state::App;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, web::Data};
use uuid::Uuid;

/// The header that names a request, in answers and in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For pages that bring no policy of their own, which is Swagger UI: it styles itself inline and draws with data URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Names the request, makes `HEAD` and trailing slashes work, and turns every failure into a problem.
pub(crate) async fn front_door(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = Uuid::now_v7().to_string();
    let draining = request.app_data::<Data<App>>().is_some_and(|app| app.shutdown.is_draining());
    if request.method() == Method::HEAD {
        // The encoder knows that the request was a HEAD and leaves the body out.
        request.head_mut().method = Method::GET;
    }
    drop_trailing_slash(&mut request);

    let response = next.call(request).await?.map_into_boxed_body();
    let mut response = if is_failure(&response) { write_problem(response, &id) } else { response };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page && !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if draining {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

fn drop_trailing_slash(request: &mut ServiceRequest) {
    let path = request.path();
    if !path.ends_with('/') || !(path.starts_with("/api/") || path.starts_with("/health")) {
        return;
    }
    let trimmed = path.trim_end_matches('/');
    let with_query = request.uri().query().map_or_else(|| trimmed.to_owned(), |query| format!("{trimmed}?{query}"));
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

fn write_problem(mut response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let ours = response.response_mut().extensions_mut().remove::<Problem>();
    let problem = Problem { instance: id.to_owned(), ..ours.unwrap_or_else(|| Problem::of_status(status)) };
    if status.is_server_error() {
        let request = response.request();
        log::error!("{id} {} {}: {} {}", request.method(), request.path(), problem.status, problem.detail);
    }
    let headers = response.headers_mut();
    problem.add_header(headers);
    headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    headers.remove(CONTENT_LENGTH);
    let body = serde_json::to_string(&problem).unwrap_or_default();
    response.map_body(|_, _| BoxBody::new(body))
}
