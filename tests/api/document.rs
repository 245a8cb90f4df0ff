//! The API document `/openapi.json`, in the form that the tests need.

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// The API document of this build.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(api::openapi::document()).unwrap())
}

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: Method,
    /// The path with parameter names in braces.
    pub path: String,
    pub description: &'static Value,
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    let paths = document()["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().filter_map(|(method, description)| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&method);
            known.then(|| Operation { method, path: path.clone(), description })
        })
    });
    operations.collect()
}

impl Operation {
    pub fn id(&self) -> &str {
        self.description["operationId"].as_str().unwrap()
    }

    /// Whether the operation reads a token.
    pub fn takes_token(&self) -> bool {
        self.description["security"].as_array().is_some_and(|ways| ways.iter().any(|way| way.get("bearer").is_some()))
    }

    /// Whether the operation refuses callers without a token.
    pub fn needs_token(&self) -> bool {
        let ways = self.description["security"].as_array();
        ways.is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| !way.as_object().unwrap().is_empty()))
    }

    /// The path with `value` for every parameter.
    pub fn at(&self, value: impl ToString) -> String {
        let value = value.to_string();
        let parts = self.path.split('/').map(|part| if part.starts_with('{') { &value } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    /// As [`Operation::at`], with the required query.
    pub fn with_query(&self, value: impl ToString) -> String {
        let needed = self.parameters("query").into_iter().filter(|parameter| parameter["required"] == true);
        let pairs: Vec<_> =
            needed.map(|parameter| format!("{}={}", text(&parameter["name"]), text(&parameter["example"]))).collect();
        if pairs.is_empty() { self.at(value) } else { format!("{}?{}", self.at(value), pairs.join("&")) }
    }

    /// The parameters in the `path` or in the `query`.
    pub fn parameters(&self, place: &str) -> Vec<&'static Value> {
        let all = self.description["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|parameter| parameter["in"] == place).collect()
    }

    /// The content types of the body, each with its schema.
    pub fn bodies(&self) -> Vec<(&'static str, &'static Value)> {
        let content = self.description["requestBody"]["content"].as_object();
        content.into_iter().flatten().map(|(kind, body)| (kind.as_str(), resolve(&body["schema"]))).collect()
    }

    /// A valid body, made of the examples of its fields.
    pub fn example(&self) -> Option<Value> {
        let (_, schema) = self.bodies().into_iter().find(|(kind, _)| *kind == "application/json")?;
        let properties = schema["properties"].as_object().unwrap();
        let examples = properties.iter().map(|(name, property)| (name.clone(), example_of(property).clone()));
        Some(Value::Object(examples.collect::<Map<_, _>>()))
    }

    fn is_at(&self, method: &Method, path: &str) -> bool {
        let (ours, theirs) = (self.path.split('/'), path.split('/'));
        self.method == *method
            && ours.clone().count() == theirs.clone().count()
            && ours.zip(theirs).all(|(ours, theirs)| ours.starts_with('{') || ours == theirs)
    }
}

/// The example of a property, which may be that of its type.
pub fn example_of(property: &'static Value) -> &'static Value {
    property.get("example").unwrap_or_else(|| &resolve(property)["example"])
}

/// The schema that a `$ref` names, or the schema itself.
pub fn resolve(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(name) => resolve(document().pointer(name.trim_start_matches('#')).unwrap()),
        None => schema,
    }
}

/// Headers that clients read.
const HEADERS: [&str; 8] =
    ["accept-ranges", "content-range", "etag", "last-modified", "link", "location", "retry-after", "www-authenticate"];

impl Operation {
    /// The description of a response with this status.
    pub fn response(&self, status: &str) -> &'static Value {
        self.description["responses"].get(status).unwrap_or(&Value::Null)
    }

    /// The problem codes of this status.
    pub fn codes(&self, status: &str) -> Vec<&'static str> {
        let problem = resolve(&self.response(status)["content"]["application/problem+json"]["schema"]);
        let codes = problem["properties"]["code"]["enum"].as_array();
        codes.into_iter().flatten().map(|code| code.as_str().unwrap()).collect()
    }

    /// Checks that the document lists this status and the headers that clients read.
    pub fn assert_documents(&self, status: StatusCode, headers: &HeaderMap) {
        let response = self.response(status.as_str());
        assert!(response.is_object(), "{} answered {status}, which the document does not tell of", self.id());
        let documented: Vec<_> =
            response["headers"].as_object().into_iter().flatten().map(|(name, _)| name.to_lowercase()).collect();
        for name in HEADERS {
            let (is_sent, is_documented) = (headers.contains_key(name), documented.iter().any(|known| known == name));
            // The last page has no next one.
            let agrees = is_sent == is_documented || (is_documented && name == "link");
            assert!(agrees, "{} {status} {name}: sent {is_sent}, documented {is_documented}", self.id());
        }
    }

    /// Checks that the document lists the code of this problem.
    pub fn assert_documents_code(&self, status: StatusCode, problem: &Value) {
        let codes = self.codes(status.as_str());
        let code = problem["code"].as_str().unwrap();
        assert!(codes.contains(&code), "{} {status}: {code} is none of {codes:?}", self.id());
    }
}

/// The operation that answers a request. Unknown paths and methods belong to no operation, and
/// their 404 and 405 are in no document.
pub fn operation_at(method: &Method, path: &str) -> Option<Operation> {
    let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
    let path = path.trim_end_matches('/');
    let mut candidates: Vec<_> = operations().into_iter().filter(|known| known.is_at(&known.method, path)).collect();
    // A fixed path wins over a path with a parameter.
    candidates.sort_by_key(|known| known.path.contains('{'));
    let best = candidates.first().map(|known| known.path.clone());
    candidates.into_iter().find(|known| known.method == method && Some(&known.path) == best.as_ref())
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
