//! What can be wrong with a PostgreSQL database.

use super::{Diagnosis, text, texts};
use crate::{Error, Project, holders};
use sea_orm_migration::sea_orm::DatabaseConnection;

pub(super) async fn examine(
    project: &Project,
    db: &DatabaseConnection,
    diagnosis: &mut Diagnosis,
) -> Result<(), Error> {
    diagnosis.fine(format!("PostgreSQL {}", text(db, "SHOW server_version").await?));
    let settings = "SELECT string_agg(name || ' ' || setting || coalesce(unit, ''), ', ' ORDER BY name) FROM pg_settings \
                    WHERE name IN ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', \
                    'synchronous_commit', 'TimeZone', 'max_connections')";
    diagnosis.fine(text(db, settings).await?);
    match text(db, "SHOW server_encoding").await?.as_str() {
        "UTF8" => diagnosis.fine("the encoding is UTF8"),
        other => diagnosis.mend(
            format!("the encoding is {other}, which cannot hold every name"),
            "make a database WITH ENCODING 'UTF8' and restore a dump into it",
        ),
    }
    if text(db, "SELECT pg_is_in_recovery()::text").await? == "true" {
        diagnosis.mend("this server is a replica and only reads", "name the primary in DATABASE_URL");
    }
    if text(db, "SELECT has_schema_privilege(current_schema(), 'CREATE')::text").await? != "true" {
        diagnosis.mend("this role may not make tables here", "GRANT CREATE, USAGE ON SCHEMA public TO it");
    }
    let invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1";
    match texts(db, invalid).await?.as_slice() {
        [] => diagnosis.fine("every index is valid"),
        names => diagnosis.mend(
            format!("left half-made by a kill: index {}", names.join(", ")),
            "the migration that makes it makes it again; otherwise DROP INDEX CONCURRENTLY",
        ),
    }
    match holders::of_the_lock(db, project.lock_number).await?.as_slice() {
        [] => diagnosis.fine("nobody holds the lock of the migrations"),
        by => diagnosis.mend(
            format!("a migration is running: {}", by.join(", ")),
            "wait for it, or end it: SELECT pg_terminate_backend(pid)",
        ),
    }
    match holders::idle(db).await?.as_slice() {
        [] => diagnosis.fine("nobody sits idle in a transaction"),
        by => diagnosis.mend(
            format!("idle in a transaction for over a minute: {}", by.join(", ")),
            "end it, a migration would wait for it: SELECT pg_terminate_backend(pid)",
        ),
    }
    let size = text(db, "SELECT pg_size_pretty(pg_database_size(current_database()))").await?;
    diagnosis.fine(format!("{size} of data; how much room its server has is not visible from here"));
    Ok(())
}
