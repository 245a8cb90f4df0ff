//! The PostgreSQL sessions that hold what a migration waits for. SQLite cannot tell.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// The sessions that hold the migration lock.
pub(crate) async fn of_the_lock(db: &impl ConnectionTrait, lock_number: i64) -> Result<Vec<String>, DbErr> {
    let whose = format!(
        "locktype = 'advisory' AND objsubid = 1 AND (classid::bigint << 32) + objid::bigint = {lock_number} \
         AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    sessions(db, &whose).await
}

/// The sessions that hold a lock on a table of the schema.
pub(crate) async fn of_tables(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let whose = "locktype = 'relation' AND relation IN (SELECT oid FROM pg_class \
                 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p'))";
    sessions(db, whose).await
}

/// The sessions that have been idle in a transaction for at least a minute.
pub(crate) async fn idle(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let whose = "state LIKE 'idle in transaction%' AND state_change < now() - interval '1 minute'";
    sessions(db, whose).await
}

async fn sessions(db: &impl ConnectionTrait, whose: &str) -> Result<Vec<String>, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let select = format!(
        "SELECT DISTINCT format('pid %s (%s, %s, %s)', pid, coalesce(nullif(application_name, ''), 'no application name'), \
         coalesce('from ' || host(client_addr), 'local'), coalesce(state, 'state unknown')) \
         FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE granted AND pid <> pg_backend_pid() AND {whose} ORDER BY 1"
    );
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, select)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
