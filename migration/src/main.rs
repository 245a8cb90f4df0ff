//! The command line of the migrations alone; `playhead migrate` is the same.

use migration::cli::{Arguments, Surroundings, parse, run};
use migration::environment::{DatabaseUrl, keep_passwords_out, load, resolve, value_or_file};
use std::env;
use std::io::Write;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Arguments = parse();
    let (database, production) = match load().and_then(|()| settings()) {
        Ok(settings) => settings,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let filters = env_logger::Env::default().default_filter_or("info,sqlx=warn");
    keep_passwords_out(&mut env_logger::Builder::from_env(filters)).init();
    database.notes.iter().for_each(|note| log::debug!("DATABASE_URL: {note}"));
    run(&arguments, &Surroundings { database_url: &database.url, production }).await
}

/// The database, and whether this is a production site.
fn settings() -> Result<(DatabaseUrl, bool), String> {
    let look_up = |name: &str| match env::var(name) {
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: the value is not Unicode; set another one")),
        value => Ok(value.ok().filter(|value| !value.is_empty())),
    };
    let url = value_or_file("DATABASE_URL", look_up)?;
    let database = resolve(url.as_deref().unwrap_or(migration::DEFAULT_URL));
    let production = look_up("PLAYHEAD_ENV")?.as_deref() == Some("production");
    Ok((database.map_err(|error| format!("DATABASE_URL={error}"))?, production))
}
