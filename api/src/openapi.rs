//! The description of the API: what the routes do not say of themselves.

use crate::error::Problem;
use crate::responses::{
    AddressTooLong, BadRequest, HeadersTooLarge, InternalError, NotReady, PayloadTooLarge, RequestTimeout, StorageFull,
    Unauthorized, UnsupportedMediaType, ValidationFailed,
};
use utoipa::openapi::security::{Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr, Response};
use utoipa::{IntoResponses, Modify, OpenApi};
use utoipa_actix_web::AppExt;

/// The whole document, OpenAPI 3.1.
pub fn document() -> Document {
    let (_, mut document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Description::openapi())
        .configure(crate::routes::configure)
        .split_for_parts();
    Completion.modify(&mut document);
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Playhead",
        description = "Remembers where every viewer stopped: users, videos, watch history, continue watching.\n\n\
            Make an account with *register*, then press **Authorize** and sign in under *password*.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "auth", description = "Signing up, in, and out"),
        (name = "users", description = "My account"),
        (name = "videos", description = "The library"),
        (name = "statistics", description = "Figures of the library"),
        (name = "tags", description = "None yet"),
        (name = "ratings", description = "None yet"),
        (name = "watch history", description = "Where I stopped"),
        (name = "health", description = "For load balancers and supervisors"),
    ),
    components(schemas(Problem)),
)]
struct Description;

/// Adds what follows from an operation's own description: failures that every operation of its kind can meet, and the
/// ways to sign in.
struct Completion;

impl Modify for Completion {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            crate::limits::describe(path, item);
            let writes = [&item.post, &item.patch, &item.delete].into_iter().any(Option::is_some);
            for operation in [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten() {
                let mut possible = vec![InternalError::responses()];
                // What is wrong with the head of a request is told whatever its address.
                possible.extend([BadRequest::responses(), AddressTooLong::responses(), HeadersTooLarge::responses()]);
                possible.push(PayloadTooLarge::responses());
                if path != "/health/live" {
                    possible.push(NotReady::responses());
                }
                if operation.request_body.is_some() {
                    possible.extend([RequestTimeout::responses(), UnsupportedMediaType::responses()]);
                    possible.push(ValidationFailed::responses());
                }
                if operation.parameters.is_some() {
                    possible.push(ValidationFailed::responses());
                }
                if operation.security.is_some() {
                    possible.push(Unauthorized::responses());
                }
                if writes {
                    possible.push(StorageFull::responses());
                }
                for (status, response) in possible.into_iter().flatten() {
                    operation.responses.responses.entry(status).or_insert(response);
                }
                operation.responses.responses.values_mut().for_each(add_headers);
            }
        }
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let bearer = bearer.description(Some("An access token that you have already.")).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let flow = Flow::Password(Password::new("/api/v1/auth/login", Scopes::new()));
        let password = OAuth2::with_description([flow], "Sign in with name or e-mail and password.");
        components.add_security_scheme("password", SecurityScheme::OAuth2(password));
    }
}

/// Every answer names its request.
fn add_headers(response: &mut RefOr<Response>) {
    use utoipa::openapi::{HeaderBuilder, ObjectBuilder, Type};
    if let RefOr::T(response) = response {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        let id = HeaderBuilder::new().schema(Some(schema)).description(Some("The id of the request")).build();
        response.headers.insert("x-request-id".to_owned(), id.into());
    }
}
