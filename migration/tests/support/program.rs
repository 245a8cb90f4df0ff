//! The program itself, started as a deployment starts it.

use super::TestDatabase;
use std::process::{Command, Stdio};

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program with these words, ready to start: without a terminal, without settings of the one who tests.
pub(crate) fn program(db: &TestDatabase, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration"));
    let folder = std::env::temp_dir();
    command.args(words).args(["--database-url", &db.url]).current_dir(folder).stdin(Stdio::null());
    command.env_remove("DATABASE_URL").env_remove("PLAYHEAD_ENV").env_remove("RUST_LOG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub(crate) fn ran(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it with these words, which must go well.
pub(crate) fn done(db: &TestDatabase, words: &[&str]) -> String {
    let ran = ran(program(db, words));
    assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
    ran.out
}
