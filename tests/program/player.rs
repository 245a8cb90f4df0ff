//! The player from end to end: the program, a real video, a real browser, and the database.
//!
//! Needs Chromium and its driver (Debian's `chromium` and `chromium-driver`). Pictures of what was
//! seen are left under `target/screenshots`.

use crate::browser::Browser;
use crate::program::Program;
use crate::video_page::{WAITING, ann_with_a_video_open, row, status_says};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_viewer_signs_up_plays_closes_the_tab_and_resumes() {
    let program = Program::start();
    let browser = Browser::start().await;

    browser.open(&program.url("/#/sign-up")).await;
    for (field, text) in [("email", "ann@example.org"), ("username", "ann"), ("password", "correct horse")] {
        browser.fill(&format!("#sign-up-form [name={field}]"), text).await;
    }
    browser.click("#sign-up-form [type=submit]").await;
    browser.see("#signed-in-user").await;
    assert!(browser.is_absent("#continue-watching .card").await, "nothing was watched yet");

    program.scan();
    browser.open(&program.url("/")).await;
    browser.see("#library .card[data-video-id='1'] img").await;
    browser.screenshot("library-of-a-newcomer").await;

    // Play some seconds: the save of a pause arrives in the database.
    browser.click("#library .card[data-video-id='1']").await;
    browser.play_until(3.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    let saved = program.wait_for_position(|position| position >= 3).await;
    assert!(saved <= 6, "paused after 3 seconds, saved {saved}");

    // Close the tab in the middle of playing: the last position is saved on the way out.
    browser.seek(30.0).await;
    browser.play_until(33.0).await;
    browser.screenshot("player").await;
    let left_at = browser.position().await;
    browser.close_tab().await;
    let saved = program.wait_for_position(|position| f64::from(position) >= left_at.floor()).await;
    assert!(f64::from(saved) <= left_at + 2.0, "left at {left_at}, saved {saved}");

    // Come back: the card has its progress bar, and playback resumes within two seconds of the
    // saved position.
    browser.open(&program.url("/")).await;
    let card = "#continue-watching .card[data-video-id='1']";
    browser.see(card).await;
    let bar = format!("parseFloat(document.querySelector(\"{card} .progress > .bar\").style.width)");
    let width = browser.number(&bar).await;
    assert!((width - f64::from(saved) / 60.0 * 100.0).abs() < 1.0, "saved {saved} of 60 s, the bar is {width} % wide");
    browser.screenshot("continue-watching").await;
    browser.click(card).await;
    browser.wait_until("document.querySelector('#player').currentTime > 0").await;
    let resumed = browser.position().await;
    assert!((resumed - f64::from(saved)).abs() < 2.0, "saved {saved}, resumed at {resumed}");
    browser.play_until(resumed + 1.0).await;

    // Past 90 percent the video leaves the section, but is still resumed.
    browser.seek(55.5).await;
    program.wait_for_position(|position| position == 55).await;
    browser.open(&program.url("/")).await;
    browser.see("#library .card").await;
    assert!(browser.is_absent("#continue-watching .card").await, "55 of 60 s is completed");
    browser.click("#library .card[data-video-id='1']").await;
    browser.wait_until("Math.abs(document.querySelector('#player').currentTime - 55) < 2").await;

    // From 95 percent on it starts at zero.
    browser.seek(58.0).await;
    program.wait_for_position(|position| position == 58).await;
    browser.open(&program.url("/")).await;
    browser.click("#library .card[data-video-id='1']").await;
    browser.wait_until("document.querySelector('#player').readyState >= 2").await;
    tokio::time::sleep(SECOND).await;
    assert!(browser.position().await < 2.0, "58 of 60 s is as good as the end");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.script("setTimeout(() => { throw new Error('on purpose') })").await;
    browser.wait_until("true").await;
    assert_eq!(browser.console_errors().await.len(), 1, "the console's log can be read");
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_page_says_that_a_playing_video_was_deleted() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.play_until(1.0).await;
    program.execute("DELETE FROM videos").await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.wait_until("/deleted/i.test(document.querySelector('#save-status').textContent)").await;
    browser.screenshot("deleted-while-playing").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn start_over_begins_at_zero_and_forget_deletes_the_entry() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.play_until(0.5).await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.seek(20.0).await;
    program.wait_for_position(|position| position == 20).await;
    browser.click("#start-over").await;
    program.wait_for_position(|position| position == 0).await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.seek(20.0).await;
    program.wait_for_position(|position| position == 20).await;
    browser.click("#forget").await;
    program.wait_for_no_history().await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_viewer_who_keeps_no_history_is_told_that_nothing_is_saved() {
    let (program, browser) = ann_with_a_video_open().await;
    program.execute("UPDATE users SET history_mode = 'off'").await;
    browser.seek(20.0).await;
    status_says(&browser, "Not saved: your history is off or was deleted").await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    assert!(row(&program).await.is_none());
}
