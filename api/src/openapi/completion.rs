//! Adds to every operation what follows from its own description, so that no route repeats it:
//! the failures of its kind, the headers of each status, the security scheme, and examples and
//! parameters in a form that client generators and Swagger UI understand.

use super::examples::{self, body_schema};
use super::{code_samples, join_lines, links, parameters, problem_codes, rate_limits};

use crate::paths;
use crate::request_id::REQUEST_ID;
use crate::responses::{
    self, AddressTooLong, BadRequest, DuplicateHeader, HeadersTooLarge, InternalError, PROBLEM_JSON, PayloadTooLarge,
    RequestTimeout, StorageFull, Unauthorized, Unavailable, UnsupportedMediaType, ValidationFailed,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::IntoResponses;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, ContentBuilder, KnownFormat, OpenApi as Document, PathItem, RefOr, Required, Response, Schema,
};

/// The media types of the files that are sent. A player plays others too.
const VIDEO_TYPES: [&str; 6] =
    ["application/octet-stream", "video/mp4", "video/quicktime", "video/webm", "video/x-m4v", "video/x-matroska"];
const PICTURE_TYPES: [&str; 4] = ["application/octet-stream", "image/jpeg", "image/png", "image/webp"];

/// The name of the only security scheme.
const BEARER: &str = "bearer";

pub(super) fn complete(document: &mut Document) {
    let components = document.components.get_or_insert_default();
    components.schemas.values_mut().for_each(describe_defaults);
    for (path, item) in &mut document.paths.paths {
        rate_limits::describe(path, item);
        for (method, operation) in operations(item) {
            add_failures(operation, path, method != "GET");
            allow_no_body(operation);
            // The example of a 422 depends on the fields of the operation.
            set_field_example(operation, components);
            normalize_security(operation);
            operation.parameters.iter_mut().flatten().for_each(parameters::normalize);
            examples::add(operation, components);
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    complete_response(status, response);
                }
            }
            links::add(operation);
            code_samples::add(path, method, operation);
            operation.description = operation.description.take().map(|text| join_lines(&text));
            problem_codes::add(operation);
        }
    }
    for failure in responses::all() {
        components.schemas.insert(failure.schema_name(), failure.schema().into());
    }
    components.schemas.insert("Problem".to_owned(), responses::any_problem().into());
    let flow = Flow::Password(Password::new(paths::LOGIN, Scopes::new()));
    let description = "Sign in with user name or e-mail and password; leave the other fields empty. Each request then sends \
        the access token in `Authorization: Bearer …`.";
    components.add_security_scheme(BEARER, SecurityScheme::OAuth2(OAuth2::with_description([flow], description)));
}

/// The operations of a path, each with its method.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete), ("PATCH", patch)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn add_failures(operation: &mut Operation, path: &str, writes: bool) {
    let mut possible = Vec::new();
    if path != "/health/live" {
        possible.extend([InternalError::responses(), Unavailable::responses()]);
    }
    if operation.request_body.is_some() {
        possible.extend([BadRequest::responses(), RequestTimeout::responses()]);
        possible.extend([UnsupportedMediaType::responses(), ValidationFailed::responses()]);
    }
    // Every path checks the head of a request.
    possible.extend([DuplicateHeader::responses(), PayloadTooLarge::responses()]);
    possible.extend([AddressTooLong::responses(), HeadersTooLarge::responses()]);
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
}

/// An optional body is described as one or null. It may be absent; it is never null.
fn allow_no_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(one_of))) = &content.schema else { continue };
        let Some(schema) = one_of.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned() else { continue };
        content.schema = Some(schema);
        body.required = Some(Required::False);
    }
}

