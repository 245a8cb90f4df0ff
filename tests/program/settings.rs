//! Settings in files: `.env`, Docker secrets, and the database URLs of SQLAlchemy.

use crate::program::{Program, run};
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

const KEY: &str = "correct-horse-battery-staple-0123456789";

/// Runs `migrate up` with this database URL.
fn migrate(program: &Program, url: &str) -> (bool, String) {
    run(program.command(&["migrate", "up"]).env("DATABASE_URL", url), "")
}

#[test]
fn the_sqlalchemy_url_of_a_sqlite_file_opens_that_file() {
    for (url, file) in [
        ("sqlite:///./site.db", "site.db"),
        ("sqlite:///site.db", "site.db"),
        ("sqlite:///site.db?check_same_thread=false&timeout=15", "site.db"),
        ("sqlite:///data/site.db", "data/site.db"),
        ("sqlite:///../{name}/data/site.db", "data/site.db"),
        ("sqlite+aiosqlite:///./site.db", "site.db"),
        ("sqlite+aiosqlite:///data/site.db", "data/site.db"),
        ("sqlite+pysqlite:///site.db", "site.db"),
        ("sqlite:////{folder}/data/site.db", "data/site.db"),
        ("sqlite+aiosqlite:////{folder}/site.db", "site.db"),
        ("sqlite://site.db", "site.db"),
        ("sqlite:///{folder}/data/site.db", "data/site.db"),
        ("sqlite:/{folder}/site%20one.db", "site one.db"),
        ("sqlite:///~/site.db", "site.db"),
        ("sqlite://~/data/site.db?mode=rwc", "data/site.db"),
    ] {
        let program = Program::new();
        fs::create_dir(program.folder.path().join("data")).unwrap();
        let folder = program.folder.path().to_str().unwrap().trim_start_matches('/');
        let name = program.folder.path().file_name().unwrap().to_str().unwrap();
        let url = url.replace("{folder}", folder).replace("{name}", name);
        let mut command = program.command(&["migrate", "up"]);
        let (done, said) = run(command.env("DATABASE_URL", &url).env("HOME", program.folder.path()), "");
        assert!(done && program.folder.path().join(file).is_file(), "{url}: {said}");
        // The same on the command line, for a file that exists by now.
        let arguments = ["migrate", "status", "--check", "--database-url", &url];
        let (done, said) = run(program.command(&arguments).env("HOME", program.folder.path()), "");
        assert!(done && said.contains("nothing is pending"), "{url}: {said}");
    }
}

#[test]
fn an_ambiguous_url_opens_the_existing_file_or_nothing() {
    let (program, elsewhere) = (Program::new(), Program::new());
    let absolute = elsewhere.folder.path().join("data/site.db");
    let relative = program.folder.path().join(absolute.strip_prefix("/").unwrap());
    let url = format!("sqlite://{}", absolute.display());
    for file in [&absolute, &relative] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
    }
    let (done, said) = migrate(&program, &url);
    assert!(!done && said.contains("both folders exist; write sqlite:///./tmp"), "{said}");
    assert!(!absolute.exists() && !relative.exists() && said.lines().count() == 1, "{said}");

    // A file that an earlier release used is still used.
    assert!(migrate(&program, &format!("sqlite:///{}", absolute.display())).0);
    assert!(migrate(&program, &url).0 && absolute.exists() && !relative.exists());

    fs::copy(&absolute, &relative).unwrap();
    let (done, said) = migrate(&program, &url);
    assert!(!done && said.contains("both files exist"), "{said}");
    fs::remove_file(&absolute).unwrap();
    assert!(migrate(&program, &url).0 && !absolute.exists());
}

