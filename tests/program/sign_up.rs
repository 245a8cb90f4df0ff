//! Sign-up with the program's settings.

use crate::program::{PASSWORD, Program};
use reqwest::Client;
use serde_json::{Value, json};

/// Signs up, and returns the status with the role or the problem code.
async fn sign_up(program: &Program, name: &str) -> (u16, String) {
    let body = json!({"username": name, "email": format!("{name}@example.org"), "password": PASSWORD});
    let answer = Client::new().post(program.url("/api/v1/auth/register")).json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.unwrap();
    (status, answer["role"].as_str().or(answer["code"].as_str()).unwrap().to_owned())
}

fn serve(environment: &[(&str, &str)]) -> Program {
    let mut program = Program::new();
    program.environment.extend(environment.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    program.serve();
    program
}

#[tokio::test]
async fn a_server_that_others_reach_makes_its_first_account_by_command() {
    for setting in [("TRUSTED_PROXIES", "127.0.0.1"), ("PLAYHEAD_ENV", "production"), ("BIND_ADDRESS", "0.0.0.0:0")] {
        let program = serve(&[setting]);
        assert_eq!(sign_up(&program, "mallory").await, (403, "first_account_by_command".into()), "{setting:?}");
        program.create_user("ann");
        assert_eq!(sign_up(&program, "mallory").await, (201, "user".into()), "{setting:?}");
    }
    assert_eq!(sign_up(&serve(&[]), "ann").await, (201, "admin".into()));
}

#[tokio::test]
async fn the_limits_follow_the_settings() {
    let limits = [("SIGN_UPS_PER_HOUR", "2"), ("WRITES_PER_MINUTE", "2"), ("VIDEOS_PER_USER", "1")];
    let program = serve(&limits);
    assert_eq!(sign_up(&program, "ann").await, (201, "admin".into()));
    assert_eq!(sign_up(&program, "bob").await, (201, "user".into()));
    assert_eq!(sign_up(&program, "cyd").await, (429, "too_many_requests".into()));
    let token = program.token("bob").await;
    for status in [201, 403, 429] {
        let request = Client::new().post(program.url("/api/v1/videos")).bearer_auth(&token);
        assert_eq!(request.json(&json!({"title": "film"})).send().await.unwrap().status().as_u16(), status);
    }
}

#[tokio::test]
async fn a_restart_forgets_no_failed_sign_in() {
    let mut program = serve(&[]);
    let sign_in = async |program: &Program| {
        let login = Client::new().post(program.url("/api/v1/auth/login"));
        login.form(&[("username", "ann"), ("password", "battery staple")]).send().await.unwrap().status().as_u16()
    };
    for _ in 0..10 {
        assert_eq!(sign_in(&program).await, 401);
    }
    program.signal("INT");
    assert!(program.wait().success());
    program.serve();
    assert_eq!(sign_in(&program).await, 429);
}
