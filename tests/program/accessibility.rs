//! Every page, checked with axe in both colour schemes, on a wide screen and on a phone.

use crate::browser::Browser;
use crate::viewer::Viewer;
use std::path::Path;
use std::process::Command;

/// The narrowest phone, in CSS pixels.
const NARROW: u32 = 320;
const WIDE: u32 = 1280;

/// The script of axe, which is installed with the tools of `tests/web`.
pub fn axe() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web");
    let install = Command::new(folder.join("install.sh")).output().unwrap();
    assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
    let tools = folder.join(String::from_utf8(install.stdout).unwrap().trim());
    std::fs::read_to_string(tools.join("node_modules/axe-core/axe.min.js")).unwrap()
}

/// What axe finds on the page that is shown, one line each.
async fn findings(browser: &Browser, axe: &str) -> String {
    browser.script(axe).await;
    browser
        .script(
            "window.found = undefined; axe.run().then(({ violations }) => { window.found = violations.map((rule) => \
               `${rule.id}: ${rule.nodes.map((node) => node.target.join(' ')).join(', ')}`).join('\\n') })",
        )
        .await;
    browser.wait_until("window.found !== undefined").await;
    browser.text("window.found").await
}

/// Checks the page as it is, light and dark, wide and narrow.
pub async fn is_accessible(browser: &Browser, axe: &str, name: &str) {
    for scheme in ["light", "dark"] {
        for width in [WIDE, NARROW] {
            browser.look(scheme, width).await;
            let picture = format!("{name}-{scheme}-{width}");
            browser.screenshot(&picture).await;
            let too_wide = browser.number("document.documentElement.scrollWidth - innerWidth").await;
            assert!(too_wide <= 0.0, "{picture} scrolls sideways by {too_wide} pixels");
            assert_eq!(findings(browser, axe).await, "", "{picture}");
        }
    }
    browser.look("light", WIDE).await;
}

#[tokio::test]
#[ignore = "needs Chromium and npm"]
async fn every_page_is_accessible_in_both_schemes_and_on_a_phone() {
    let axe = axe();
    let ann = Viewer::start().await;
    let browser = &ann.browser;
    for page in ["history", "statistics"] {
        ann.open(page).await;
        browser.see(".notice").await;
        is_accessible(browser, &axe, &format!("{page}-empty")).await;
    }
    ann.program.scan();
    let hidden = ann.watch("A film with a long name that nobody has ever watched to its very end", 120, 0).await;
    let watched = ann.watch("Lighthouse", 60, 1).await;
    ann.watch("부산의 아침", 300, 20).await;
    ann.open("history").await;
    ann.choose(hidden, "hide").await;
    ann.choose(watched, "mark").await;
    browser.see(".mark.watched").await;
    is_accessible(browser, &axe, "history").await;
    browser.click("#select").await;
    browser.click(&format!("[data-video-id='{hidden}'] .plays-button")).await;
    browser.see(".plays li").await;
    is_accessible(browser, &axe, "history-open").await;
    browser.click("#clear-history").await;
    browser.wait_until("/forgotten/.test(document.querySelector('#clear-count').textContent)").await;
    is_accessible(browser, &axe, "history-question").await;
    for (page, shown) in [
        ("history?q=nothing", ".notice"),
        ("statistics?days=7", "#devices"),
        ("statistics?days=365", "#devices"),
        ("settings", "#delete-form"),
        ("", "#library .card"),
        ("videos/1", "#player"),
        ("nowhere", ".notice"),
    ] {
        ann.open(page).await;
        browser.see(shown).await;
        let name = page.split(['?', '/']).next().unwrap();
        is_accessible(browser, &axe, &format!("page-{name}")).await;
    }
    browser.click("#sign-out").await;
    for page in ["history", "sign-in", "sign-up"] {
        ann.open(page).await;
        is_accessible(browser, &axe, &format!("visitor-{page}")).await;
    }
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium and npm"]
async fn an_open_menu_and_an_offered_place_are_accessible() {
    let axe = axe();
    let ann = Viewer::start().await;
    let browser = &ann.browser;
    ann.program.scan();
    ann.watch("Lighthouse", 60, 1).await;
    for scheme in ["light", "dark"] {
        browser.look(scheme, NARROW).await;
        ann.open("").await;
        browser.click("#continue-watching .menu-button").await;
        browser.see(".menu:popover-open").await;
        browser.screenshot(&format!("menu-{scheme}")).await;
        assert_eq!(findings(browser, &axe).await, "", "a menu, {scheme}");
        ann.open("videos/1").await;
        browser.seek(40.0).await;
        browser.click("#start-over").await;
        browser.see("#offer").await;
        is_accessible(browser, &axe, &format!("offer-{scheme}")).await;
    }
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
