//! The command line of the migrations alone; `playhead migrate` is the same.

use clap::Parser;
use migration::cli::{Command, run};
use std::process::ExitCode;

/// Playhead's schema: apply, take back, list.
#[derive(Debug, Parser)]
#[command(name = "migration")]
struct Arguments {
    /// The database; without it DATABASE_URL, without that sqlite://playhead.db
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    // What the environment says already is left alone.
    dotenvy::dotenv().ok();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let arguments = Arguments::parse();
    let url = arguments.database_url.or_else(|| std::env::var("DATABASE_URL").ok());
    run(&arguments.command, url.as_deref().unwrap_or(migration::DEFAULT_URL)).await
}
