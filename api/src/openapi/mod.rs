//! The OpenAPI document: title, introduction, and what applies to all operations.

mod code_samples;
mod completion;
mod examples;
mod groups;
mod links;
mod parameters;
mod problem_codes;
mod rate_limits;

use crate::error::Problem;
use crate::live::{LiveMessage, LiveRequest};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_actix_web::AppExt;

/// What a newcomer reads first.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The whole document, OpenAPI 3.1.
pub fn document() -> Document {
    let (_, mut document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(ApiDoc::openapi())
        .configure(crate::routes::configure)
        .split_for_parts();
    document.info.description = Some(join_lines(INTRODUCTION));
    groups::add(&mut document);
    completion::complete(&mut document);
    document
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Playhead", license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),),
    components(schemas(Problem, LiveRequest, LiveMessage))
)]
struct ApiDoc;

/// Joins the lines of each paragraph and list item: Swagger UI would show every line break.
fn join_lines(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines() {
        let is_numbered = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        let begins = line.is_empty() || line.starts_with(['-', '#']) || is_numbered;
        if !joined.is_empty() {
            joined.push_str(if begins || joined.ends_with('\n') { "\n" } else { " " });
        }
        joined.push_str(line.trim());
    }
    joined
}
