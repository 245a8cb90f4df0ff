//! The command line of the migrations alone; `playhead migrate` is the same.

use clap::Parser;
use migration::cli::{Arguments, Surroundings, run};
use std::env;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // What the environment says already is left alone.
    dotenvy::dotenv().ok();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info,sqlx=warn")).init();
    let arguments = Arguments::parse();
    let word = |name| env::var(name).ok().filter(|word| !word.is_empty());
    let url = word("DATABASE_URL");
    let surroundings = Surroundings {
        database_url: url.as_deref().unwrap_or(migration::DEFAULT_URL),
        production: word("PLAYHEAD_ENV").as_deref() == Some("production"),
    };
    run(&arguments, &surroundings).await
}
