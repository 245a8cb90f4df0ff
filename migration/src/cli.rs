//! `up`, `down` and `status`, for this crate's own program and for `playhead migrate`.

use crate::{Error, Options, Report, Target, downgrade, status, upgrade};
use clap::Subcommand;
use std::io::Write;
use std::process::ExitCode;

/// What to do with the schema.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Apply what is pending
    #[command(visible_alias = "upgrade")]
    Up {
        /// Only so many migrations
        #[arg(short = 'n', value_name = "N", conflicts_with = "target")]
        steps: Option<usize>,
        /// `head`, or the name of the last migration to apply
        #[arg(default_value = HEAD)]
        target: String,
    },
    /// Take back the newest migration, or several
    #[command(visible_alias = "downgrade")]
    Down {
        /// So many migrations
        #[arg(short = 'n', value_name = "N", default_value_t = 1, conflicts_with = "target")]
        steps: usize,
        /// `base`, or the name of the migration to go back to
        target: Option<String>,
    },
    /// List every migration and whether the database has it
    Status,
}

const HEAD: &str = "head";
const BASE: &str = "base";

/// Runs the command, says what was done on standard output or what is wrong on standard error.
pub async fn run(command: &Command, database_url: &str) -> ExitCode {
    match answer(command, database_url).await {
        Ok(text) => {
            // A reader that has gone away, as in `status | head -1`, is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn answer(command: &Command, url: &str) -> Result<String, Error> {
    let options = Options::default();
    match command {
        Command::Up { steps, target } => {
            let target = match (steps, target.as_str()) {
                (Some(steps), _) => Target::Steps(*steps),
                (None, HEAD) => Target::End,
                (None, name) => Target::Name(name.to_owned()),
            };
            Ok(told("applied", "nothing to apply", &upgrade(url, &target, &options).await?))
        }
        Command::Down { steps, target } => {
            let target = match target.as_deref() {
                None => Target::Steps(*steps),
                Some(BASE) => Target::End,
                Some(name) => Target::Name(name.to_owned()),
            };
            Ok(told("took back", "nothing to take back", &downgrade(url, &target, &options).await?))
        }
        Command::Status => {
            let state = status(url).await?;
            let lines =
                |word: &'static str, names: Vec<String>| names.into_iter().map(move |name| format!("{word}  {name}\n"));
            let known = lines("applied", state.applied).chain(lines("pending", state.pending));
            Ok(known.chain(lines("unknown", state.unknown)).collect())
        }
    }
}

fn told(verb: &str, nothing: &str, report: &Report) -> String {
    match report.done.as_slice() {
        [] => format!("{nothing}\n"),
        done => done.iter().map(|name| format!("{verb} {name}\n")).collect(),
    }
}
