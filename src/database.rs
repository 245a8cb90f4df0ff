//! Opens the database for the commands that need one.

use crate::settings::Settings;
use migration::{PROJECT, RunOptions, Target};
use service::Database;
use std::fmt::Display;

/// Opens the database of the settings and brings its schema to head, or says what to do about it.
///
/// # Errors
/// The database cannot be reached, or its schema is behind and `AUTO_MIGRATE` is off.
pub(crate) async fn open(settings: &Settings) -> Result<Database, String> {
    let with_url = |error: &dyn Display| format!("DATABASE_URL={}: {error}", settings.database());
    let db = Database::connect(&settings.database_url, settings.durability).await.map_err(|error| with_url(&error))?;
    let state = PROJECT.state(db.reader()).await.map_err(|error| with_url(&error))?;
    state.require_adopted(&PROJECT).map_err(|error| with_url(&error))?;
    if !state.unknown.is_empty() {
        log::warn!(
            "the database is ahead of this program, which starts all the same; unknown migrations: {}",
            state.unknown.join(", ")
        );
    }
    if state.pending.is_empty() {
        return Ok(db);
    }
    if !settings.auto_migrate {
        let count = state.pending.len();
        return Err(with_url(&format!(
            "the schema is {count} migrations behind; run `playhead migrate up`, or set AUTO_MIGRATE=true"
        )));
    }
    let options = RunOptions::default();
    let report = PROJECT.upgrade(&settings.database_url, &Target::End, &options).await;
    for name in report.map_err(|error| with_url(&error))?.applied {
        log::info!("migrated: {name}");
    }
    Ok(db)
}
