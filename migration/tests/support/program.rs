//! Runs the program as a deployment does.

use super::TestDatabase;
use std::process::{Command, Stdio};

/// The exit code and the output of the program.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program with these arguments, without a terminal, and without settings from the environment
/// of the test.
pub(crate) fn program(db: &TestDatabase, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration"));
    let folder = std::env::temp_dir();
    command.args(words).args(["--database-url", &db.url]).current_dir(folder).stdin(Stdio::null());
    command.env_remove("DATABASE_URL").env_remove("PLAYHEAD_ENV").env_remove("RUST_LOG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub(crate) fn run_program(mut command: Command) -> ProgramOutput {
    let output = command.output().unwrap();
    ProgramOutput {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program with these arguments. It must exit with 0. Returns its output.
pub(crate) fn succeed(db: &TestDatabase, words: &[&str]) -> String {
    let output = run_program(program(db, words));
    assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
    output.out
}
