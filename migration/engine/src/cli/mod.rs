//! The command line: parses arguments, calls the library, prints.

mod answer;
mod command;

use crate::environment::{DatabaseUrl, keep_passwords_out, load, redacted, resolve, value_or_file};
use crate::{Error, Project};
use answer::{Answer, Context};
use clap::{Args, FromArgMatches};
use command::Command;
use std::env;
use std::io::Write;
use std::process::ExitCode;

const EXIT_CODES: &str = "Exit codes: 0 done or nothing to do, 1 error, 2 there is a difference, a migration is pending, or \
                          there is a problem to fix.";

/// The arguments of the command line.
#[derive(Clone, Args)]
pub struct Arguments {
    /// The database, instead of DATABASE_URL; other users of this machine can see it in the process list
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// What the environment of the process says.
#[derive(Clone)]
pub struct Environment<'a> {
    /// The address of the database, if the arguments name none. Empty if there is none.
    pub database_url: &'a str,
    /// Whether this is a production site, where data is dropped only with `--yes`.
    pub production: bool,
}

/// What a command prints on standard output, and how it exits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// Lines for people, or one JSON document with `--json`.
    pub text: String,
    /// 0, or 2 for a difference, a pending migration or a problem.
    pub code: u8,
}

/// The `main` of a project: reads arguments, `.env` and environment, runs the command and prints its
/// result.
pub async fn main(project: &Project) -> ExitCode {
    let arguments: Arguments = parse(command(project));
    let (database, production) = match load().and_then(|()| settings(project)) {
        Ok(settings) => settings,
        Err(error) => return fail(&error),
    };
    let filters = env_logger::Env::default().default_filter_or("info,sqlx=warn");
    keep_passwords_out(&mut env_logger::Builder::from_env(filters)).init();
    database.notes.iter().for_each(|note| log::debug!("DATABASE_URL: {note}"));
    run(project, &arguments, &Environment { database_url: &database.url, production }).await
}

/// The command line of a project, for clap to read.
pub fn command(project: &Project) -> clap::Command {
    let about = format!("{}'s schema: look at it, change it, take it over from Alembic", project.name);
    let command = Arguments::augment_args(clap::Command::new(project.command));
    let command = command.long_about(format!("{about}\n\n{EXIT_CODES}")).about(about);
    if project.version.is_empty() { command } else { command.version(project.version) }
}

/// The address of the database, and whether this is a production site.
fn settings(project: &Project) -> Result<(DatabaseUrl, bool), String> {
    let look_up = |name: &str| match env::var(name) {
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: the value is not Unicode; set another one")),
        value => Ok(value.ok().filter(|value| !value.is_empty())),
    };
    let given = value_or_file("DATABASE_URL", look_up)?;
    let database = match given.as_deref().or(project.default_url) {
        Some(url) => resolve(url).map_err(|error| format!("DATABASE_URL={error}"))?,
        // Not every command needs one.
        None => DatabaseUrl { url: String::new(), notes: Vec::new() },
    };
    let production = project.production_variable.map(look_up).transpose()?.flatten();
    Ok((database, production.as_deref() == Some("production")))
}

/// Parses the arguments of this process, or exits with a message, which shows no password.
pub fn parse<A: FromArgMatches>(command: clap::Command) -> A {
    let mut command = command;
    let parsed = command.try_get_matches_from_mut(env::args_os());
    let parsed = parsed.and_then(|mut matches| A::from_arg_matches_mut(&mut matches));
    parsed.map_err(|error| error.format(&mut command)).unwrap_or_else(|error| explain(&error))
}

fn explain(error: &clap::Error) -> ! {
    let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
    let addresses: Vec<String> = words.filter(|word| word.contains("://")).collect();
    if addresses.is_empty() {
        error.exit();
    }
    let shown = addresses.iter().fold(error.to_string(), |text, word| text.replace(word, &redacted(word)));
    let _ = write!(std::io::stderr(), "{shown}");
    std::process::exit(error.exit_code())
}

/// Runs the command. Prints its result on standard output, or an error on standard error.
pub async fn run(project: &Project, arguments: &Arguments, environment: &Environment<'_>) -> ExitCode {
    match execute(project, arguments, environment).await {
        Ok(CommandOutput { text, code }) => {
            // A closed pipe, as in `status | head -1`, is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::from(code)
        }
        Err(error) => fail(&error.to_string()),
    }
}

/// Runs the command and returns what it prints.
///
/// # Errors
/// The command failed; it exits with 1.
pub async fn execute(
    project: &Project,
    arguments: &Arguments,
    environment: &Environment<'_>,
) -> Result<CommandOutput, Error> {
    let given = arguments.database_url.as_deref().map(resolve).transpose().map_err(Error::UrlArgument)?;
    let database_url = given.as_ref().map_or(environment.database_url, |given| &given.url);
    let environment = Environment { database_url, production: environment.production };
    let Answer { text, json, code } =
        (Context { project, environment: &environment }).answer(&arguments.command).await?;
    Ok(CommandOutput { text: if arguments.json { format!("{json:#}\n") } else { text }, code })
}

fn fail(error: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::FAILURE
}
