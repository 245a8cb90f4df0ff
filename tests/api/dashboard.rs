//! The dashboard and the alerts of docs/ name metrics that exist.

use crate::app::{TestApp, TestOptions};
use crate::databases::Engine;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const DASHBOARD: &str = "docs/grafana/playhead.json";
const PAGES: [&str; 2] = ["docs/operations.md", "docs/grafana/alerts.yaml"];

/// Whole words that begin as our metrics do.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("playhead_") || word.starts_with("process_")).collect()
}

#[tokio::test]
async fn every_metric_that_is_watched_exists() {
    let app = TestApp::start_with(Engine::Sqlite, TestOptions { metrics: true, ..TestOptions::default() }).await;
    let ann = app.sign_up("ann").await;
    let film = app.add_video(&ann, "film", Some(100)).await;
    app.save(&ann, film, 5).await;
    app.ask(&ann, Method::GET, "/api/v1/videos", None).await;
    let text = app.metrics().await;
    let mut known = text.names();
    known.extend(text.families.keys().map(String::as_str));
    for file in [DASHBOARD].iter().chain(&PAGES) {
        let written = fs::read_to_string(file).unwrap();
        let named = metrics_in(&written);
        assert!(named.len() > 5, "{file} names metrics");
        let missing = Vec::from_iter(named.difference(&known));
        assert!(missing.is_empty(), "{file} names {missing:?}");
    }
    let page = fs::read_to_string(PAGES[0]).unwrap();
    let unsaid = text.families.keys().filter(|name| name.starts_with("playhead_") && !page.contains(*name));
    assert_eq!(unsaid.collect::<Vec<_>>(), Vec::<&String>::new(), "{} explains every metric", PAGES[0]);
}

/// What Grafana needs to import a dashboard and to draw its panels.
#[test]
fn the_dashboard_has_the_form_that_grafana_imports() {
    let board: Value = serde_json::from_str(&fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    assert!(board["id"].is_null() && board["uid"].is_string() && board["title"].is_string());
    assert!(board["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
    assert_eq!(board["templating"]["list"][0]["query"], "prometheus");
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in board["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        check_place(panel, &mut taken);
        if panel["type"] == "row" {
            continue;
        }
        assert!(["timeseries", "stat"].contains(&panel["type"].as_str().unwrap()), "{panel}");
        assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{panel}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        let letters = BTreeSet::from_iter(targets.iter().map(|target| target["refId"].as_str().unwrap()));
        assert!(!targets.is_empty() && letters.len() == targets.len(), "{panel}");
        for target in targets {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{target}");
            check_query(target["expr"].as_str().unwrap());
        }
    }
}

/// A panel lies on the grid of 24 columns, and on no other panel.
fn check_place(panel: &Value, taken: &mut BTreeSet<(u64, u64)>) {
    let [x, y, width, height] = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().unwrap());
    assert!(x + width <= 24, "{panel}");
    let mut fields = (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y)));
    assert!(fields.all(|field| taken.insert(field)), "{panel} lies on another one");
}

/// A counter is shown as a rate, and brackets are closed.
fn check_query(query: &str) {
    for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
        assert_eq!(query.matches(open).count(), query.matches(close).count(), "{query}");
    }
    assert!(!metrics_in(query).is_empty(), "{query}");
    for name in metrics_in(query)
        .iter()
        .filter(|name| ["_total", "_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end)))
    {
        let before = &query[..query.find(name).unwrap()];
        assert!(before.ends_with("rate(") || before.ends_with("increase("), "{query}");
    }
}
