//! The description of the API: what the routes do not say of themselves.

mod completion;
mod parameters;
mod rate_limits;

use crate::error::Problem;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_actix_web::AppExt;

/// The whole document, OpenAPI 3.1.
pub fn document() -> Document {
    let (_, mut document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(ApiDoc::openapi())
        .configure(crate::routes::configure)
        .split_for_parts();
    completion::complete(&mut document);
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Playhead",
        description = "Remembers where every viewer stopped: users, videos, watch history, continue watching.\n\n\
            Make an account with *register*, then press **Authorize** and sign in.",
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
struct ApiDoc;
