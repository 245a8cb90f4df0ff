//! The settings page in a browser.

use crate::program::PASSWORD;
use crate::viewer::Viewer;
use reqwest::Method;
use serde_json::{Value, json};

impl Viewer {
    async fn preferences(&self) -> Value {
        self.ask(Method::GET, "/users/me/preferences", None).await.1
    }

    /// Waits until a form or a choice of this section says that it is stored.
    async fn has_saved(&self, section: &str) {
        let done = format!("[...document.querySelectorAll('{section} .form-done')]");
        self.browser.wait_until(&format!("{done}.some((line) => line.textContent === 'Saved')")).await;
    }

    async fn play_some(&self) {
        self.open("videos/1").await;
        self.browser.play_until(3.0).await;
        self.browser.script("document.querySelector('#player').pause()").await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn nothing_is_saved_while_the_history_is_off() {
    let ann = Viewer::start().await;
    ann.program.scan();
    ann.open("settings").await;
    ann.browser.click("#mode-off").await;
    ann.has_saved("#history-settings").await;
    assert_eq!(ann.preferences().await["history"], "off");
    ann.play_some().await;
    ann.open("history").await;
    ann.browser.see(".notice").await;
    assert_eq!(ann.entry(1).await, Value::Null);

    ann.open("settings").await;
    ann.browser.click("#mode-positions").await;
    ann.has_saved("#history-settings").await;
    ann.play_some().await;
    ann.program.wait_for_position(|position| position >= 3).await;
    let (_, plays) = ann.ask(Method::GET, "/plays", None).await;
    assert_eq!(plays, json!([]));
    ann.open("statistics").await;
    ann.browser.see("#statistics .notice").await;
    ann.browser.see("[href='#/settings'].hint, .intro [href='#/settings']").await;
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_shorter_retention_says_what_it_deletes() {
    let ann = Viewer::start().await;
    for title in ["Harbour", "Lighthouse"] {
        ann.watch(title, 120, 20).await;
    }
    let newer = ann.watch("Pier", 60, 2).await;
    ann.open("settings").await;
    let days = "#retention-days";
    for text in ["0", "3651"] {
        ann.browser.refill(days, text).await;
        ann.browser.click("#retention-form [type='submit']").await;
        ann.browser.see("#days-error").await;
        assert_eq!(ann.preferences().await["retention_days"], Value::Null);
    }
    ann.browser.refill(days, "7").await;
    ann.browser.click("#retention-form [type='submit']").await;
    ann.browser.wait_until("/2 videos will be forgotten/.test(document.querySelector('dialog').textContent)").await;
    ann.browser.click("dialog [data-action='confirm']").await;
    ann.has_saved("#retention-form").await;
    assert_eq!(ann.preferences().await["retention_days"], 7);
    ann.open("history").await;
    ann.sees_rows(vec![newer]).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn name_and_password_are_changed_and_the_account_deleted() {
    let ann = Viewer::start().await;
    ann.program.create_user("bob");
    ann.browser.click("#sign-out").await;
    ann.browser.sign_in(&ann.program, "bob").await;
    ann.open("settings").await;
    ann.browser.refill("#name-form [name=username]", "robert").await;
    ann.browser.fill("#name-form [name=current_password]", "not it").await;
    ann.browser.click("#name-form [type=submit]").await;
    ann.browser.see("#name-form-current_password-error").await;
    ann.browser.refill("#name-form [name=current_password]", PASSWORD).await;
    ann.browser.click("#name-form [type=submit]").await;
    ann.has_saved("#name-settings").await;
    assert_eq!(ann.browser.text("document.querySelector('#signed-in-user').textContent").await, "robert");

    ann.browser.fill("#password-form [name=current_password]", PASSWORD).await;
    ann.browser.fill("#password-form [name=password]", "another horse").await;
    ann.browser.click("#password-form [type=submit]").await;
    ann.browser
        .wait_until("/is changed/.test(document.querySelector('#password-settings .form-done').textContent)")
        .await;

    ann.browser.fill("#delete-form [name=current_password]", "another horse").await;
    ann.browser.click("#delete-form [type=submit]").await;
    ann.browser.click("dialog [data-action='confirm']").await;
    ann.browser.see("[href='#/sign-up']").await;
    let login = json!({"username": "robert", "password": "another horse"});
    assert_eq!(ann.ask(Method::POST, "/auth/login", Some(login)).await.0, 401);
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}
