//! What counts as played: truncated files, loops, false ends, and positions in the source URL.

use crate::browser::Browser;
use crate::conflicts::{number, wait_for};
use crate::program::Program;
use crate::video_page::{ann_with_a_video_of, open_video, save_elsewhere};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

const PLAYER: &str = "document.querySelector('#player')";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Ann with a video open whose file has these bytes.
async fn ann_with_a_file(bytes: &[u8]) -> (Program, Browser) {
    let program = Program::start();
    let media = program.folder.path().join("media");
    fs::remove_dir_all(&media).unwrap();
    fs::create_dir(&media).unwrap();
    fs::write(media.join("Film.webm"), bytes).unwrap();
    ann_with_a_video_of(program).await
}

/// Ann with a 60-second video open, whose file is cut after the first twelfth.
async fn ann_with_a_truncated_file() -> (Program, Browser) {
    let whole = fs::read(fixture("service/sample/Sample clip.webm")).unwrap();
    let (program, browser) = ann_with_a_file(&whole[..whole.len() / 12]).await;
    browser.wait_until(&format!("{PLAYER}.duration > 59")).await;
    (program, browser)
}

async fn ann_with_two_seconds(name: &str) -> (Program, Browser) {
    ann_with_a_file(&fs::read(fixture("tests/fixtures").join(name)).unwrap()).await
}

async fn play(browser: &Browser) {
    browser.script(&format!("{PLAYER}.play()")).await;
}

