//! Playhead: remembers where every viewer stopped.

mod accounts;
mod cli;
mod database;
mod jwt_secret;
mod logging;
mod output;
mod scan;
mod serve;
mod settings;

use clap::CommandFactory;
use std::process::ExitCode;

/// With it, 5 to 20 % more requests a second were answered than with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: cli::Cli = migration::cli::parse(cli::Cli::command());
    let settings = match settings::Settings::read() {
        Ok(settings) => settings,
        Err(error) => return cli::fail(&error),
    };
    if let Err(error) = logging::start(&settings) {
        return cli::fail(&format!("cannot start the log: {error}"));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&format!("cannot start the runtime: {error}")),
    };
    runtime.block_on(cli::run(arguments, &settings))
}
