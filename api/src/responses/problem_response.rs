//! A response of the API document that describes problems.

use crate::error::Problem;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use utoipa::PartialSchema;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::schema::Object;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};

pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// The problems of one status that an operation can answer with.
pub(crate) struct ProblemResponse {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) problems: Vec<Problem>,
}

impl ProblemResponse {
    pub(crate) fn status(&self) -> u16 {
        self.problems.first().map_or(500, |problem| problem.status)
    }

    pub(crate) fn schema_name(&self) -> String {
        format!("{}Problem", self.name)
    }

    /// The response, with one example for each problem.
    pub(crate) fn response(&self) -> Response {
        let examples = self.problems.iter().map(|problem| {
            let example = ExampleBuilder::new().summary(problem.title).value(Some(example(problem))).build();
            (problem.code, RefOr::T(example))
        });
        let schema = Ref::from_schema_name(self.schema_name());
        let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
        ResponseBuilder::new().description(self.description).content(PROBLEM_JSON, content).build()
    }

    pub(crate) fn schema(&self) -> Schema {
        schema_of(&self.problems, self.description)
    }
}

/// The schema of all problems together.
pub(crate) fn any_problem() -> Schema {
    let problems: Vec<_> = super::all().into_iter().flat_map(|failure| failure.problems).collect();
    schema_of(&problems, "Why a request failed.")
}

/// The schema of only these problems.
pub(crate) fn schema_of(problems: &[Problem], description: &str) -> Schema {
    let mut object = object(Problem::schema());
    let mut is_one_of = |field: &str, of: fn(&Problem) -> Value| {
        if let Some(RefOr::T(Schema::Object(property))) = object.properties.get_mut(field) {
            let values: BTreeSet<_> = problems.iter().map(|problem| of(problem).to_string()).collect();
            property.enum_values = Some(values.iter().filter_map(|value| serde_json::from_str(value).ok()).collect());
            property.example = problems.first().map(of);
            (property.minimum, property.maximum) = (None, None);
        }
    };
    is_one_of("code", |problem| json!(problem.code));
    is_one_of("status", |problem| json!(problem.status));
    let title: fn(&Problem) -> Value = |problem| json!(problem.title);
    for (field, of) in [("title", title), ("detail", |problem| json!(problem.detail))] {
        if let Some(RefOr::T(Schema::Object(property))) = object.properties.get_mut(field) {
            property.example = problems.first().map(of);
        }
    }
    let with_fields = problems.iter().filter(|problem| !problem.errors.is_empty()).count();
    if with_fields == 0 {
        object.properties.remove("errors");
    } else if with_fields == problems.len() {
        object.required.push("errors".to_owned());
    }
    object.description = Some(description.to_owned());
    Schema::Object(object)
}

/// The problem as JSON, with an example id.
fn example(problem: &Problem) -> Value {
    let id = object(Problem::schema()).properties.get("instance").and_then(|property| match property {
        RefOr::T(Schema::Object(instance)) => instance.example.clone(),
        _ => None,
    });
    let mut example = json!(problem);
    if let (Some(example), Some(id)) = (example.as_object_mut(), id) {
        example.insert("instance".to_owned(), id);
    }
    example
}

fn object(schema: RefOr<Schema>) -> Object {
    match schema {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::new(),
    }
}
