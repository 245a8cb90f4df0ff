//! The key that signs access tokens. Without JWT_SECRET it is created once and kept beside the
//! SQLite file.

use crate::settings::{MAKE_SECRET, SECRET_BYTES, Settings};
use service::auth::generate_secret;
use service::storage::sqlite_file;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The key of the settings, or the one beside the database, which is created when it is missing.
pub(crate) fn load_or_create(settings: &Settings) -> Result<Vec<u8>, String> {
    if let Some(secret) = &settings.jwt_secret {
        return Ok(secret.clone().into_bytes());
    }
    let database = sqlite_file(&settings.database_url).map_err(|_| {
        format!("JWT_SECRET: is not set, and PostgreSQL needs one that all replicas share; {MAKE_SECRET}")
    })?;
    let mut name = database.into_os_string();
    name.push(".jwt-secret");
    let path = PathBuf::from(name);
    create_once(&path)?;
    let failed = |error| {
        format!(
            "JWT_SECRET: is not set, and {} cannot be read: {error}; fix the file or set the variable",
            path.display()
        )
    };
    let secret = fs::read(&path).map_err(failed)?;
    if secret.len() < SECRET_BYTES {
        return Err(format!(
            "JWT_SECRET: is not set, and {} holds no key; remove that file or set the variable",
            path.display()
        ));
    }
    let mode = fs::metadata(&path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        log::warn!("{} can be read by others (mode {:o}): run chmod 600 on it", path.display(), mode & 0o777);
    }
    Ok(secret)
}

/// Writes a new key to a temporary file and links it into place: of two first starts one wins, and
/// neither reads a part of a key.
fn create_once(path: &Path) -> Result<(), String> {
    if path.exists() {
        return Ok(());
    }
    let temporary = path.with_extension(format!("jwt-secret.{}", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(generate_secret()?.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    };
    let written = write();
    // It is linked, or was never created.
    let _ = fs::remove_file(&temporary);
    written.map_err(|error| {
        format!(
            "JWT_SECRET: is not set, and {} cannot be created: {error}; make its folder writable or set the variable",
            path.display()
        )
    })
}