/// Makes the example of a 422 name a field of this operation.
fn set_field_example(operation: &mut Operation, components: &Components) {
    let of_body = body_schema(operation, components).and_then(|body| {
        let name = body.required.first().or_else(|| body.properties.keys().next())?;
        Some((name.clone(), body.properties.get(name)?.clone()))
    });
    let of_parameters = || match operation.parameters.as_ref()?.first()? {
        RefOr::T(parameter) => Some((parameter.name.clone(), parameter.schema.clone()?)),
        RefOr::Ref(_) => None,
    };
    let Some((field, schema)) = of_body.or_else(of_parameters) else { return };
    let (expected, actual) = match schema {
        RefOr::T(Schema::Array(_)) => ("a list", "a text"),
        RefOr::T(Schema::Object(object)) if has_type(&object, &Type::Integer) => ("a whole number", "a text"),
        RefOr::T(Schema::Object(object)) if has_type(&object, &Type::Boolean) => ("a boolean", "a text"),
        _ => ("a string", "a number"),
    };
    let message = format!("must be {expected}, not {actual}");
    let Some(RefOr::T(response)) = operation.responses.responses.get_mut("422") else { return };
    let Some(RefOr::T(content)) = response.content.get_mut(PROBLEM_JSON) else { return };
    for example in content.examples.values_mut() {
        let RefOr::T(example) = example else { continue };
        if let Some(problem) = example.value.as_mut().and_then(Value::as_object_mut)
            && problem.contains_key("errors")
        {
            problem.insert("detail".to_owned(), format!("{field}: {message}").into());
            problem.insert("errors".to_owned(), json!([{"field": &field, "message": &message}]));
        }
    }
}

fn has_type(object: &Object, kind: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(one) => one == kind,
        SchemaType::Array(several) => several.contains(kind),
        SchemaType::AnyValue => false,
    }
}

/// Sets the security scheme: required, optional, or none.
fn normalize_security(operation: &mut Operation) {
    let bearer = || SecurityRequirement::new(BEARER, Vec::<String>::new());
    operation.security = Some(match operation.security.take() {
        None => Vec::new(),
        Some(schemes) if schemes.contains(&SecurityRequirement::default()) => {
            vec![SecurityRequirement::default(), bearer()]
        }
        Some(_) => vec![bearer()],
    });
}

/// Moves defaults into descriptions: some generators make a field with a default required.
fn describe_defaults(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for property in object.properties.values_mut() {
        if let RefOr::T(Schema::Object(property)) = property
            && let Some(default) = property.default.take()
        {
            let description = property.description.get_or_insert_default();
            description.push_str(&format!(" Default: {default}."));
        }
    }
}

fn complete_response(status: &str, response: &mut Response) {
    let types = match response.content.keys().next().map(String::as_str) {
        Some("video/*") => &VIDEO_TYPES[..],
        Some("image/*") => &PICTURE_TYPES,
        _ => &[],
    };
    if !types.is_empty() {
        response.content = types.iter().map(|kind| ((*kind).to_owned(), RefOr::T(file_content(kind)))).collect();
    }
    let is_file = status == "304" || !types.is_empty();
    let headers = &mut response.headers;
    headers.values_mut().for_each(parameters::normalize_header);
    add_header(headers, REQUEST_ID.as_str(), "The id of the request", Type::String);
    match status {
        "401" => add_header(headers, "WWW-Authenticate", "`Bearer`", Type::String),
        "429" | "503" => add_header(headers, "Retry-After", "Seconds to wait", Type::Integer),
        "206" => add_header(headers, "Content-Range", "The range and the size: `bytes 0-1023/4096`", Type::String),
        "416" => add_header(headers, "Content-Range", "The size: `bytes */4096`", Type::String),
        _ => {}
    }
    if is_file {
        add_header(headers, "ETag", "For `If-None-Match` and `If-Range`", Type::String);
        add_header(headers, "Last-Modified", "For `If-Modified-Since` and `If-Range`", Type::String);
        add_header(headers, "Accept-Ranges", "`bytes`", Type::String);
    }
}

/// Bytes of this media type. `format` is what generators know, `contentMediaType` what OpenAPI 3.1
/// says.
fn file_content(kind: &str) -> Content {
    let bytes = Object::builder().schema_type(Type::String).content_media_type(kind);
    let bytes = bytes.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    ContentBuilder::new().schema(Some(bytes.build())).build()
}

fn add_header(headers: &mut BTreeMap<String, RefOr<Header>>, name: &str, description: &str, kind: Type) {
    headers.entry(name.to_owned()).or_insert_with(|| {
        let schema = Object::builder().schema_type(kind).build();
        Header::builder().schema(Some(schema)).description(Some(description)).build().into()
    });
}
