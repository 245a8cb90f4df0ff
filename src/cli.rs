//! The command line.

use crate::output::{print_line, print_note};
use crate::settings::Settings;
use crate::{accounts, scan, serve};
use clap::{Parser, Subcommand};
use migration::PROJECT;
use std::path::PathBuf;
use std::process::ExitCode;

/// Remembers where every viewer stopped.
///
/// Settings come from the environment and a `.env` file; the README lists them.
#[derive(Parser)]
#[command(name = "playhead", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<CliCommand>,
}

#[derive(Subcommand)]
enum CliCommand {
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
    User(accounts::UserCommand),
    /// Print the OpenAPI document
    Openapi,
    /// Change the database's schema
    Migrate(migration::cli::Arguments),
}

/// Runs the command of the arguments; without one, serves.
pub(crate) async fn run(cli: Cli, settings: &Settings) -> ExitCode {
    let done = match cli.command.unwrap_or(CliCommand::Serve) {
        CliCommand::Serve => serve::serve(settings).await,
        CliCommand::Scan { dir, owner, restore } => scan::run(settings, dir, owner, restore).await,
        CliCommand::User(command) => accounts::run(settings, command).await,
        CliCommand::Openapi => match api::openapi::document().to_pretty_json() {
            Ok(document) => {
                print_line(document);
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        },
        CliCommand::Migrate(arguments) => {
            let environment =
                migration::cli::Environment { database_url: &settings.database_url, production: settings.production };
            return migration::cli::run(&PROJECT, &arguments, &environment).await;
        }
    };
    done.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
}

/// Prints why the program cannot go on.
pub(crate) fn fail(error: &str) -> ExitCode {
    print_note(format_args!("error: {error}"));
    ExitCode::FAILURE
}