#[test]
fn a_tilde_in_a_path_is_the_home_folder() {
    let program = Program::start();
    let folder = program.folder.path();
    fs::rename(folder.join("media"), folder.join("Videos")).unwrap();
    let command = |arguments: &[&str], media: &str| {
        let mut command = program.command(arguments);
        command.env("HOME", folder).env("MEDIA_DIR", media);
        command
    };
    assert!(run(&mut command(&["user", "create", "ann", "ann@example.org"], "media"), crate::program::PASSWORD).0);
    let (done, said) = run(&mut command(&["scan"], "~/Videos"), "");
    assert!(done && said.contains("1 added"), "{said}");
    let (done, said) = run(&mut command(&["scan", "~/Videos"], "~/Videos"), "");
    assert!(done && said.contains("1 unchanged"), "{said}");
    for (arguments, media) in [(&["scan"][..], "~ann/Videos"), (&["scan", "~ann/Videos"], "~/Videos")] {
        let (done, said) = run(&mut command(arguments, media), "");
        assert!(!done && said.contains("of this user only") && said.lines().count() == 1, "{said}");
    }
    assert!(!folder.join("~").exists());
}

/// Runs the program with this text in `.env`.
fn with_env_file(text: &str) -> (bool, String) {
    let program = Program::new();
    fs::write(program.folder.path().join(".env"), text).unwrap();
    program.run(&["migrate", "up"], "")
}

#[test]
fn an_ambiguous_env_file_is_refused_without_showing_values() {
    for (text, place) in [
        (format!("JWT_SECRET={KEY}$horse\n"), "line 1, JWT_SECRET, character 51"),
        (format!("# mine\nJWT_SECRET=\"{KEY}$horse\"\n"), "line 2, JWT_SECRET, character 52"),
        (format!("JWT_SECRET=\"{KEY}\n"), "line 1, JWT_SECRET, character 12"),
        (format!("JWT_SECRET={KEY} {KEY}\n"), "line 1, JWT_SECRET, character 52"),
        (format!("JWT_SECRET=#{KEY}\n"), "line 1, JWT_SECRET, character 12"),
        (format!("{KEY}\n"), "line 1, character "),
        (format!("RUST_LOG=info\nDATABASE_URL: postgres://ann:{KEY}@db/x\n"), "line 2, character "),
        (format!("JWT_SECRET={KEY}\r\nJWT_SECRET={KEY}x\r\n"), "line 2, JWT_SECRET, character 1"),
    ] {
        let (done, said) = with_env_file(&text);
        assert!(!done && said.contains(&format!(".env: {place}")) && said.lines().count() == 1, "{text}: {said}");
        assert!(!said.contains("horse") && !said.contains("staple"), "{said}");
    }
}

#[test]
fn an_env_file_is_read_as_intended() {
    for text in [
        "\u{feff}DATABASE_URL=sqlite://a#b.db\r\n",
        "NAME=a#b\nDATABASE_URL='sqlite://a#b.db' # mine",
        "export NAME=a#b\nDATABASE_URL=\"sqlite://${NAME}.db\"",
    ] {
        let program = Program::new();
        fs::write(program.folder.path().join(".env"), text).unwrap();
        let (done, said) = program.run(&["migrate", "up"], "");
        assert!(done && program.folder.path().join("a#b.db").exists(), "{text}: {said}");
    }
}

