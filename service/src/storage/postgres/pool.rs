//! SeaORM's connections to PostgreSQL.
//!
//! To the server itself there is one pool for who reads and who writes. Through a pooler that lends a connection for one transaction
//! ([`behind_transaction_pooler`]) nothing can be asked outside of one: the driver prepares a statement in one step and runs it in another, and would find
//! somebody else's connection in between. So whoever only reads gets a connection on which a transaction has begun, and whoever writes
//! begins one anyhow.

use super::connection::{MAX_LIFETIME, behind_transaction_pooler, timeouts};
use sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm::sqlx::{AssertSqlSafe, Connection, Error, Executor, PgConnection};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use std::time::Duration;
use tokio::time::timeout;

/// Connections of one process, beside those of the lanes, and as many again through a pooler.
const CONNECTIONS: u32 = 10;
/// After so long a rest a connection is asked whether it is alive: one that a restarted server left dead is noticed here, not by a
/// request.
const IDLE_CHECK_AFTER: Duration = Duration::from_secs(1);

/// Opens the pool of who reads and that of who writes; each waits for a connection, and for a sign of life, as long as `patience`.
///
/// # Errors
/// The server cannot be reached.
pub(crate) async fn open_pools(url: &str, patience: Duration) -> Result<[DatabaseConnection; 2], DbErr> {
    let mut pool = ConnectOptions::new(url);
    pool.max_connections(CONNECTIONS).acquire_timeout(patience).sqlx_logging(false);
    // Statements that were prepared before a migration may fail on it as long as the connection lives.
    pool.max_lifetime(MAX_LIFETIME).test_before_acquire_if_idle_for(IDLE_CHECK_AFTER);
    pool.map_sqlx_postgres_opts(|postgres| postgres.extra_float_digits(None));
    if behind_transaction_pooler(url) {
        let mut reading = pool.clone();
        // Not before they are used, or the first of them would wait in its transaction; and not ended for their age, which the pool does in
        // the midst of one.
        reading.connect_lazy(true).max_lifetime(None);
        reading.map_sqlx_postgres_pool_opts(move |pool| in_a_transaction(pool, patience));
        pool.map_sqlx_postgres_pool_opts(move |pool| rolled_back(pool, patience));
        Ok([Database::connect(reading).await?, Database::connect(pool).await?])
    } else {
        pool.map_sqlx_postgres_pool_opts(move |pool| {
            // Set on the connection and not in the start-up packet, which poolers refuse.
            let pool =
                pool.after_connect(|connection, _| Box::pin(async { run(connection, timeouts("SESSION")).await }));
            seen_alive(pool, patience)
        });
        let pool = Database::connect(pool).await?;
        Ok([pool.clone(), pool])
    }
}

/// What a transaction on a lent connection begins with: what others have prepared there goes by the same names as what follows, which the
/// driver counts from 1 for each of its connections.
pub(crate) fn begin_statements() -> String {
    format!("DEALLOCATE ALL; {}", timeouts("LOCAL"))
}

fn in_a_transaction(pool: PgPoolOptions, patience: Duration) -> PgPoolOptions {
    let begin = || format!("BEGIN READ ONLY; {}", begin_statements());
    let pool = pool.after_connect(move |connection, _| Box::pin(async move { run(connection, begin()).await }));
    let pool = pool
        .before_acquire(move |connection, _| Box::pin(async move { run(connection, begin()).await.map(|()| true) }));
    pool.after_release(move |connection, _| {
        Box::pin(in_time(patience, async { run(connection, "COMMIT".into()).await }))
    })
}

/// Who is cut off while a transaction begins leaves it open.
fn rolled_back(pool: PgPoolOptions, patience: Duration) -> PgPoolOptions {
    // A ROLLBACK where there is nothing to roll back leaves a warning in the log of the server.
    const END: &str = "BEGIN; ROLLBACK";
    pool.after_release(move |connection, _| Box::pin(in_time(patience, async { run(connection, END.into()).await })))
}

/// The pool asks so itself afterwards, but would wait for a server that has vanished as long as the system does, which may be a quarter
/// of an hour.
fn seen_alive(pool: PgPoolOptions, patience: Duration) -> PgPoolOptions {
    pool.after_release(move |connection, _| Box::pin(in_time(patience, async { connection.ping().await })))
}

async fn in_time(patience: Duration, work: impl Future<Output = Result<(), Error>>) -> Result<bool, Error> {
    timeout(patience, work).await.unwrap_or(Err(Error::PoolTimedOut)).map(|()| true)
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}
