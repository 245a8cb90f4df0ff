//! The preferences of a viewer: read, changed in part, and refused when they are wrong.

use crate::app::{Person, TestApp, problem};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use service::preferences::{self, PreferencesUpdate};
use service::storage::Event;
use tokio::sync::broadcast::error::TryRecvError;

const PATH: &str = "/api/v1/users/me/preferences";

async fn read(app: &TestApp, person: &Person) -> Value {
    let answer = app.ask(person, Method::GET, PATH, None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn change(app: &TestApp, person: &Person, body: Value) -> Response {
    app.ask(person, Method::PATCH, PATH, Some(body)).await
}

fn at_first() -> Value {
    json!({"history": "on", "retention_days": null, "recommendations": false})
}

on_both! {
    async fn an_account_begins_with_everything_kept_and_no_recommendations(app: TestApp) {
        let ann = app.sign_up("ann").await;
        assert_eq!(read(&app, &ann).await, at_first());
    }

    async fn each_preference_is_changed_by_itself(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        for (body, history, days, recommendations) in [
            (json!({"history": "positions"}), "positions", json!(null), false),
            (json!({"retention_days": 30}), "positions", json!(30), false),
            (json!({"recommendations": true}), "positions", json!(30), true),
            (json!({}), "positions", json!(30), true),
            (json!({"history": "off", "retention_days": 3650}), "off", json!(3650), true),
            (json!({"retention_days": 1.0}), "off", json!(1), true),
            (json!({"retention_days": null}), "off", json!(null), true),
            (json!({"history": "on", "retention_days": 7, "recommendations": false}), "on", json!(7), false),
        ] {
            let after = json!({"history": history, "retention_days": days, "recommendations": recommendations});
            let changed = change(&app, &ann, body.clone()).await;
            assert_eq!(changed.status(), StatusCode::OK, "{body}");
            assert_eq!(changed.json::<Value>().await.unwrap(), after, "{body}");
            assert_eq!(read(&app, &ann).await, after, "{body}");
        }
        assert_eq!(read(&app, &bob).await, at_first(), "another account");
    }

    async fn a_wrong_preference_is_named_and_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for (field, body) in [
            ("history", json!({"history": "On"})),
            ("history", json!({"history": "never", "recommendations": true})),
            ("history", json!({"history": null, "recommendations": true})),
            ("history", json!({"history": true})),
            ("retention_days", json!({"retention_days": 0, "recommendations": true})),
            ("retention_days", json!({"retention_days": 3651, "history": "off"})),
            ("retention_days", json!({"retention_days": -1})),
            ("retention_days", json!({"retention_days": 1.5})),
            ("retention_days", json!({"retention_days": "30"})),
            ("retention_days", json!({"retention_days": 1_u64 << 40})),
            ("recommendations", json!({"recommendations": null, "history": "off"})),
            ("recommendations", json!({"recommendations": 1})),
            ("recommendations", json!({"recommendations": "true"})),
            ("histroy", json!({"histroy": "off", "recommendations": true})),
        ] {
            let refused = problem(change(&app, &ann, body.clone()).await, 422, "validation_failed").await;
            assert_eq!(refused["errors"][0]["field"], field, "{body} {refused}");
            assert_eq!(read(&app, &ann).await, at_first(), "{body}");
        }
    }

    async fn a_change_of_preferences_has_an_event_and_no_change_has_none(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let mut listener = app.db.subscribe();
        let update = PreferencesUpdate { recommendations: Some(true), ..Default::default() };
        for expected in [Ok(Event::PreferencesChanged { user_id: ann.id }), Err(TryRecvError::Empty)] {
            let changed = app.db.transaction(async |tx| preferences::update(tx, ann.id, update, app.now()).await).await;
            assert!(changed.unwrap().recommendations);
            assert_eq!(listener.try_next(), expected);
        }
    }
}
