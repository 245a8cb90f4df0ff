//! The command line.

use crate::settings::Settings;
use crate::{accounts, media, serve};
use clap::{Parser, Subcommand};
use migration::PROJECT;
use service::Database;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Remembers where every viewer stopped.
///
/// Settings come from the environment and a `.env` file; the README lists them.
#[derive(Parser)]
#[command(name = "playhead", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the player (what happens without a command)
    Serve,
    /// Register every video file below a folder
    Scan {
        /// The folder; without it the media folder
        dir: Option<PathBuf>,
        /// Whose videos they are; without it the first administrator's
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// Register also files whose video was deleted
        #[arg(long)]
        restore: bool,
    },
    /// Make and change accounts
    #[command(subcommand)]
    User(accounts::Command),
    /// Print the OpenAPI document
    Openapi,
    /// Change the database's schema
    Migrate(migration::cli::Arguments),
}

/// Does what the arguments say.
pub(crate) async fn run(arguments: Arguments, settings: &Settings) -> ExitCode {
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(settings).await,
        Command::Scan { dir, owner, restore } => media::scan(settings, dir, owner, restore).await,
        Command::User(command) => accounts::run(settings, command).await,
        Command::Openapi => match api::openapi::document().to_pretty_json() {
            Ok(document) => say(document),
            Err(error) => Err(error.to_string()),
        },
        Command::Migrate(arguments) => {
            let environment =
                migration::cli::Environment { database_url: &settings.database_url, production: settings.production };
            return migration::cli::run(&PROJECT, &arguments, &environment).await;
        }
    };
    done.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
}

/// Prints a line for people. A reader that has gone away is no failure.
#[expect(clippy::unnecessary_wraps, reason = "it is the last thing that commands do")]
pub(crate) fn say(text: impl Display) -> Result<(), String> {
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}

/// Says what is wrong on standard error.
pub(crate) fn fail(error: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::FAILURE
}

/// The database of the settings, at the newest schema.
pub(crate) async fn open_database(settings: &Settings) -> Result<Database, String> {
    let named = |error: &dyn Display| format!("DATABASE_URL={}: {error}", settings.database());
    let db = Database::connect(&settings.database_url, settings.durability).await.map_err(|error| named(&error))?;
    let state = PROJECT.state(db.reader()).await.map_err(|error| named(&error))?;
    state.adopted(&PROJECT).map_err(|error| named(&error))?;
    if !state.unknown.is_empty() {
        log::warn!(
            "the database is ahead of this program, which goes on: it does not know {}",
            state.unknown.join(", ")
        );
    }
    if state.pending.is_empty() {
        return Ok(db);
    }
    if !settings.auto_migrate {
        let count = state.pending.len();
        return Err(named(&format!(
            "the schema is {count} migrations behind; run `playhead migrate up`, or set AUTO_MIGRATE=true"
        )));
    }
    let options = migration::Options::default();
    let report = PROJECT.upgrade(&settings.database_url, &migration::Target::End, &options).await;
    for name in report.map_err(|error| named(&error))?.applied {
        log::info!("migrated: {name}");
    }
    Ok(db)
}
