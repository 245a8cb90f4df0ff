//! The backup of a SQLite file, in its folder, before a migration rebuilds or drops tables.

use crate::connect::{Place, connect};
use crate::records::adoption::ALEMBIC;
use crate::{Error, Project};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Copies the SQLite file while `locked` holds the lock. Returns the name of the backup, or `None` if
/// the database has no rows or is not SQLite.
pub(crate) async fn back_up(
    project: &Project,
    url: &str,
    locked: &impl ConnectionTrait,
) -> Result<Option<String>, Error> {
    let Place::SqliteFile(file) = Place::of(url)? else { return Ok(None) };
    if !holds_rows(project, locked).await? {
        return Ok(None);
    }
    let time = text(locked, "SELECT strftime('%Y%m%dT%H%M%fZ', 'now')").await?.unwrap_or_default();
    let backup = with_suffix(&file, &format!(".{time}.backup"));
    // A partial file of a killed run can be overwritten: this run holds the lock.
    let partial = with_suffix(&file, ".backup.partial");
    let failed = |reason: String| {
        let _ = fs::remove_file(&partial);
        Error::Backup { file: backup.display().to_string(), reason }
    };
    // The backup holds the same secrets, so it gets the same permissions.
    prepare(&file, &partial).map_err(|error| failed(error.to_string()))?;
    copy(project, url, &partial).await.map_err(|error| failed(error.to_string()))?;
    finish(&partial, &backup).map_err(|error| failed(error.to_string()))?;
    log::info!("backed up to {}", backup.display());
    Ok(Some(backup.display().to_string()))
}

/// A copy of a SQLite file in the same folder, removed when this value is dropped.
pub(crate) struct TemporaryCopy(PathBuf);

impl TemporaryCopy {
    pub(crate) async fn of(project: &Project, url: &str, file: &Path) -> Result<Self, Error> {
        let copied = Self(with_suffix(file, &format!(".{}.rehearsal", std::process::id())));
        let failed = |reason: String| Error::Backup { file: copied.0.display().to_string(), reason };
        prepare(file, &copied.0).map_err(|error| failed(error.to_string()))?;
        copy(project, url, &copied.0).await.map_err(|error| failed(error.to_string()))?;
        Ok(copied)
    }

    pub(crate) fn url(&self) -> String {
        let path = self.0.to_string_lossy().replace('%', "%25").replace('?', "%3F");
        format!("sqlite://{path}?mode=rw")
    }
}

impl Drop for TemporaryCopy {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(with_suffix(&self.0, suffix));
        }
    }
}

/// The file's path with a suffix.
fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn prepare(file: &Path, partial: &Path) -> io::Result<()> {
    File::create(partial)?.set_permissions(fs::metadata(file)?.permissions())
}

/// Uses another connection, because the one with the lock is in a transaction. It reads committed rows.
async fn copy(project: &Project, url: &str, to: &Path) -> Result<(), Error> {
    let db = connect(project, url, false, Duration::from_secs(5)).await?;
    let name = to.to_string_lossy().replace('\'', "''");
    let copied = db.execute_unprepared(&format!("VACUUM INTO '{name}'")).await;
    db.close().await?;
    copied.map(|_| ()).map_err(Error::from)
}

/// Syncs the backup to disk before the first change.
fn finish(partial: &Path, backup: &Path) -> io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, backup)?;
    match backup.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Whether any table has a row, apart from the records of migrations.
async fn holds_rows(project: &Project, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let records = ["seaql_migrations", ALEMBIC].into_iter().chain(project.legacy.map(|legacy| legacy.table));
    let records = records.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    // The shadow tables of a virtual table have rows even if the virtual table has none.
    let tables = format!(
        "SELECT group_concat('EXISTS (SELECT 1 FROM \"' || replace(name, '\"', '\"\"') || '\")', ' OR ') \
                  FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                  AND name NOT IN ({records})"
    );
    let Some(any) = text(db, &tables).await? else { return Ok(false) };
    Ok(text(db, &format!("SELECT 'some' WHERE {any}")).await?.is_some())
}

async fn text(db: &impl ConnectionTrait, select: &str) -> Result<Option<String>, DbErr> {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), select)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.flatten())
}
