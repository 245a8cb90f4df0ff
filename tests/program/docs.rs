//! Swagger UI in a real browser on a new site.

use crate::browser::Browser;
use crate::program::{PASSWORD, Program};

const KEPT: &str = "JSON.stringify([{...localStorage}, {...sessionStorage}])";

/// Opens an operation, presses Execute, and waits for a response with this status.
async fn execute(browser: &Browser, operation: &str, status: u16) {
    let block = format!("[id^='operations-'][id$='-{operation}']");
    browser.see(&block).await;
    if browser.is_absent(&format!("{block}.is-open")).await {
        browser.script(&format!("document.querySelector(\"{block} .opblock-summary-control\").click()")).await;
    }
    browser.see(&format!("{block} .execute")).await;
    // An older response must not be taken for the new one.
    browser.script(&format!("document.querySelector(\"{block} .btn-clear\")?.click()")).await;
    browser.wait_until(&format!("!document.querySelector(\"{block} .live-responses-table\")")).await;
    browser.script(&format!("document.querySelector(\"{block} .execute\").click()")).await;
    let answered =
        format!("document.querySelector(\"{block} .live-responses-table tbody .response-col_status\").textContent");
    browser.wait_until(&format!("{answered}.includes('{status}')")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn swagger_ui_signs_in_shows_failures_and_keeps_no_secret() {
    let mut program = Program::new();
    program.serve();
    program.create_user("ann");
    let browser = Browser::start().await;
    browser.open(&program.url("/docs/")).await;
    // As an older version left it.
    browser.script(&format!("localStorage.setItem('authorized', '{PASSWORD}')")).await;
    browser.open(&program.url("/docs/")).await;
    browser.click(".btn.authorize").await;
    browser.see("#oauth_username").await;
    browser.screenshot("swagger-ui-authorize").await;
    let seen = "[...document.querySelectorAll('.dialog-ux input, .dialog-ux select')].filter(one => one.offsetParent)";
    assert_eq!(browser.number(&format!("{seen}.length")).await, 2.0, "name and password are all that it needs");
    assert_eq!(browser.number("document.querySelectorAll('.auth-container h4').length").await, 1.0);

    browser.fill("#oauth_username", "ann").await;
    browser.fill("#oauth_password", "wrong horse").await;
    let authorize = "document.querySelector('.auth-container button.authorize').click()";
    browser.script(authorize).await;
    let dialog = "document.querySelector('.dialog-ux').textContent";
    browser.wait_until(&format!("{dialog}.includes('name or password is wrong')")).await;
    browser.screenshot("swagger-ui-wrong-password").await;
    browser.script("document.querySelector('#oauth_password').select()").await;
    browser.fill("#oauth_password", PASSWORD).await;
    browser.script(authorize).await;
    browser.wait_until(&format!("/Logout/.test({dialog})")).await;
    browser.screenshot("swagger-ui-authorized").await;
    browser.script("document.querySelector('.dialog-ux .btn-done').click()").await;

    execute(&browser, "me", 200).await;
    browser.wait_until("/ann@example.org/.test(document.querySelector('#operations-auth-me').textContent)").await;
    // A pair of tokens is on the page, and disappears with it.
    execute(&browser, "login", 200).await;
    browser.screenshot("swagger-ui").await;
    browser.wait_until(&format!("{KEPT} === '[{{}},{{}}]'")).await;
    browser.open(&program.url("/docs/")).await;
    browser.see(".btn.authorize.unlocked").await;
    browser.wait_until(&format!("{KEPT} === '[{{}},{{}}]'")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_examples_of_swagger_ui_work_on_a_new_site() {
    let mut program = Program::new();
    program.serve();
    program.create_user("ann");
    let browser = Browser::start().await;
    browser.open(&program.url("/docs/")).await;
    browser.click(".btn.authorize").await;
    browser.fill("#oauth_username", "ann").await;
    browser.fill("#oauth_password", PASSWORD).await;
    browser.script("document.querySelector('.auth-container button.authorize').click()").await;
    browser.wait_until("/Logout/.test(document.querySelector('.dialog-ux').textContent)").await;
    browser.script("document.querySelector('.dialog-ux .btn-done').click()").await;

    execute(&browser, "list_videos", 200).await;
    let listed = "document.querySelector(\"[id$='-list_videos'] .live-responses-table\").textContent";
    browser.wait_until(&format!("{listed}.includes('Sample clip')")).await;
    execute(&browser, "read_video", 200).await;
    for _ in 0..2 {
        execute(&browser, "save_watch_history", 200).await;
        let saved = "document.querySelector(\"[id$='-save_watch_history'] .live-responses-table\").textContent";
        browser.wait_until(&format!("/\"applied\": *true/.test({saved})")).await;
    }
    execute(&browser, "save_watch_history_batch", 200).await;
    execute(&browser, "continue_watching", 200).await;
    execute(&browser, "read_thumbnail", 200).await;
    let picture = "document.querySelector(\"[id$='-read_thumbnail'] .live-responses-table img\")";
    browser.wait_until(&format!("{picture}.naturalWidth > 0")).await;
    browser.script(&format!("{picture}.scrollIntoView()")).await;
    browser.screenshot("swagger-ui-thumbnail").await;
    execute(&browser, "stream_video", 206).await;
    let elsewhere = "performance.getEntriesByType('resource').filter(one => \
         !one.name.startsWith(location.origin) && !one.name.startsWith('blob:') && !one.name.startsWith('data:'))";
    assert_eq!(browser.number(&format!("{elsewhere}.length")).await, 0.0, "the page requests nothing from other hosts");
    assert!(browser.is_absent("a[href*='validator']").await);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
