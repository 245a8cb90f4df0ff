//! Code samples of each operation: curl, and the typed client `playhead/api`.

use super::examples::{self, ParameterExample};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

/// The field in which pages expect code samples.
const CODE_SAMPLES: &str = "x-codeSamples";
const SERVER: &str = "http://localhost:8000";

/// A request made of the examples of an operation.
struct SampleRequest<'a> {
    /// In upper case.
    method: &'a str,
    /// With parameter names in braces.
    path: &'a str,
    parameters: Vec<ParameterExample>,
    body: Option<&'a Value>,
    needs_token: bool,
    /// Whether the answer is a video or a picture.
    is_file: bool,
    has_answer: bool,
}

/// Adds the samples. A WebSocket has none: neither curl nor the client opens one.
pub(super) fn add(path: &str, method: &str, operation: &mut Operation) {
    if operation.responses.responses.contains_key("101") {
        return;
    }
    let request = SampleRequest::new(path, method, operation);
    let samples = json!([
        {"lang": "Shell", "label": "curl", "source": request.curl()},
        {"lang": "JavaScript", "label": "playhead/api", "source": request.client_call()},
    ]);
    operation.extensions.get_or_insert_default().insert(CODE_SAMPLES.to_owned(), samples);
}

impl<'a> SampleRequest<'a> {
    fn new(path: &'a str, method: &'a str, operation: &'a Operation) -> Self {
        let success = operation.responses.responses.iter().filter(|(status, _)| status.starts_with('2'));
        let kinds: Vec<_> = success
            .filter_map(|(_, response)| match response {
                RefOr::T(response) => Some(response.content.keys()),
                RefOr::Ref(_) => None,
            })
            .flatten()
            .collect();
        Self {
            method,
            path,
            parameters: examples::of_parameters(operation),
            body: examples::of_body(operation),
            needs_token: operation.security.as_ref().is_some_and(|ways| ways.len() == 1),
            is_file: kinds.iter().any(|kind| *kind != examples::JSON),
            has_answer: !kinds.is_empty(),
        }
    }

    /// The parameters of this place.
    fn at(&self, place: &str) -> impl Iterator<Item = (&str, &Value)> {
        let here = self.parameters.iter().filter(move |parameter| parameter.place == place);
        here.map(|parameter| (parameter.name.as_str(), &parameter.value))
    }

    fn curl(&self) -> String {
        let mut url = format!("{SERVER}{}", self.path);
        for (name, value) in self.at("path") {
            url = url.replace(&format!("{{{name}}}"), &to_text(value));
        }
        for (name, value) in self.at("query") {
            url.push_str(&format!("?{name}={}", to_text(value)));
        }
        let mut command = match (self.method, self.body) {
            ("GET", _) | ("POST", Some(_)) => format!("curl '{url}'"),
            (method, _) => format!("curl -X {method} '{url}'"),
        };
        let mut add = |option: String| command.push_str(&format!(" \\\n  {option}"));
        if self.needs_token {
            add("-H \"Authorization: Bearer $TOKEN\"".to_owned());
        }
        self.at("header").for_each(|(name, value)| add(format!("-H '{name}: {}'", to_text(value))));
        if let Some(body) = self.body {
            add(format!("--json '{body}'"));
        }
        if self.is_file {
            add("-o file".to_owned());
        }
        command
    }

    fn client_call(&self) -> String {
        let mut options = Vec::new();
        let places = ["path", "query", "header"].into_iter().filter_map(|place| {
            let fields: Vec<_> = self.at(place).map(|(name, value)| format!("{name}: {}", literal(value))).collect();
            (!fields.is_empty()).then(|| format!("{place}: {{ {} }}", fields.join(", ")))
        });
        let places: Vec<_> = places.collect();
        if !places.is_empty() {
            options.push(format!("params: {{ {} }}", places.join(", ")));
        }
        options.extend(self.body.map(|body| format!("body: {}", literal(body))));
        if self.is_file {
            options.push("parseAs: \"blob\"".to_owned());
        }
        let options: String = options.iter().map(|option| format!("  {option},\n")).collect();
        let options = if options.is_empty() { options } else { format!(", {{\n{options}}}") };
        let names = if self.has_answer { "data, error" } else { "error" };
        format!("const {{ {names} }} = await api.{}(\"{}\"{options});", self.method, self.path)
    }
}

/// The value in a URL or a header.
fn to_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The value in JavaScript.
fn literal(value: &Value) -> String {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
