//! Examples of requests and answers. Those of requests work on a new site unchanged, in the
//! order of the groups.

use super::parameters;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Array, ArrayItems, Object, SchemaType, Type};
use utoipa::openapi::{Components, Ref, RefOr, Required, Response, Schema};

pub(super) const JSON: &str = "application/json";

/// The operations on a video of one's own. On a new site, video 1 is the sample clip, and 2 the one
/// that "Create a video" has made.
const OF_OWN_VIDEO: [&str; 2] = ["change_video", "delete_video"];

/// Adds examples to the body, to the path and to each successful answer in JSON.
pub(super) fn add(operation: &mut Operation, components: &Components) {
    add_to_body(operation, components);
    if OF_OWN_VIDEO.contains(&operation.operation_id.as_deref().unwrap_or_default()) {
        operation.parameters.iter_mut().flatten().for_each(|parameter| set_example(parameter, json!(2)));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            add_to_response(response, components);
        }
    }
}

/// Adds a body that can be sent as it is: the example of its type, or the examples of its required
/// fields.
fn add_to_body(operation: &mut Operation, components: &Components) {
    let Some(schema) = body_schema(operation, components) else { return };
    let example = schema.example.clone().unwrap_or_else(|| {
        let needed = schema.required.iter().filter_map(|name| schema.properties.get_key_value(name));
        let examples = needed.map(|(name, property)| (name.clone(), sample(property, components)));
        Value::Object(examples.collect::<Map<_, _>>())
    });
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && let Some(RefOr::T(content)) = body.content.get_mut(JSON)
    {
        content.example = Some(example);
    }
}

fn add_to_response(response: &mut Response, components: &Components) {
    if let Some(RefOr::T(content)) = response.content.get_mut(JSON)
        && let Some(schema) = &content.schema
    {
        content.example = Some(sample(schema, components));
    }
}

fn set_example(parameter: &mut RefOr<Parameter>, example: Value) {
    if let RefOr::T(parameter) = parameter {
        let original = std::mem::replace(parameter, Parameter::new(""));
        *parameter = ParameterBuilder::from(original).example(Some(example)).build();
    }
}

/// The example of a parameter.
pub(super) struct ParameterExample {
    /// `path`, `query` or `header`.
    pub(super) place: String,
    pub(super) name: String,
    pub(super) value: Value,
}

/// The examples of the parameters that a request is sent with: those of the path and of headers,
/// and the required ones of the query.
pub(super) fn of_parameters(operation: &Operation) -> Vec<ParameterExample> {
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    let is_sent =
        |parameter: &&Parameter| parameter.parameter_in != ParameterIn::Query || parameter.required == Required::True;
    let examples = parameters.filter(is_sent).filter_map(|parameter| {
        let place = serde_json::to_value(&parameter.parameter_in).ok()?.as_str()?.to_owned();
        let value = parameters::example_of(parameter)?;
        Some(ParameterExample { place, name: parameter.name.clone(), value })
    });
    examples.collect()
}

/// The example of the body.
pub(super) fn of_body(operation: &Operation) -> Option<&Value> {
    let Some(RefOr::T(body)) = &operation.request_body else { return None };
    let RefOr::T(content) = body.content.get(JSON)? else { return None };
    content.example.as_ref()
}

/// The fields of an operation's body.
pub(super) fn body_schema<'a>(operation: &Operation, components: &'a Components) -> Option<&'a Object> {
    let Some(RefOr::T(body)) = &operation.request_body else { return None };
    let RefOr::T(content) = body.content.get(JSON)? else { return None };
    let Some(RefOr::Ref(reference)) = &content.schema else { return None };
    match find(reference, components)? {
        Schema::Object(object) => Some(object),
        _ => None,
    }
}

fn find<'a>(reference: &Ref, components: &'a Components) -> Option<&'a Schema> {
    match components.schemas.get(reference.ref_location.rsplit('/').next()?)? {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    }
}

fn resolve<'a>(schema: &'a RefOr<Schema>, components: &'a Components) -> Option<&'a Schema> {
    match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(reference) => find(reference, components),
    }
}

/// A value that fits the schema: its own example, or one made of the examples of its parts.
fn sample(schema: &RefOr<Schema>, components: &Components) -> Value {
    match resolve(schema, components) {
        Some(Schema::Object(object)) => sample_object(object, components),
        Some(Schema::Array(array)) => sample_array(array, components),
        Some(Schema::AllOf(all)) => {
            let parts = all.items.iter().map(|part| sample(part, components));
            let fields = parts.filter_map(|part| part.as_object().cloned());
            Value::Object(fields.flatten().collect())
        }
        Some(Schema::OneOf(one)) => one.items.first().map_or(Value::Null, |first| sample(first, components)),
        _ => Value::Null,
    }
}

fn sample_array(array: &Array, components: &Components) -> Value {
    let of_items = || match &array.items {
        ArrayItems::RefOrSchema(items) => json!([sample(items, components)]),
        ArrayItems::False => json!([]),
    };
    array.example.clone().unwrap_or_else(of_items)
}

fn sample_object(object: &Object, components: &Components) -> Value {
    let given = object.example.as_ref().or(object.examples.first());
    if let Some(value) = given.or_else(|| object.enum_values.as_ref()?.first()) {
        return value.clone();
    }
    if object.properties.is_empty() {
        return default_of(&object.schema_type);
    }
    let required = object.required.iter().filter_map(|name| object.properties.get_key_value(name));
    // An optional field without an example is in few answers only.
    let optional = object.properties.iter().filter(|(name, property)| {
        let has_example = matches!(property, RefOr::T(Schema::Object(property)) if property.example.is_some());
        has_example && !object.required.contains(name)
    });
    let fields = required.chain(optional).map(|(name, property)| (name.clone(), sample(property, components)));
    Value::Object(fields.collect())
}

fn default_of(kind: &SchemaType) -> Value {
    match kind {
        SchemaType::Type(Type::Boolean) => json!(false),
        SchemaType::Type(Type::Integer | Type::Number) => json!(0),
        SchemaType::Type(Type::String) => json!("text"),
        _ => Value::Null,
    }
}