#[test]
fn secrets_are_read_from_files_as_docker_provides_them() {
    let program = Program::new();
    let (address, key) = (program.folder.path().join("address"), program.folder.path().join("key"));
    fs::write(&address, "sqlite+aiosqlite:///./site.db\n").unwrap();
    fs::write(&key, "short\n").unwrap();
    let command = |more: &[(&str, &Path)]| {
        let mut command = program.command(&["migrate", "up"]);
        command.env("DATABASE_URL_FILE", &address).envs(more.iter().copied());
        command
    };
    let (done, said) = run(&mut command(&[("JWT_SECRET_FILE", &key)]), "");
    assert!(!done && said.contains("JWT_SECRET: has 5 bytes and needs 32"), "{said}");
    fs::write(&key, format!("{KEY}\n")).unwrap();
    let (done, said) = run(&mut command(&[("JWT_SECRET_FILE", &key)]), "");
    assert!(done && program.folder.path().join("site.db").exists(), "{said}");
    for (more, part) in [
        (("JWT_SECRET_FILE", Path::new("/nowhere/key")), "JWT_SECRET_FILE=/nowhere/key: the file cannot be read"),
        (("DATABASE_URL", Path::new("sqlite://b.db")), "DATABASE_URL and DATABASE_URL_FILE are both set"),
    ] {
        let (done, said) = run(&mut command(&[more]), "");
        assert!(!done && said.contains(part) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn no_message_repeats_a_password_of_the_command_line() {
    let program = Program::new();
    let url = "postgresql+asyncpg://ann:hunter2@127.0.0.1:1/site";
    for arguments in [
        &["migrate", "up", url][..],
        &["migrate", "check", url],
        &["migrate", "status", "--database-uri", url],
        &["migrate", "status", "--database-url", url],
        &["migrate", "status", "--database-url", "mysql://ann:hunter2@127.0.0.1:1/site"],
        &["scan", "media", url],
    ] {
        let (done, said) = program.run(arguments, "");
        assert!(!done && !said.contains("hunter2"), "{arguments:?}: {said}");
    }
}

/// A server with its log in a file. It stops with the test.
struct Logging(Child);

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_trace_log_has_no_password_and_no_token() {
    let program = Program::new();
    let log = program.folder.path().join("log");
    let file = fs::File::create(&log).unwrap();
    let server = program.command(&[]).env("RUST_LOG", "trace").stderr(file).spawn().unwrap();
    let mut server = Logging(server);
    let said = || String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
    let address = loop {
        if let Some((_, rest)) = said().split_once("Playhead is at   ") {
            break rest.lines().next().unwrap().to_owned();
        }
        assert!(server.0.try_wait().unwrap().is_none(), "{}", said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let client = reqwest::Client::new();
    let password = "correct horse battery";
    let account = json!({ "username": "annabel", "email": "annabel@example.org", "password": password });
    let registered = client.post(format!("{address}/api/v1/auth/register")).json(&account).send().await.unwrap();
    assert!(registered.status().is_success(), "{registered:?}");
    let account = json!({ "username": "annabel", "password": password });
    let login = client.post(format!("{address}/api/v1/auth/login")).json(&account).send().await.unwrap();
    let tokens: Value = login.json().await.unwrap();
    let tokens = ["access_token", "refresh_token"].map(|name| tokens[name].as_str().unwrap().to_owned());
    let own = client.get(format!("{address}/api/v1/auth/me")).bearer_auth(&tokens[0]).send().await.unwrap();
    assert!(own.status().is_success(), "{own:?}");
    drop(server);
    let key = fs::read_to_string(program.folder.path().join("playhead.db.jwt-secret")).unwrap();
    let log = said();
    for secret in [password, "$argon2id$", &tokens[0], &tokens[1], &key] {
        assert_eq!(log.lines().find(|line| line.contains(secret)), None);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_trace_log_does_not_have_the_database_password() {
    let url = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a PostgreSQL database");
    let server = Database::connect(&url).await.unwrap();
    let role = format!("trace_{}", std::process::id());
    server.execute_unprepared(&format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2'")).await.unwrap();
    let (_, place) = url.split_once('@').unwrap();
    let program = Program::new();
    let mut command = program.command(&["migrate", "status"]);
    command.env("DATABASE_URL", format!("postgresql+asyncpg://{role}:hunter2@{place}?ssl=prefer&sslpassword=hunter2"));
    command.env("RUST_LOG", "trace,sea_orm::driver::sqlx_postgres=trace").env("JWT_SECRET", KEY);
    let (done, said) = run(&mut command, "");
    server.execute_unprepared(&format!("DROP ROLE {role}")).await.unwrap();
    assert!(done && said.contains("pending") && said.contains("TRACE"), "{said}");
    assert_eq!(said.lines().find(|line| line.contains("hunter2")), None);
}