/// Leaves the video, and waits for the response to the last save.
async fn leave(browser: &Browser) {
    browser.script("location.hash = '#/'").await;
    browser.see("[href='#/videos/1']").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_end_of_a_truncated_file_is_a_position_and_no_end() {
    let (program, browser) = ann_with_a_truncated_file().await;
    play(&browser).await;
    browser.wait_until(&format!("{PLAYER}.ended && {PLAYER}.currentTime > 59")).await;
    let place = program.wait_for_position(|saved| saved > 1).await;
    assert!(place < 12, "{place} was played");
    assert!(number(&program, 1, "watch_duration").await <= place + 1);
    assert_eq!((number(&program, 1, "completed").await, number(&program, 1, "play_count").await), (0, 0));

    // Played again, the browser starts at zero, which the viewer did not choose.
    play(&browser).await;
    browser.wait_until(&format!("{PLAYER}.currentTime > 1 && {PLAYER}.currentTime < 30")).await;
    browser.script(&format!("{PLAYER}.pause()")).await;
    leave(&browser).await;
    assert_eq!(number(&program, 1, "watch_position").await, place);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_position_after_the_end_of_a_truncated_file_is_kept() {
    let (program, browser) = ann_with_a_truncated_file().await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 40})).await);
    open_video(&program, &browser).await;
    play(&browser).await;
    browser.wait_until(&format!("{PLAYER}.ended")).await;
    leave(&browser).await;
    assert_eq!(number(&program, 1, "watch_position").await, 40);
    assert_eq!((number(&program, 1, "completed").await, number(&program, 1, "watch_duration").await), (0, 0));
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_truncated_file_that_begins_again_while_it_resumes_is_no_choice() {
    let (program, browser) = ann_with_a_truncated_file().await;
    leave(&browser).await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 40})).await);
    // The resume has reached the end of the bytes, and play comes before the player hears of it.
    browser
        .script(
            "const again = ({ target }) => { \
               if (!target.ended || window.isAgain) return; \
               window.isAgain = true; target.play() }; \
             for (const name of ['timeupdate', 'seeked']) document.addEventListener(name, again, { capture: true }); \
             location.hash = '#/videos/1'",
        )
        .await;
    browser.wait_until(&format!("window.isAgain && {PLAYER}.ended && {PLAYER}.currentTime > 59")).await;
    leave(&browser).await;
    assert_eq!(number(&program, 1, "watch_position").await, 40);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_truncated_file_that_loops_is_not_completed() {
    let (program, browser) = ann_with_a_truncated_file().await;
    browser
        .script(&format!("{PLAYER}.loop = true; window.rounds = 0; {PLAYER}.onseeking = () => window.rounds++"))
        .await;
    play(&browser).await;
    browser.wait_until("rounds === 2").await;
    leave(&browser).await;
    assert!((2..12).contains(&number(&program, 1, "watch_position").await));
    assert_eq!(number(&program, 1, "completed").await, 0);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_end_of_the_bytes_is_no_end_if_the_server_knows_a_later_one() {
    let (program, browser) = ann_with_two_seconds("live.webm").await;
    program.execute("UPDATE videos SET duration = 60").await;
    open_video(&program, &browser).await;
    play(&browser).await;
    browser.wait_until(&format!("{PLAYER}.ended")).await;
    program.wait_for_position(|saved| (1..=2).contains(&saved)).await;
    assert_eq!(number(&program, 1, "completed").await, 0);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_video_that_learns_its_duration_during_playback_has_an_end() {
    let (program, browser) = ann_with_two_seconds("live.webm").await;
    program.execute("UPDATE videos SET duration = 2").await;
    open_video(&program, &browser).await;
    play(&browser).await;
    wait_for(&program, 1, "completed", 1).await;
    assert_eq!(number(&program, 1, "watch_position").await, 2);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_end_is_saved_as_the_duration_that_the_server_knows() {
    let (program, browser) = ann_with_a_video_of(Program::start_with(&[("COMPLETED_PERCENT", "100")])).await;
    program.execute("UPDATE videos SET duration = 62").await;
    open_video(&program, &browser).await;
    browser.seek(58.0).await;
    play(&browser).await;
    wait_for(&program, 1, "completed", 1).await;
    assert_eq!(number(&program, 1, "watch_position").await, 62);
    assert!(number(&program, 1, "watch_duration").await <= 3);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_video_that_was_not_played_has_not_ended() {
    let (program, browser) = ann_with_a_video_of(Program::start_with(&[("COMPLETED_PERCENT", "100")])).await;
    // The browser takes such a position for the end.
    browser.script(&format!("{PLAYER}.src += '#t=100'")).await;
    browser.wait_until(&format!("{PLAYER}.currentTime > 59")).await;
    leave(&browser).await;
    assert_eq!(number(&program, 1, "watch_position").await, -1);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_watch_duration_is_clock_time_at_any_speed() {
    let (program, browser) = ann_with_a_video_of(Program::start()).await;
    browser.script(&format!("{PLAYER}.playbackRate = 16; window.begun = performance.now()")).await;
    browser.play_until(20.0).await;
    browser.script(&format!("{PLAYER}.playbackRate = 0.5")).await;
    browser.wait_until(&format!("performance.now() - begun > 4000 && !{PLAYER}.pause()")).await;
    let elapsed = browser.number("(performance.now() - begun) / 1000").await;
    program.wait_for_position(|saved| saved >= 20).await;
    let watched = number(&program, 1, "watch_duration").await;
    assert!(watched >= 2 && f64::from(watched) <= elapsed, "{watched} s were watched in {elapsed} s");
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_looping_video_is_saved_at_its_end() {
    let (program, browser) = ann_with_two_seconds("two-seconds.webm").await;
    browser
        .script(&format!("{PLAYER}.loop = true; window.rounds = 0; {PLAYER}.onseeking = () => window.rounds++"))
        .await;
    play(&browser).await;
    wait_for(&program, 1, "completed", 1).await;
    browser.wait_until(&format!("rounds >= 2 && {PLAYER}.currentTime > 1")).await;
    leave(&browser).await;
    assert_eq!((number(&program, 1, "watch_position").await, number(&program, 1, "completed").await), (2, 1));
    assert_eq!(number(&program, 1, "play_count").await, 1);
    assert!(number(&program, 1, "watch_duration").await >= 4);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_seek_in_a_looping_video_is_saved() {
    let (program, browser) = ann_with_a_video_of(Program::start()).await;
    browser.script(&format!("{PLAYER}.loop = true")).await;
    browser.seek(59.0).await;
    play(&browser).await;
    wait_for(&program, 1, "watch_position", 60).await;
    browser.wait_until(&format!("{PLAYER}.currentTime < 30")).await;
    browser.seek(30.0).await;
    program.wait_for_position(|saved| saved == 30).await;
    browser.seek(0.0).await;
    program.wait_for_position(|saved| saved == 0).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_position_in_the_source_url_beats_the_resume() {
    let (program, browser) = ann_with_a_video_of(Program::start()).await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 50, "session_id": "television"})).await);
    for (fragment, begin) in [("t=10", 10), ("t=00:11", 11), ("t=npt:12,20", 12), ("x=1&t=13.5", 13), ("t=0", 0)] {
        open_video(&program, &browser).await;
        browser.wait_until(&format!("{PLAYER}.currentTime >= 50")).await;
        browser.script(&format!("{PLAYER}.src += '#{fragment}'")).await;
        browser.wait_until(&format!("{PLAYER}.readyState >= 2 && !{PLAYER}.seeking")).await;
        browser.wait_until(&format!("Math.floor({PLAYER}.currentTime) === {begin}")).await;
        leave(&browser).await;
        assert_eq!(number(&program, 1, "watch_position").await, 50, "nothing was played from {fragment}");
    }
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn playback_from_the_position_of_the_source_url_is_saved() {
    let (program, browser) = ann_with_a_video_of(Program::start()).await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 50, "session_id": "television"})).await);
    // Another page, whose element starts there from the outset.
    let token = program.token("ann").await;
    browser
        .script(&format!(
            "import('/playhead.js').then(({{ createPlayhead }}) => {{ \
               const video = {PLAYER}.cloneNode(); {PLAYER}.removeAttribute('id'); \
               video.src = '/api/v1/videos/1/stream#t=10,14'; document.body.prepend(video); \
               createPlayhead({{ getToken: () => '{token}' }}).attach(video, 1) }})"
        ))
        .await;
    browser.play_until(12.5).await;
    browser.wait_until(&format!("{PLAYER}.paused")).await;
    program.wait_for_position(|saved| saved == 14).await;
    // After a reload it continues where it was.
    browser.seek(30.0).await;
    program.wait_for_position(|saved| saved == 30).await;
    browser.script(&format!("{PLAYER}.load()")).await;
    browser.wait_until(&format!("{PLAYER}.readyState >= 2 && Math.abs({PLAYER}.currentTime - 30) < 1")).await;
}
