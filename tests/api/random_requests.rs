//! Random requests to every operation: whatever is sent, the answer is one that the document lists,
//! and never a 5xx.
//!
//! `PLAYHEAD_RANDOM_REQUESTS` says how many, 400 by default, and `PLAYHEAD_RANDOM_SEED` repeats a
//! run. `send` checks each response against the API document.

use crate::app::{Person, TestApp, TestOptions, history, send};
use crate::document::{Operation, example_of, operations, resolve};
use crate::unfit_values::{is_a, unfit_values};
use reqwest::Method;
use serde_json::{Value, json};
use service::limit::LimitSettings;
use std::time::{SystemTime, UNIX_EPOCH};

/// A small generator of pseudo-random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % end
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

fn number_from(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Ids of the videos and plays that exist, and others.
fn random_id(random: &mut Random, known: &[i64]) -> String {
    let odd = ["0", "-1", "999", "1048577", "9223372036854775807", "9223372036854775808", "x", "1.5", "%00", "٣"];
    if random.one_in(4) { random.pick(&odd).to_owned() } else { random.pick(known).to_string() }
}

fn random_query(random: &mut Random, operation: &Operation, known: &[i64]) -> String {
    let times = ["2026-11-30T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-30T00:00:00%2B05:45"];
    let dates = ["2026-11-30", "2026-01-01", "1970-01-01", "9999-12-31", "262143-12-31", "2026-02-30"];
    let texts =
        ["film", "%25", "_", "a%00b", "%F0%9F%A6%80", "", "MjAyNg", "null", "-1", "1e9", "%FF", "Asia/Kathmandu"];
    let mut query = Vec::new();
    for parameter in operation.parameters("query") {
        let (name, schema) = (parameter["name"].as_str().unwrap(), resolve(&parameter["schema"]));
        if parameter["required"] != true && random.one_in(2) {
            continue;
        }
        let words: Vec<_> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let value = match schema["format"].as_str() {
            _ if random.one_in(5) => random.pick(&texts).to_owned(),
            Some("date-time") => random.pick(&times).to_owned(),
            Some("date") => random.pick(&dates).to_owned(),
            _ if !words.is_empty() => random.pick(&words).to_owned(),
            _ if name.ends_with("id") => random_id(random, known),
            _ if is_a(schema, "integer") => {
                random.pick(&["1", "2", "20", "100", "0", "101", "3650", "2147483648"]).to_owned()
            }
            _ => random.pick(&texts).to_owned(),
        };
        query.push(format!("{name}={value}"));
    }
    query.join("&")
}

/// The JSON text of a value for a property, often a valid one.
fn random_value(random: &mut Random, name: &str, property: &'static Value, known: &[i64]) -> String {
    let schema = resolve(property);
    if random.one_in(8) {
        let unfit = unfit_values(name, schema);
        return random.pick(&unfit).0.chars().take(3_000).collect();
    }
    if random.one_in(20) {
        return "null".into();
    }
    if name == "saves" {
        let saves = (0..random.below(5)).map(|_| {
            json!({"video_id": random.pick(known), "watch_position": random.below(700), "age_ms": random.below(1 << 33)})
        });
        return Value::Array(saves.collect()).to_string();
    }
    if is_a(schema, "array") {
        return json!((0..random.below(6)).map(|_| random.pick(known)).collect::<Vec<_>>()).to_string();
    }
    let words: Vec<_> = schema["enum"].as_array().into_iter().flatten().cloned().collect();
    if !words.is_empty() {
        return random.pick(&words).to_string();
    }
    if is_a(schema, "boolean") {
        return random.one_in(2).to_string();
    }
    if is_a(schema, "integer") {
        let most = schema["maximum"].as_i64().unwrap_or(i32::MAX.into());
        return random.pick(&[0, 1, 2, 5, 59, 60, 540, 600, 3650, most - 1, most]).to_string();
    }
    let texts = [example_of(property).clone(), json!("one"), json!("two"), json!("2026-11-30T00:00:00Z"), json!("🎬")];
    random.pick(&texts).to_string()
}

fn random_body(random: &mut Random, operation: &Operation, known: &[i64]) -> Option<String> {
    let (_, schema) = operation.bodies().into_iter().find(|(kind, _)| *kind == "application/json")?;
    let mut fields = Vec::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        let is_needed = schema["required"].as_array().is_some_and(|needed| needed.contains(&json!(name)));
        if random.one_in(if is_needed { 15 } else { 2 }) {
            continue;
        }
        fields.push(format!("{}: {}", json!(name), random_value(random, name, property, known)));
    }
    if random.one_in(15) {
        fields.push(random.pick(&["\"unknown\": 1", "\"video_id\": 1", "\"\\u0000\": []"]).to_owned());
    }
    let body = format!("{{{}}}", fields.join(", "));
    Some(if random.one_in(30) { body[..body.len() / 2].chars().filter(char::is_ascii).collect() } else { body })
}

/// Whether the operation leaves the account and its session as they are.
fn keeps_account(operation: &Operation) -> bool {
    let is_of_account = operation.path.contains("/auth/") || operation.path.ends_with("/users/me");
    !is_of_account || operation.method == Method::GET
}

/// The videos, and the ids of the plays that the caller has now.
async fn known_ids(app: &TestApp, person: &Person, films: &[i64]) -> Vec<i64> {
    let plays: Value = app.ask(person, Method::GET, "/api/v1/plays?limit=5", None).await.json().await.unwrap();
    let plays = plays.as_array().unwrap().iter().map(|play| play["id"].as_i64().unwrap());
    films.iter().copied().chain(plays).collect()
}

fn without_limits() -> TestOptions {
    let rates = LimitSettings { writes_per_minute: 0, address_writes_per_minute: 0, ..LimitSettings::default() };
    TestOptions { rates, ..TestOptions::default() }
}

on_both! {
    async fn no_random_request_is_answered_by_a_server_error(app: TestApp = without_limits()) {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
        let seed = number_from("PLAYHEAD_RANDOM_SEED", u64::from(nanos) + 1);
        let count = number_from("PLAYHEAD_RANDOM_REQUESTS", 400);
        let mut random = Random(seed.max(1));
        // The videos of another person, so that none is deleted.
        let (root, ann) = (app.sign_up("root").await, app.sign_up("ann").await);
        let films = [app.add_video(&root, "film", Some(600)).await, app.add_video(&root, "long film", None).await];
        for session in ["one", "two"] {
            let body = json!({"watch_position": 60, "session_id": session});
            app.ask(&ann, Method::POST, &history(films[0]), Some(body)).await;
        }
        let asked: Vec<_> = operations().into_iter().filter(keeps_account).collect();
        let mut known = known_ids(&app, &ann, &films).await;
        for n in 0..count {
            let operation = random.pick(&asked);
            let path = operation.at(random_id(&mut random, &known));
            let path = format!("{path}?{}", random_query(&mut random, &operation, &known));
            let body = random_body(&mut random, &operation, &known);
            let what = format!("seed {seed}, request {n}: {} {path} {body:?}", operation.method);
            let request = app.request(operation.method.clone(), &path).bearer_auth(&ann.token);
            let request = request.header("content-type", "application/json");
            let answer = send(body.into_iter().fold(request, |request, body| request.body(body))).await;
            assert!(answer.status().as_u16() < 500, "{what}: {}", answer.text().await.unwrap());
            if n % 20 == 0 {
                known = known_ids(&app, &ann, &films).await;
            }
        }
    }
}
