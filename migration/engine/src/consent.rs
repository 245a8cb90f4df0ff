//! Whether somebody wants data to be dropped. It asks only where somebody can answer.

use crate::environment::redacted;
use crate::plan::Plan;
use crate::{Error, Project};
use std::io::{self, BufRead, IsTerminal, Write};

/// Who could be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// A person sits at a terminal.
    Person,
    /// Nobody does.
    Nobody,
    /// It is a production database, for which a keystroke is not enough.
    Production,
}

impl Listener {
    /// Who is there.
    pub fn present(production: bool) -> Self {
        match io::stdin().is_terminal() && io::stderr().is_terminal() {
            _ if production => Self::Production,
            true => Self::Person,
            false => Self::Nobody,
        }
    }
}

/// Returns when the plan may be carried out: somebody says yes now, or nothing is dropped.
pub(crate) fn consent(project: &Project, plan: &Plan, url: &str, listener: Listener) -> Result<(), Error> {
    if !plan.drops_data() {
        return Ok(());
    }
    match listener {
        Listener::Production => Err(Error::Consent(match project.production_variable {
            Some(variable) => format!("{variable} is production"),
            None => "this is a production database".to_owned(),
        })),
        Listener::Nobody => Err(Error::Consent("there is no terminal to ask at".to_owned())),
        Listener::Person => {
            let mut answer = String::new();
            let _ = write!(io::stderr(), "{plan}Data of {} may be dropped for good. Go on? [y/N] ", redacted(url));
            match io::stdin().lock().read_line(&mut answer) {
                Ok(_) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => Ok(()),
                _ => Err(Error::Consent("the answer was not yes".to_owned())),
            }
        }
    }
}
