//! What commands print on the terminal.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line to standard output. A closed pipe is not an error.
pub(crate) fn print_line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints a line to standard error. A closed pipe is not an error.
pub(crate) fn print_note(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
