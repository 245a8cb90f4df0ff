//! Whether a JSON value fits its schema in the API document.

use crate::document::{document, operations, resolve};
use serde_json::Value;
use std::collections::BTreeSet;

/// Collects where `value` breaks `schema`. It knows only the keywords of JSON Schema that the
/// document uses.
pub fn unfit(schema: &'static Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = resolve(schema);
    let mut check = |fits: bool, rule: &str| {
        if !fits {
            found.push(format!("{at}: {value} breaks {rule} of {schema}"));
        }
    };
    let kinds: BTreeSet<&str> = match &schema["type"] {
        Value::String(kind) => [&**kind].into(),
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        _ => BTreeSet::new(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    check(kinds.is_empty() || kinds.contains(kind) || (kind == "integer" && kinds.contains("number")), "type");
    if let (Some(number), Some(least)) = (value.as_f64(), schema["minimum"].as_f64()) {
        check(number >= least, "minimum");
    }
    if let (Some(number), Some(most)) = (value.as_f64(), schema["maximum"].as_f64()) {
        check(number <= most, "maximum");
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        check(schema["minLength"].as_u64().is_none_or(|least| length >= least), "minLength");
        check(schema["maxLength"].as_u64().is_none_or(|most| length <= most), "maxLength");
        check(schema["enum"].as_array().is_none_or(|known| known.contains(value)), "enum");
        check(schema["format"] != "date-time" || (text.len() == 24 && text.ends_with('Z')), "format");
    }
    if let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for name in schema["required"].as_array().into_iter().flatten() {
            check(fields.contains_key(name.as_str().unwrap()), "required");
        }
        for (name, field) in fields {
            match properties.get(name) {
                Some(property) => unfit(property, field, &format!("{at}.{name}"), found),
                None => found.push(format!("{at}.{name} is not described")),
            }
        }
    }
    if let (Some(fields), Some(parts)) = (value.as_object(), schema["allOf"].as_array()) {
        // The fields of each part, of which no part knows those of the others.
        for part in parts {
            let known = |name: &String| resolve(part)["properties"].get(name).is_some();
            let own = fields.iter().filter(|(name, _)| known(name)).map(|(name, field)| (name.clone(), field.clone()));
            unfit(part, &Value::Object(own.collect()), at, found);
        }
    }
    if let Some(ways) = schema["oneOf"].as_array() {
        let fits = |way: &&'static Value| {
            let mut found = Vec::new();
            unfit(way, value, at, &mut found);
            found.is_empty()
        };
        if ways.iter().filter(fits).count() == 0 {
            found.push(format!("{at}: {value} fits none of {ways:?}"));
        }
    }
    if let Some(items) = value.as_array() {
        items.iter().for_each(|item| unfit(&schema["items"], item, &format!("{at}[]"), found));
    }
}

#[test]
fn every_example_fits_its_schema() {
    let mut found = Vec::new();
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(example) = resolve(property).get("example").or(property.get("example")) {
                unfit(property, example, &format!("{name}.{field}"), &mut found);
            }
        }
        if let Some(example) = schema.get("example") {
            unfit(schema, example, name, &mut found);
        }
    }
    for operation in operations() {
        for place in ["path", "query", "header"] {
            for parameter in operation.parameters(place) {
                if let Some(example) = parameter.get("example").or(parameter["schema"].get("example")) {
                    unfit(
                        &parameter["schema"],
                        example,
                        &format!("{} {}", operation.id(), parameter["name"]),
                        &mut found,
                    );
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
