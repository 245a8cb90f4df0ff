//! The menus and marks on the cards of the library.

use crate::browser::Browser;
use crate::conflicts::wait_for;
use crate::program::Program;
use crate::video_page::{ann_with_a_video_open, save_elsewhere};
use serde_json::json;

const CONTINUE: &str = "#continue-watching .card[data-video-id='1']";
const MARK: &str = "#library .watched-mark";

/// Ann's library, with one video that she has watched up to second 20.
async fn ann_in_her_library() -> (Program, Browser) {
    let (program, browser) = ann_with_a_video_open().await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 20, "device": "Living room"})).await);
    browser.script("location.hash = '#/'").await;
    browser.see(CONTINUE).await;
    (program, browser)
}

/// Opens the menu of a card, and takes one of its actions.
async fn choose(browser: &Browser, section: &str, action: &str) {
    browser.click(&format!("{section} .menu-button")).await;
    browser.click(&format!("{section} [data-action='{action}']")).await;
}

async fn wait_until_gone(browser: &Browser, selector: &str) {
    browser.wait_until(&format!("!document.querySelector(\"{selector}\")")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_hidden_video_comes_back_by_being_played() {
    let (program, browser) = ann_in_her_library().await;
    choose(&browser, "#continue-watching", "hide").await;
    wait_until_gone(&browser, CONTINUE).await;
    wait_for(&program, 1, "hidden", 1).await;
    wait_for(&program, 1, "watch_position", 20).await;
    browser.screenshot("card-hidden").await;

    browser.click("#library .card[data-video-id='1']").await;
    browser.wait_until("document.querySelector('#player').currentTime >= 20").await;
    browser.play_until(22.0).await;
    browser.script("document.querySelector('#player').pause(); location.hash = '#/'").await;
    browser.see(CONTINUE).await;
    wait_for(&program, 1, "hidden", 0).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn hiding_a_card_can_be_undone() {
    let (program, browser) = ann_in_her_library().await;
    choose(&browser, "#continue-watching", "hide").await;
    wait_until_gone(&browser, CONTINUE).await;
    browser.click("#undo").await;
    browser.see(CONTINUE).await;
    wait_for(&program, 1, "hidden", 0).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_video_is_marked_as_watched_and_back() {
    let (program, browser) = ann_in_her_library().await;
    assert!(browser.is_absent(MARK).await);
    choose(&browser, "#library", "mark").await;
    browser.see(MARK).await;
    wait_until_gone(&browser, CONTINUE).await;
    wait_for(&program, 1, "completed", 1).await;
    wait_for(&program, 1, "watch_position", 60).await;
    browser.screenshot("card-watched").await;

    // The mark is there again when the library is opened anew.
    browser.open(&program.url("/")).await;
    browser.see(MARK).await;
    choose(&browser, "#library", "unmark").await;
    wait_until_gone(&browser, MARK).await;
    wait_for(&program, 1, "play_count", 0).await;
    browser.click("#undo").await;
    browser.see(MARK).await;
    wait_for(&program, 1, "play_count", 1).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn undoing_a_mark_brings_the_position_back() {
    let (program, browser) = ann_in_her_library().await;
    // The server keeps a place that was left by more than 30 seconds.
    choose(&browser, "#continue-watching", "mark").await;
    browser.see(MARK).await;
    wait_for(&program, 1, "watch_position", 60).await;
    browser.click("#undo").await;
    wait_until_gone(&browser, MARK).await;
    browser.see(CONTINUE).await;
    wait_for(&program, 1, "watch_position", 20).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_video_is_forgotten_after_a_question() {
    let (program, browser) = ann_in_her_library().await;
    choose(&browser, "#continue-watching", "forget").await;
    browser.see("dialog.question").await;
    browser.screenshot("card-forget").await;
    browser.click("[data-action='cancel']").await;
    wait_until_gone(&browser, "dialog.question").await;
    wait_for(&program, 1, "watch_position", 20).await;
    choose(&browser, "#continue-watching", "forget").await;
    browser.click("[data-action='confirm']").await;
    program.wait_for_no_history().await;
    wait_until_gone(&browser, CONTINUE).await;
    browser.wait_until("document.querySelector('#undo').hidden").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_card_s_menu_is_used_with_the_keyboard() {
    let (program, browser) = ann_in_her_library().await;
    let button = "#continue-watching .menu-button";
    let action = |name: &str| format!("document.activeElement.dataset.action === '{name}'");
    let expanded = format!("document.querySelector('{button}').getAttribute('aria-expanded')");
    browser.script(&format!("document.querySelector('{button}').focus()")).await;
    browser.press("\u{e007}").await; // Enter
    browser.wait_until(&action("resume")).await;
    browser.wait_until(&format!("{expanded} === 'true'")).await;
    browser.screenshot("card-menu").await;
    browser.press("\u{e013}").await; // up, from the first action to the last
    browser.wait_until(&action("forget")).await;
    browser.press("\u{e00c}").await; // Escape
    browser.wait_until(&format!("{expanded} === 'false' && document.activeElement.matches('{button}')")).await;
    browser.press("\u{e007}").await;
    browser.wait_until(&action("resume")).await;
    browser.press("\u{e015}").await; // down
    browser.wait_until(&action("hide")).await;
    browser.press("\u{e007}").await;
    wait_for(&program, 1, "hidden", 1).await;
    wait_until_gone(&browser, CONTINUE).await;
    // The focus did not get lost with the card.
    browser.wait_until("document.activeElement !== document.body").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
