//! The examples of the document, as a newcomer tries them on a new site: from top to bottom.

use crate::app::{PASSWORD, TestApp, send};
use crate::document::{Operation, document, operations};
use crate::schema::unfit;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use service::library::{Library, write_sample};
use std::collections::BTreeSet;

/// What ends or deletes something comes last, in an order in which each finds what it deletes.
const LAST: [&str; 10] = [
    "unhide_watch_history",
    "unmark_watched",
    "delete_play",
    "forget_watch_history",
    "forget_many",
    "clear_watch_history",
    "delete_video",
    "end_my_session",
    "end_my_other_sessions",
    "delete_my_account",
];

/// The operations in the order of the page: by group, and in each group as the document lists them.
fn in_order_of_use() -> Vec<Operation> {
    let groups = document()["tags"].as_array().unwrap();
    let ids = groups.iter().flat_map(|group| group["x-operations"].as_array().unwrap());
    let known = operations();
    let find = |id: &Value| known.iter().find(|operation| operation.id() == id).expect("it exists").clone();
    ids.map(find).collect()
}

fn find(id: &str) -> Operation {
    operations().into_iter().find(|operation| operation.id() == id).unwrap()
}

/// The request of an operation, made of its examples.
fn request(app: &TestApp, operation: &Operation, token: &str, body: Option<&Value>) -> RequestBuilder {
    let example = |place: &str, parameter: &Value| {
        let (name, value) = (parameter["name"].as_str().unwrap(), &parameter["example"]);
        assert!(!value.is_null() || place == "query", "{} {name} has no example", operation.id());
        (name.to_owned(), value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    };
    let examples = |place: &'static str| operation.parameters(place).into_iter().map(move |one| example(place, one));
    let path = examples("path")
        .fold(operation.path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), &value));
    let query: Vec<_> = examples("query").filter(|(_, value)| value != "null").collect();
    let mut request = app.request(operation.method.clone(), &path).query(&query);
    for (name, value) in examples("header") {
        request = request.header(name, value);
    }
    if operation.takes_token() {
        request = request.bearer_auth(token);
    }
    if operation.id() == "open_live_socket" {
        request = request.header("connection", "upgrade").header("upgrade", "websocket");
        request = request.header("sec-websocket-version", "13").header("sec-websocket-protocol", "playhead.v1");
        request = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    }
    body.into_iter().fold(request, |request, body| request.json(body))
}

/// The body that the document has as an example.
fn body_of(operation: &Operation) -> Option<&'static Value> {
    operation.description.pointer("/requestBody/content/application~1json/example")
}

/// The answer to a sign-in with the example.
async fn sign_in(app: &TestApp) -> Value {
    let login = find("login");
    request(app, &login, "", body_of(&login)).send().await.unwrap().json().await.unwrap()
}

