//! The OpenAPI document: title, tags, and what applies to all operations.

mod completion;
mod parameters;
mod rate_limits;

use crate::error::Problem;
use crate::live::{LiveMessage, LiveRequest};
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
            Create an account with *register*, then press **Authorize** and sign in.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "auth", description = "Sign up, sign in, sign out"),
        (name = "users", description = "My account"),
        (name = "videos", description = "The library"),
        (name = "statistics", description = "Statistics of the library, and of what I watched"),
        (name = "tags", description = "Tags of videos; there are none yet"),
        (name = "ratings", description = "Ratings of videos; there are none yet"),
        (name = "watch history", description = "Watch positions of the caller"),
        (name = "plays", description = "Plays of the caller: each opening of a player on a video"),
        (name = "health", description = "For load balancers and supervisors"),
    ),
    components(schemas(Problem, LiveRequest, LiveMessage)),
)]
struct ApiDoc;
