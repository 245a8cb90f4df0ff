//! The history page in a browser.

use crate::viewer::Viewer;
use reqwest::Method;
use serde_json::Value;

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_hidden_video_leaves_continue_watching_and_comes_back() {
    let ann = Viewer::start().await;
    let video = ann.watch("Lighthouse", 120, 0).await;
    let card = format!("#continue-watching .card[data-video-id='{video}']");
    ann.open("").await;
    ann.browser.see(&card).await;
    ann.open("history").await;
    ann.choose(video, "hide").await;
    ann.browser.see(&format!("[data-video-id='{video}'] .mark")).await;
    assert_eq!(ann.entry(video).await["hidden"], true);
    ann.open("").await;
    ann.browser.see("#library .card").await;
    assert!(ann.browser.is_absent(&card).await);
    ann.open("history").await;
    ann.choose(video, "unhide").await;
    ann.is_told("Shown in").await;
    assert!(ann.browser.is_absent(&format!("[data-video-id='{video}'] .mark")).await);
    ann.open("").await;
    ann.browser.see(&card).await;
    assert_eq!(ann.entry(video).await["watch_position"], 120);
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn three_videos_are_marked_as_watched_in_bulk() {
    let ann = Viewer::start().await;
    let mut videos = Vec::new();
    for title in ["Harbour", "Lighthouse", "Pier", "Quay"] {
        videos.push(ann.watch(title, 120, 0).await);
    }
    ann.open("history").await;
    ann.browser.click("#select").await;
    for video in &videos[..3] {
        ann.browser.click(&format!("[data-video-id='{video}'] .row-select")).await;
    }
    ann.browser.screenshot("history-selection").await;
    ann.browser.click("#mark-selected").await;
    ann.is_told("Marked as watched: 3").await;
    ann.browser.wait_until("document.querySelectorAll('.mark.watched').length === 3").await;
    for video in &videos[..3] {
        let entry = ann.entry(*video).await;
        assert_eq!((&entry["completed"], &entry["play_count"]), (&Value::from(true), &Value::from(1)));
    }
    assert_eq!(ann.entry(videos[3]).await["play_count"], 0);
    ann.browser.click("[href='#/history?state=in_progress']").await;
    ann.sees_rows(vec![videos[3]]).await;
    ann.browser.click("[href='#/history?state=completed']").await;
    ann.sees_rows(videos[..3].to_vec()).await;
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn undo_after_a_mark_restores_the_position() {
    let ann = Viewer::start().await;
    let video = ann.watch("Lighthouse", 120, 0).await;
    ann.open("history").await;
    ann.choose(video, "mark").await;
    ann.browser.see(&format!("[data-video-id='{video}'] .mark.watched")).await;
    assert_eq!(ann.entry(video).await["watch_position"], 600);
    ann.browser.click("#undo").await;
    ann.is_told("Undone").await;
    assert!(ann.browser.is_absent(".mark.watched").await);
    let entry = ann.entry(video).await;
    assert_eq!((&entry["watch_position"], &entry["play_count"]), (&Value::from(120), &Value::from(0)));
    assert_eq!(entry["completed"], false);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_forgotten_video_cannot_be_brought_back() {
    let ann = Viewer::start().await;
    let (video, other) = (ann.watch("Lighthouse", 120, 0).await, ann.watch("Pier", 60, 0).await);
    ann.open("history").await;
    ann.choose(video, "forget").await;
    ann.browser.wait_until("/cannot be brought back/.test(document.querySelector('dialog').textContent)").await;
    ann.browser.screenshot("history-forget").await;
    ann.browser.click("dialog [data-action='cancel']").await;
    assert_eq!(ann.entry(video).await["watch_position"], 120, "the question was answered with no");
    ann.choose(video, "forget").await;
    ann.browser.click("dialog [data-action='confirm']").await;
    ann.sees_rows(vec![other]).await;
    assert_eq!(ann.entry(video).await, Value::Null);
    let undo = ann.ask(Method::POST, &format!("/videos/{video}/watch-history/undo"), None).await;
    assert_eq!(undo.0, 404, "{undo:?}");
    assert!(!ann.browser.is_visible("#undo").await);
    ann.open("history").await;
    ann.sees_rows(vec![other]).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn history_before_a_date_is_cleared_after_a_question() {
    let ann = Viewer::start().await;
    for title in ["Harbour", "Lighthouse", "Mole"] {
        ann.watch(title, 120, 10).await;
    }
    let newer = vec![ann.watch("Pier", 60, 2).await, ann.watch("Quay", 60, 0).await];
    ann.open("history").await;
    ann.browser.click("#clear-history").await;
    let says = |count: u32| {
        format!("document.querySelector('#clear-count').textContent === '{count} videos will be forgotten.'")
    };
    ann.browser.wait_until(&says(5)).await;
    ann.browser
        .script(
            "const day = new Date(Date.now() - 5 * 86400000); const field = document.querySelector('#clear-date'); \
             document.querySelector('#clear-before').checked = true; \
             field.valueAsDate = day; field.dispatchEvent(new Event('change', { bubbles: true }))",
        )
        .await;
    ann.browser.wait_until(&says(3)).await;
    ann.browser.screenshot("history-clear").await;
    ann.browser.click("dialog [data-action='confirm']").await;
    ann.is_told("Videos cleared from your history: 3").await;
    ann.sees_rows(newer).await;
    let (_, left) = ann.ask(Method::GET, "/watch-history", None).await;
    assert_eq!(left.as_array().unwrap().len(), 2);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_history_is_listed_by_day_searched_and_read_page_by_page() {
    let ann = Viewer::start().await;
    let old = ann.watch("Lighthouse of old", 120, 1).await;
    for number in 0..31 {
        ann.watch(&format!("Harbour {number}"), 60, 0).await;
    }
    ann.open("history").await;
    ann.browser.wait_until("document.querySelectorAll('.row').length === 30").await;
    assert_eq!(ann.browser.text("document.querySelector('#history-days h2').textContent").await, "Today");
    ann.browser.click("#load-more").await;
    ann.browser.wait_until("document.querySelectorAll('.row').length === 32").await;
    let days = "[...document.querySelectorAll('#history-days h2')].map((day) => day.textContent).join()";
    assert_eq!(ann.browser.text(days).await, "Today,Yesterday");
    assert!(!ann.browser.is_visible("#load-more").await);
    ann.browser.fill("#history-search", "lighthouse\u{e007}").await;
    ann.sees_rows(vec![old]).await;
    ann.browser.wait_until("document.activeElement === document.querySelector('h1')").await;
    assert_eq!(ann.browser.text("document.title").await, "History · Playhead");
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn an_earlier_play_is_resumed_and_another_deleted() {
    let ann = Viewer::start().await;
    ann.program.scan();
    for (session, position) in [("morning", 20), ("evening", 45)] {
        let save = serde_json::json!({"watch_position": position, "session_id": session, "sequence": 1});
        assert_eq!(ann.ask(Method::POST, "/videos/1/watch-history", Some(save)).await.0, 200);
    }
    ann.open("history").await;
    ann.browser.click("[data-video-id='1'] .plays-button").await;
    ann.browser.wait_until("document.querySelectorAll('.plays li').length === 2").await;
    ann.browser.screenshot("history-plays").await;
    ann.browser.click(".plays li:first-child [data-action='delete-play']").await;
    ann.browser.click("dialog [data-action='confirm']").await;
    ann.browser.wait_until("document.querySelectorAll('.plays li').length === 1").await;
    assert_eq!(ann.entry(1).await["watch_position"], 45, "the position stays");
    ann.browser.click(".plays [data-action='resume-play']").await;
    ann.browser.wait_until("Math.abs(document.querySelector('#player').currentTime - 20) < 2").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_menu_is_used_by_keyboard() {
    let ann = Viewer::start().await;
    let video = ann.watch("Lighthouse", 120, 0).await;
    ann.open("history").await;
    let button = format!("[data-video-id='{video}'] .menu-button");
    ann.browser.fill(&button, "\u{e007}").await;
    ann.browser.see(".menu:popover-open").await;
    let active = "document.activeElement.dataset.action";
    assert_eq!(ann.browser.text(active).await, "resume");
    ann.browser.fill(":focus", "\u{e013}").await; // the arrow up goes round
    assert_eq!(ann.browser.text(active).await, "forget");
    ann.browser.fill(":focus", "\u{e00c}").await; // Escape
    ann.browser.wait_until(&format!("document.activeElement === document.querySelector(\"{button}\")")).await;
    assert!(ann.browser.is_absent(".menu:popover-open").await);
    ann.browser.fill(&button, "\u{e007}").await;
    ann.browser.fill(":focus", "h").await; // to the item that begins with this letter
    ann.browser.fill(":focus", "\u{e007}").await;
    ann.is_told("Hidden from").await;
    assert_eq!(ann.entry(video).await["hidden"], true);
}
