//! Problems of a PostgreSQL database.

use super::{Diagnosis, text, texts};
use crate::{Error, Project, holders};
use sea_orm_migration::sea_orm::DatabaseConnection;

pub(super) async fn examine(
    project: &Project,
    db: &DatabaseConnection,
    diagnosis: &mut Diagnosis,
) -> Result<(), Error> {
    diagnosis.add_ok(format!("PostgreSQL {}", text(db, "SHOW server_version").await?));
    let settings = "SELECT string_agg(name || ' ' || setting || coalesce(unit, ''), ', ' ORDER BY name) FROM pg_settings \
                    WHERE name IN ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', \
                    'synchronous_commit', 'TimeZone', 'max_connections')";
    diagnosis.add_ok(text(db, settings).await?);
    match text(db, "SHOW server_encoding").await?.as_str() {
        "UTF8" => diagnosis.add_ok("the encoding is UTF8"),
        other => diagnosis.add_problem(
            format!("the encoding is {other}, which cannot hold every name"),
            "create a database WITH ENCODING 'UTF8' and restore a dump into it",
        ),
    }
    if text(db, "SELECT pg_is_in_recovery()::text").await? == "true" {
        diagnosis.add_problem("this server is a read-only replica", "name the primary in DATABASE_URL");
    }
    if text(db, "SELECT has_schema_privilege(current_schema(), 'CREATE')::text").await? != "true" {
        diagnosis.add_problem("this role may not create tables here", "GRANT CREATE, USAGE ON SCHEMA public TO it");
    }
    let invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1";
    match texts(db, invalid).await?.as_slice() {
        [] => diagnosis.add_ok("every index is valid"),
        names => diagnosis.add_problem(
            format!("invalid index left by an interrupted run: {}", names.join(", ")),
            "run the migration that creates it again; otherwise DROP INDEX CONCURRENTLY",
        ),
    }
    match holders::of_the_lock(db, project.lock_number).await?.as_slice() {
        [] => diagnosis.add_ok("no session holds the migration lock"),
        by => diagnosis.add_problem(
            format!("a migration is running: {}", by.join(", ")),
            "wait for it, or end it: SELECT pg_terminate_backend(pid)",
        ),
    }
    match holders::idle(db).await?.as_slice() {
        [] => diagnosis.add_ok("no session is idle in a transaction"),
        by => diagnosis.add_problem(
            format!("idle in a transaction for over a minute: {}", by.join(", ")),
            "end it, a migration would wait for it: SELECT pg_terminate_backend(pid)",
        ),
    }
    let size = text(db, "SELECT pg_size_pretty(pg_database_size(current_database()))").await?;
    diagnosis.add_ok(format!("{size} of data; `doctor` cannot see the free space of the server"));
    Ok(())
}
