//! Lists in the description of an operation the codes of the problems that it may answer with.

use crate::responses::PROBLEM_JSON;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

/// The codes of nearly every operation. They are listed once, in the introduction of the document.
const COMMON: [&str; 12] = [
    "invalid_json",
    "unreadable_body",
    "duplicate_header",
    "body_too_slow",
    "body_too_large",
    "address_too_long",
    "unsupported_media_type",
    "headers_too_large",
    "internal_error",
    "busy",
    "database_away",
    "storage_full",
];

/// Adds the codes that are special to the operation to its description.
pub(super) fn add(operation: &mut Operation) {
    let mut codes = Vec::new();
    for (status, response) in &operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let Some(RefOr::T(content)) = response.content.get(PROBLEM_JSON) else { continue };
        let special = content.examples.keys().filter(|code| !COMMON.contains(&code.as_str()));
        codes.extend(special.map(|code| format!("`{code}` ({status})")));
    }
    if codes.is_empty() {
        return;
    }
    let description = operation.description.take().filter(|text| !text.is_empty());
    let paragraphs = description.into_iter().chain([format!("**Problems:** {}", codes.join(", "))]);
    operation.description = Some(paragraphs.collect::<Vec<_>>().join("\n\n"));
}
