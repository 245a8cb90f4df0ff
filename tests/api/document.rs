//! What `/openapi.json` promises, in the form in which tests ask for it.

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// The document of this program.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(api::openapi::document()).unwrap())
}

/// One method of one address.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: Method,
    /// With names in braces.
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

    /// Whether the operation looks at a token at all.
    pub fn takes_token(&self) -> bool {
        self.description["security"].as_array().is_some_and(|ways| ways.iter().any(|way| way.get("bearer").is_some()))
    }

    /// Whether it refuses callers without one.
    pub fn needs_token(&self) -> bool {
        let ways = self.description["security"].as_array();
        ways.is_some_and(|ways| ways.iter().all(|way| !way.as_object().unwrap().is_empty()))
    }

    /// The address with `value` for every name in braces.
    pub fn at(&self, value: impl ToString) -> String {
        let value = value.to_string();
        let parts = self.path.split('/').map(|part| if part.starts_with('{') { &value } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    /// The parameters that stand in the `path` or in the `query`.
    pub fn parameters(&self, place: &str) -> Vec<&'static Value> {
        let all = self.description["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|parameter| parameter["in"] == place).collect()
    }

    /// The content types of the body, and the schema of each.
    pub fn bodies(&self) -> Vec<(&'static str, &'static Value)> {
        let content = self.description["requestBody"]["content"].as_object();
        content.into_iter().flatten().map(|(kind, body)| (kind.as_str(), resolve(&body["schema"]))).collect()
    }

    /// A body that fits, made of the examples of its fields.
    pub fn example(&self) -> Option<Value> {
        let (_, schema) = self.bodies().into_iter().find(|(kind, _)| *kind == "application/json")?;
        let properties = schema["properties"].as_object().unwrap();
        let examples = properties.iter().map(|(name, property)| (name.clone(), property["example"].clone()));
        Some(Value::Object(examples.collect::<Map<_, _>>()))
    }

    fn is_at(&self, method: &Method, path: &str) -> bool {
        let (ours, theirs) = (self.path.split('/'), path.split('/'));
        self.method == *method
            && ours.clone().count() == theirs.clone().count()
            && ours.zip(theirs).all(|(ours, theirs)| ours.starts_with('{') || ours == theirs)
    }
}

/// The schema itself, where there is only its name.
pub fn resolve(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(name) => resolve(document().pointer(name.trim_start_matches('#')).unwrap()),
        None => schema,
    }
}

/// Proves that the operation which answered tells of this status. Addresses and methods that are none are no
/// operation, and their 404 and 405 stand in no document.
pub fn assert_documented(method: &Method, path: &str, status: StatusCode) {
    let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
    let path = path.trim_end_matches('/');
    let mut candidates: Vec<_> = operations().into_iter().filter(|known| known.is_at(&known.method, path)).collect();
    // A fixed address wins over one with a name in braces.
    candidates.sort_by_key(|known| known.path.contains('{'));
    let best = candidates.first().map(|known| known.path.clone());
    candidates.retain(|known| known.method == method && Some(&known.path) == best.as_ref());
    if let Some(operation) = candidates.first() {
        let known = operation.description["responses"].get(status.as_str()).is_some();
        assert!(known, "{} answered {status}, which the document does not tell of", operation.id());
    }
}
