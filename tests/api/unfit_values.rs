//! Values that do not fit a property of the API document.

use crate::document::resolve;
use serde_json::{Value, json};

/// Whether a property may be of this type.
pub fn is_a(property: &Value, kind: &str) -> bool {
    property["type"] == kind || property["type"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind))
}

/// JSON texts that are no valid value of this property, each with the statuses that it may get.
pub fn unfit_values(name: &str, property: &'static Value) -> Vec<(String, Vec<u16>)> {
    let mut values = all(&["[]", "{}"], &[422]);
    values.extend(match is_a(property, "boolean") {
        true => all(&["0", "1", "\"true\"", "\"\"", "null"], &[422]),
        false => all(&["true"], &[422]),
    });
    values.extend(match is_a(property, "array") {
        true => unfit_lists(property),
        false => all(&["[\"x\"]"], &[422]),
    });
    if is_a(property, "string") {
        values.extend(unfit_texts(name));
    }
    if is_a(property, "integer") {
        values.extend(unfit_numbers(property));
    }
    values
}

fn all(values: &[&str], statuses: &[u16]) -> Vec<(String, Vec<u16>)> {
    values.iter().map(|value| ((*value).to_owned(), statuses.to_vec())).collect()
}

fn unfit_lists(property: &'static Value) -> Vec<(String, Vec<u16>)> {
    if !is_a(resolve(&property["items"]), "integer") {
        // A list of saves: each item is validated by itself.
        return all(&["[\"x\"]"], &[200]);
    }
    let most = property["maxItems"].as_u64().unwrap();
    let too_long = json!((1..=most + 1).collect::<Vec<_>>()).to_string();
    let huge = "[9223372036854775808]";
    let wrong = ["[\"x\"]", "[0]", "[-1]", "[1.5]", "[null]", "[[1]]", huge, "[1e400]", "[1, \"2\"]", "5", "\"1\""];
    [all(&wrong, &[422]), all(&[&too_long], &[422])].concat()
}

fn unfit_texts(name: &str) -> Vec<(String, Vec<u16>)> {
    // An opaque token is hashed and never stored, so any text is just an unknown token.
    let of_nul: &[u16] = if name == "refresh_token" { &[204, 401] } else { &[422] };
    // Lone surrogates are valid JSON but no Unicode text.
    let lone = [r#""\ud800""#, r#""x\udc00y""#, r#""\ud800\ud800""#];
    [
        all(&["5", "-1", "1e400"], &[422]),
        all(&lone, &[422]),
        all(&[r#""abc\u0000defgh""#, r#""abc@example.org\u0000""#], of_nul),
        all(&[&format!("\"{}\"", "x".repeat(1024 * 1024))], &[413]),
        all(&[&format!("\"{}\"", "x".repeat(100_000))], &[422]),
    ]
    .concat()
}

fn unfit_numbers(property: &Value) -> Vec<(String, Vec<u16>)> {
    let small = ["-1", "-2147483649", "-1e400"];
    let large = ["9223372036854775808", "18446744073709551616", "1e400"];
    let others = ["1.5", "1.5e0", "\"5\"", "\"\""];
    let most = property["maximum"].as_i64().unwrap_or(i32::MAX.into());
    [all(&small, &[422]), all(&large, &[422]), all(&others, &[422]), all(&[&(most + 1).to_string()], &[422])].concat()
}
