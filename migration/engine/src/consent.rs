//! Confirmation before data is dropped. It is asked for only at a terminal.

use crate::environment::redacted;
use crate::plan::RunPlan;
use crate::{Error, Project};
use std::io::{self, BufRead, IsTerminal, Write};

/// Who can confirm that data is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// A person at a terminal.
    Person,
    /// Nobody: there is no terminal.
    Nobody,
    /// Nobody: on a production site only `--yes` counts.
    Production,
}

impl Confirmation {
    /// Who can confirm in this process.
    pub fn available(production: bool) -> Self {
        match io::stdin().is_terminal() && io::stderr().is_terminal() {
            _ if production => Self::Production,
            true => Self::Person,
            false => Self::Nobody,
        }
    }
}

/// Returns if the plan drops nothing, or a person confirms it now.
pub(crate) fn confirm(project: &Project, plan: &RunPlan, url: &str, confirmation: Confirmation) -> Result<(), Error> {
    if !plan.drops_data() {
        return Ok(());
    }
    match confirmation {
        Confirmation::Production => Err(Error::NotConfirmed(match project.production_variable {
            Some(variable) => format!("{variable} is production"),
            None => "this is a production database".to_owned(),
        })),
        Confirmation::Nobody => Err(Error::NotConfirmed("there is no terminal to ask at".to_owned())),
        Confirmation::Person => {
            let mut answer = String::new();
            let _ = write!(io::stderr(), "{plan}Data of {} may be dropped for good. Go on? [y/N] ", redacted(url));
            match io::stdin().lock().read_line(&mut answer) {
                Ok(_) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => Ok(()),
                _ => Err(Error::NotConfirmed("the answer was not yes".to_owned())),
            }
        }
    }
}
