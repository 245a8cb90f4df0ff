//! `playhead user …`: accounts, as the operator manages them.

use crate::database;
use crate::output::print_line;
use crate::settings::Settings;
use clap::Subcommand;
use service::auth::Passwords;
use service::library::{Library, register_sample};
use service::time::Clock;
use service::user::{self, Registration, RegistrationPolicy};
use std::io::{self, IsTerminal};

/// The commands below `playhead user`.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create an account; the password is asked for, or read from standard input
    Create {
        /// The user name
        name: String,
        /// The e-mail address
        email: String,
        /// Make it an administrator
        #[arg(long)]
        admin: bool,
    },
    /// Give an account a new password and end its sessions
    SetPassword {
        /// The user name or e-mail address
        name: String,
    },
    /// Deactivate an account
    Deactivate {
        /// The user name or e-mail address
        name: String,
    },
}

/// Runs the command.
pub(crate) async fn run(settings: &Settings, command: UserCommand) -> Result<(), String> {
    let db = database::open(settings).await?;
    let now = Clock::System.now();
    let done = match command {
        UserCommand::Create { name, email, admin } => {
            let registration = Registration { email, username: name, password: ask_password()?, full_name: None };
            registration.check().map_err(|error| error.to_string())?;
            let made =
                user::register(&db, &Passwords::default(), RegistrationPolicy::Operator { admin }, registration, now)
                    .await;
            let made = made.map_err(|error| error.to_string())?;
            let library = Library::new(&settings.media_dir);
            if made.is_first
                && let Err(error) = register_sample(&db, &library, made.user.id, now).await
            {
                // The account exists anyway.
                log::warn!("cannot register the sample clip: {error}");
            }
            Ok(format!("created {} ({})", made.user.username, made.user.role))
        }
        UserCommand::SetPassword { name } => {
            let password = ask_password()?;
            user::check_password(&password).map_err(|error| error.to_string())?;
            let changed = user::set_password(&db, &Passwords::default(), &name, password, now).await;
            changed.map(|user| format!("{} has a new password and is signed out everywhere", user.username))
        }
        UserCommand::Deactivate { name } => {
            let changed = user::deactivate(&db, &name, now).await;
            changed.map(|user| format!("{} is deactivated", user.username))
        }
    };
    db.close().await;
    print_line(done.map_err(|error| error.to_string())?);
    Ok(())
}

/// Asks twice on a terminal; otherwise reads the first line.
fn ask_password() -> Result<String, String> {
    let failed = |error: io::Error| format!("cannot read the password: {error}");
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(failed)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ").map_err(failed)?;
    let again = rpassword::prompt_password("Once more: ").map_err(failed)?;
    if password == again { Ok(password) } else { Err("the two passwords differ; try again".into()) }
}
