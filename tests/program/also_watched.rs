//! The shelf of recommended videos in the library.

use crate::following::is_live;
use crate::program::Program;
use crate::viewer::Viewer;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// How often the server learns, in minutes; 0 for never.
const LEARNS: &str = "RECOMMENDATIONS_EVERY_MINUTES";

/// Three viewers who let others learn from them have watched both videos.
async fn three_viewers_watch(ann: &Viewer, videos: [i64; 2]) {
    for name in ["bob", "cyd", "dan"] {
        ann.program.create_user(name);
        let token = ann.program.token(name).await;
        let consent = Some(json!({"recommendations": true}));
        assert_eq!(ann.ask_as(&token, Method::PATCH, "/users/me/preferences", consent).await.0, 200);
        for video in videos {
            let path = format!("/videos/{video}/watched");
            assert_eq!(ann.ask_as(&token, Method::PUT, &path, Some(json!({}))).await.0, 200);
        }
    }
}

/// Restarts the server, which learns when it starts, and signs in again.
async fn restart_to_learn(ann: &mut Viewer) {
    ann.program.signal("INT");
    assert!(ann.program.wait().success());
    ann.program.environment = vec![(LEARNS.into(), "60".into())];
    ann.program.serve();
    ann.browser.sign_in(&ann.program, "ann").await;
}

/// Whether the library shows the shelf, once the server has answered.
async fn has_shelf(ann: &Viewer) -> bool {
    ann.browser.see("#library .card").await;
    let request =
        |path: &str| format!("performance.getEntriesByType('resource').find((one) => one.name.includes('{path}'))");
    let [list, shelf] = [request("/videos?"), request("/videos/recommendations")];
    ann.browser.wait_until(&format!("({shelf}).responseEnd > 0")).await;
    let is_later = ann.browser.number(&format!("({shelf}).startTime - ({list}).responseEnd")).await > 0.0;
    assert!(is_later, "the shelf is read after the list");
    ann.browser.is_visible("#also-watched").await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_shelf_is_there_while_recommendations_are_on() {
    let mut ann = Viewer::start_on(Program::start_with(&[(LEARNS, "0")])).await;
    let [seen, other] = [ann.add_video("Lighthouse").await, ann.add_video("Pier").await];
    three_viewers_watch(&ann, [seen, other]).await;
    assert_eq!(ann.ask(Method::PUT, &format!("/videos/{seen}/watched"), Some(json!({}))).await.0, 200);
    restart_to_learn(&mut ann).await;
    ann.open("").await;
    assert!(!has_shelf(&ann).await);

    ann.open("settings").await;
    ann.browser.click("#recommendations").await;
    ann.browser
        .wait_until("document.querySelector('#recommendation-settings .form-done').textContent === 'Saved'")
        .await;
    let begun = Instant::now();
    while !ann.ask(Method::GET, "/videos/recommendations", None).await.1.to_string().contains("watched_together") {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was learned");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ann.open("").await;
    ann.browser.see(&format!("#also-watched .card[data-video-id='{other}']")).await;
    assert!(ann.browser.is_absent(&format!("#also-watched .card[data-video-id='{seen}']")).await);
    let reason = format!("document.querySelector(\"#also-watched [data-video-id='{other}']\").textContent");
    assert!(ann.browser.text(&reason).await.ends_with("Because you watched “Lighthouse”"));
    ann.browser.screenshot("also-watched").await;

    // The shelf follows the viewer's other devices.
    is_live(&ann.browser).await;
    let card = format!("document.querySelector(\"#also-watched [data-video-id='{other}']\")");
    let save = Some(json!({"watch_position": 300}));
    assert_eq!(ann.ask(Method::POST, &format!("/videos/{other}/watch-history"), save).await.0, 200);
    ann.browser.wait_until(&format!("{card}.querySelector('[role=progressbar]').ariaValueNow == 50")).await;
    assert_eq!(ann.ask(Method::PUT, &format!("/videos/{other}/watched"), Some(json!({}))).await.0, 200);
    ann.browser.wait_until(&format!("{card} === null")).await;

    ann.open("settings").await;
    ann.browser.click("#recommendations").await;
    ann.browser
        .wait_until("document.querySelector('#recommendation-settings .form-done').textContent === 'Saved'")
        .await;
    ann.open("").await;
    assert!(!has_shelf(&ann).await);
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}
