//! The command line, for this package's own program and for `playhead migrate`: it reads words, calls the library, prints.
//!
//! Exit codes: 0 done or nothing to do, 1 error, 2 there is a difference, something is pending, or something is to be mended.

mod answer;
mod command;

use crate::environment;
use answer::{Answer, answer};
use clap::Parser;
use command::Command;
use std::io::Write;
use std::process::ExitCode;

/// Playhead's schema: look at it, change it, take it over from Alembic
///
/// Exit codes: 0 done or nothing to do, 1 error, 2 there is a difference, something is pending, or something is to be mended.
#[derive(Clone, Parser)]
#[command(name = "migration", version)]
pub struct Arguments {
    /// The database, instead of DATABASE_URL; other users of this machine can see it in the list of processes
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// What the program knows beside the arguments.
#[derive(Clone)]
pub struct Surroundings<'a> {
    /// The database, as sqlx reads an address, where the arguments name none.
    pub database_url: &'a str,
    /// Whether it is a production site, where nothing is dropped on a keystroke.
    pub production: bool,
}

/// The arguments of this process. What is wrong with them is said without the password of an address that is among them.
pub fn parse<A: Parser>() -> A {
    A::try_parse().unwrap_or_else(|error| {
        let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let addresses: Vec<String> = words.filter(|word| word.contains("://")).collect();
        if addresses.is_empty() {
            error.exit();
        }
        let shown = addresses.iter().fold(error.to_string(), |text, word| text.replace(word, &crate::redacted(word)));
        let _ = write!(std::io::stderr(), "{shown}");
        std::process::exit(error.exit_code())
    })
}

/// Runs the command, says what was done on standard output or what is wrong on standard error.
pub async fn run(arguments: &Arguments, surroundings: &Surroundings<'_>) -> ExitCode {
    let given = arguments.database_url.as_deref().map(environment::resolve).transpose();
    let url = match given {
        Ok(given) => given.map_or_else(|| surroundings.database_url.to_owned(), |given| given.url),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: --database-url {error}");
            return ExitCode::FAILURE;
        }
    };
    match answer(&arguments.command, &url, surroundings.production).await {
        Ok(Answer { text, json, code }) => {
            let text = if arguments.json { format!("{json:#}\n") } else { text };
            // A reader that has gone away, as in `status | head -1`, is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::from(code)
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
