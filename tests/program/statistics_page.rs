//! The statistics page in a browser, after real playback.

use crate::program::Program;
use crate::viewer::Viewer;
use reqwest::Method;
use std::path::Path;

/// How far the sum may be from what was really played.
const TOLERANCE: f64 = 2.0;

/// Plays a clip from its page for some seconds, and returns for how long it played.
async fn play(ann: &Viewer, video: i64, seconds: f64) -> f64 {
    let browser = &ann.browser;
    ann.open(&format!("videos/{video}")).await;
    browser.wait_until("document.querySelector('#player').readyState >= 2").await;
    browser
        .script(
            "window.played = 0; const player = document.querySelector('#player'); let start = 0; \
             player.addEventListener('playing', () => { start = performance.now() }); \
             player.addEventListener('pause', () => { window.played += (performance.now() - start) / 1000 })",
        )
        .await;
    browser.play_until(seconds).await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.wait_until("window.played > 0").await;
    browser.wait_until("document.querySelector('#save-status').dataset.state === 'saved'").await;
    let played = browser.number("window.played").await;
    // The page saves what is left when it is closed.
    browser.script("location.hash = '#/'").await;
    browser.see("#library .card").await;
    played
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn statistics_after_two_clips_are_what_was_really_played() {
    let program = Program::start();
    let media = program.folder.path().join("media");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("service/sample/Sample clip.webm");
    std::fs::copy(sample, media.join("Lighthouse.webm")).unwrap();
    let ann = Viewer::start_on(program).await;
    let (done, said) = ann.program.run(&["scan"], "");
    assert!(done && said.contains("2 added"), "{said}");

    let played = play(&ann, 1, 4.0).await + play(&ann, 2, 7.0).await;
    assert!(played > 9.0, "played {played} s");

    ann.open("statistics").await;
    ann.browser.see("[data-total='plays']").await;
    let shown = ann.browser.text("document.querySelector('[data-total=watched] dd').textContent").await;
    let seconds: f64 = shown.trim_end_matches(" sec").parse().unwrap();
    assert!((seconds - played).abs() <= TOLERANCE, "played {played} s, the page says {shown}");
    let plays = "document.querySelector('[data-total=plays] dd').textContent";
    assert_eq!(ann.browser.text(plays).await, "2");
    let titles = "[...document.querySelectorAll('#top-videos li a')].map((link) => link.textContent).join()";
    assert_eq!(ann.browser.text(titles).await, "Lighthouse,Harbour at dawn");
    // The hidden table of the days says the same as the total.
    let today = "document.querySelector('#by-day tr:last-child td').textContent";
    assert_eq!(ann.browser.text(today).await, shown);
    let (_, answer) = ann.ask(Method::GET, "/users/me/statistics", None).await;
    assert!((answer["watched_seconds"].as_f64().unwrap() - played).abs() <= TOLERANCE, "{answer}");
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}
