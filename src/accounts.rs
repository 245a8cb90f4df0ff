//! `playhead user …`: accounts, as the operator manages them.

use crate::database;
use crate::output::print_line;
use crate::settings::Settings;
use clap::Subcommand;
use service::auth::Passwords;
use service::library::{Library, register_sample};
use service::time::Clock;
use service::user::{self, RegisteredUser, Registration, RegistrationPolicy, User};
use service::{Database, Error};
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
            let made = register(&db, registration, admin).await.map_err(|error| error.to_string())?;
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
            let changed = set_password(&db, &name, password).await;
            changed.map(|user| format!("{} has a new password and is signed out everywhere", user.username))
        }
        UserCommand::Deactivate { name } => {
            let changed = db.transaction(async |tx| user::deactivate(tx, &name, now).await).await;
            changed.map(|user| format!("{} is deactivated", user.username))
        }
    };
    db.close().await;
    print_line(done.map_err(|error| error.to_string())?);
    Ok(())
}

async fn register(db: &Database, registration: Registration, admin: bool) -> Result<RegisteredUser, Error> {
    let policy = RegistrationPolicy::Operator { admin };
    let prepared = user::prepare_registration(db, &Passwords::default(), policy, registration).await?;
    db.transaction(async |tx| user::register(tx, prepared, Clock::System.now()).await).await
}

async fn set_password(db: &Database, name: &str, password: String) -> Result<User, Error> {
    let new = user::prepare_new_password(db, &Passwords::default(), name, password).await?;
    db.transaction(async |tx| user::set_password(tx, new, Clock::System.now()).await).await
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