on_both! {
    async fn every_example_succeeds_unchanged(app: TestApp) {
        write_sample(&Library::new(&app.media)).unwrap();
        // The first account is the administrator, who may not leave.
        let owner = json!({"email": "owner@example.org", "username": "owner", "password": PASSWORD});
        app.post("/api/v1/auth/register", &owner).await;
        let (first, mut last): (Vec<_>, Vec<_>) =
            in_order_of_use().into_iter().partition(|operation| !LAST.contains(&operation.id()));
        last.sort_by_key(|operation| LAST.iter().position(|id| *id == operation.id()));
        assert_eq!(first.len() + last.len(), operations().len(), "each operation is in one group");
        let (mut pair, mut found) = (Value::Null, Vec::new());
        for operation in first.iter().chain(&last) {
            if pair.is_null() && operation.takes_token() {
                pair = sign_in(&app).await;
            }
            // The example stands for the token of the last sign-in.
            let refresh = (operation.id() == "refresh").then(|| json!({"refresh_token": pair["refresh_token"]}));
            let body = refresh.as_ref().or(body_of(operation));
            let token = pair["access_token"].as_str().unwrap_or_default();
            let answer = send(request(&app, operation, token, body)).await;
            let status = answer.status();
            // Nobody has rated anything yet.
            let succeeds = status.is_success() || status == 101 || operation.id() == "read_rating" && status == 404;
            let is_json = answer.headers().get("content-type").is_some_and(|kind| kind == "application/json");
            if !succeeds {
                found.push(format!("{} {status} {}", operation.id(), answer.text().await.unwrap()));
            } else if is_json {
                let content = &operation.response(status.as_str())["content"]["application/json"];
                unfit(&content["schema"], &answer.json().await.unwrap(), operation.id(), &mut found);
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn every_request_and_every_answer_has_an_example_that_fits() {
    let mut found = Vec::new();
    for operation in operations() {
        let mut contents = vec![("body".to_owned(), &operation.description["requestBody"]["content"])];
        let responses = operation.description["responses"].as_object().unwrap();
        contents.extend(responses.iter().map(|(status, response)| (status.clone(), &response["content"])));
        for (place, content) in contents {
            for (_, content) in content.as_object().into_iter().flatten().filter(|(kind, _)| kind.ends_with("json")) {
                let what = format!("{} {place}", operation.id());
                let several = content["examples"].as_object().into_iter().flatten().map(|(_, one)| &one["value"]);
                let examples: Vec<_> = content.get("example").into_iter().chain(several).collect();
                assert!(!examples.is_empty(), "{what}");
                examples.into_iter().for_each(|example| unfit(&content["schema"], example, &what, &mut found));
            }
        }
        for parameter in ["path", "query", "header"].iter().flat_map(|place| operation.parameters(place)) {
            let text = parameter["description"].as_str().unwrap_or_default();
            let is_token = ["cursor", "since"].contains(&parameter["name"].as_str().unwrap());
            let is_choice = parameter["schema"]["enum"].is_array() || text.contains("tags");
            let has_example = parameter.get("example").is_some() || text.contains("For example");
            assert!(has_example || is_token || is_choice, "{} {}", operation.id(), parameter["name"]);
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_link_leads_to_an_operation_by_values_that_are_there() {
    let mut count = 0;
    for operation in operations() {
        for (status, response) in operation.description["responses"].as_object().unwrap() {
            for (name, link) in response["links"].as_object().into_iter().flatten() {
                let (next, what) = (find(link["operationId"].as_str().unwrap()), format!("{} {name}", operation.id()));
                let example = &operation.response(status)["content"]["application/json"]["example"];
                let parameters = link["parameters"].as_object().into_iter().flatten();
                for (name, value) in parameters.chain(link["requestBody"].as_object().into_iter().flatten()) {
                    let known = ["path", "query"].iter().flat_map(|place| next.parameters(place));
                    let fields = next.bodies().into_iter().map(|(_, schema)| &schema["properties"][name]);
                    let is_known = known.map(|parameter| &parameter["name"]).any(|known| known == name);
                    assert!(is_known || fields.into_iter().any(|field| !field.is_null()), "{what} {name}");
                    let value = value.as_str().unwrap();
                    let is_there = match value.strip_prefix("$response.body#") {
                        Some(pointer) => example.pointer(pointer).is_some(),
                        None => operation.path.contains(&format!("{{{}}}", value.replace("$request.path.", ""))),
                    };
                    assert!(is_there, "{what} {value}");
                }
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn every_code_is_listed_by_its_operation_or_for_all() {
    let introduction = document()["info"]["description"].as_str().unwrap();
    for operation in operations() {
        let text = operation.description["description"].as_str().unwrap_or_default();
        for status in operation.description["responses"].as_object().unwrap().keys() {
            for code in operation.codes(status) {
                let (code, both) = (format!("`{code}`"), format!("`{code}` ({status})"));
                assert!(text.contains(&both) || introduction.contains(&code), "{} {code}", operation.id());
            }
        }
    }
}

#[test]
fn every_operation_has_samples_for_curl_and_the_client() {
    for operation in operations().into_iter().filter(|operation| operation.id() != "open_live_socket") {
        let samples = operation.description["x-codeSamples"].as_array().unwrap();
        let labels: Vec<_> = samples.iter().map(|sample| sample["label"].as_str().unwrap()).collect();
        assert_eq!(labels, ["curl", "playhead/api"]);
        assert!(samples[1]["source"].as_str().unwrap().contains(&format!("\"{}\"", operation.path)));
    }
}

#[test]
fn the_groups_have_two_sentences_and_the_first_three_come_first() {
    let groups = document()["tags"].as_array().unwrap();
    let names: Vec<_> = groups.iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["auth", "videos", "watch history"]);
    for group in groups {
        assert_eq!(group["description"].as_str().unwrap().matches(". ").count(), 1, "{group}");
    }
    let listed: BTreeSet<_> = in_order_of_use().iter().map(|operation| operation.id().to_owned()).collect();
    assert_eq!(listed.len(), operations().len());
    assert!(operations().iter().all(|operation| operation.method != Method::HEAD));
}

/// What the page sends for the refresh token of the example.
#[test]
fn the_page_knows_the_example_of_a_refresh_token() {
    let example = body_of(&find("refresh")).unwrap()["refresh_token"].as_str().unwrap();
    assert!(include_str!("../../api/src/routes/swagger_ui/initializer.js").contains(example));
}
