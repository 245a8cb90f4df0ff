//! Parameters and headers in a form that clients can use.

use serde_json::Value;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{RefOr, Required, Schema};

/// Removes `null` from the types of parameters, and moves the example of an optional query
/// parameter into its description: Swagger UI would send it, and find nothing.
pub(super) fn normalize(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    let default = parameter.schema.as_mut().and_then(|schema| {
        remove_null(schema);
        match schema {
            RefOr::T(Schema::Object(object)) => object.default.clone(),
            _ => None,
        }
    });
    let is_optional = parameter.required != Required::True && parameter.parameter_in == ParameterIn::Query;
    let Some(example) = example_of(parameter).filter(|example| is_optional && Some(example) != default.as_ref()) else {
        return;
    };
    let example = example.as_str().map_or_else(|| example.to_string(), ToOwned::to_owned);
    let description = parameter.description.take().unwrap_or_default();
    let description = format!("{}. For example `{example}`.", description.trim_end().trim_end_matches('.'));
    let original = std::mem::replace(parameter, Parameter::new(""));
    *parameter = ParameterBuilder::from(original).description(Some(description)).example(None).build();
}

pub(super) fn normalize_header(header: &mut RefOr<Header>) {
    if let RefOr::T(header) = header
        && let Some(schema) = &mut header.schema
    {
        remove_null(schema);
    }
}

fn remove_null(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    if let SchemaType::Array(kinds) = &mut object.schema_type {
        kinds.retain(|kind| *kind != Type::Null);
        if let [kind] = &kinds[..] {
            object.schema_type = SchemaType::Type(kind.clone());
        }
    }
}

/// The field is private in utoipa, so it is read from the JSON.
pub(super) fn example_of(parameter: &Parameter) -> Option<Value> {
    serde_json::to_value(parameter).ok()?.get("example").cloned()
}
