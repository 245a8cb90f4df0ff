//! The command line.

use crate::output::{print_line, print_note};
use crate::settings::{SettingArgs, Settings};
use crate::{accounts, scan, serve};
use clap::{Parser, Subcommand};
use migration::PROJECT;
use std::path::PathBuf;
use std::process::ExitCode;

/// Remembers where every viewer stopped.
///
/// Without a command it serves.
#[derive(Parser)]
#[command(name = "playhead", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(subcommand)]
    pub(crate) command: Option<CliCommand>,
}

#[derive(Subcommand)]
pub(crate) enum CliCommand {
    /// Serve the API and the player (the default)
    Serve,
    /// Register every video file below a folder
    Scan {
        /// The folder. Default: the media folder
        dir: Option<PathBuf>,
        /// The owner of the videos. Default: the first administrator
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// Register also files whose video was deleted
        #[arg(long)]
        restore: bool,
    },
    /// Create and change accounts
    #[command(subcommand)]
    User(accounts::UserCommand),
    /// Print the OpenAPI document
    Openapi,
    /// Migrate the schema of the database
    Migrate(migration::cli::Arguments),
}

/// Runs the command; without one, serves.
pub(crate) async fn run(command: Option<CliCommand>, settings: &Settings) -> ExitCode {
    let done = match command.unwrap_or(CliCommand::Serve) {
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

/// Prints the error that ends the program.
pub(crate) fn fail(error: &str) -> ExitCode {
    print_note(format_args!("error: {error}"));
    ExitCode::FAILURE
}
