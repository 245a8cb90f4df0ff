//! SeaORM's connection pools for PostgreSQL.
//!
//! With a direct connection there is one pool. Behind a pooler in transaction mode there are two,
//! because every statement must be in a transaction: the driver prepares it in one step and runs it
//! in another, and would get another connection of the server in between. So the connections for
//! reading are handed out inside BEGIN READ ONLY, and writers open their own transaction anyway.

use super::connection::{MAX_LIFETIME, PING_AFTER, behind_transaction_pooler, connect_options, set_timeouts};
use crate::storage::connect::{connection_error, probe};
use sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm::sqlx::{AssertSqlSafe, Connection, Error, Executor, PgConnection};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use std::time::Duration;
use tokio::time::timeout;

/// Connections of one process, besides those of the batch workers; twice as many behind a pooler.
const CONNECTIONS: u32 = 10;

/// Opens the pool for reading and the one for writing. `acquire_timeout` limits the wait for a free
/// connection, and for a ping.
///
/// # Errors
/// The server cannot be reached.
pub(in crate::storage) async fn open_pools(
    url: &str,
    acquire_timeout: Duration,
) -> Result<[DatabaseConnection; 2], DbErr> {
    probe(&connect_options(url).map_err(connection_error)?).await?;
    let mut options = ConnectOptions::new(url);
    options.max_connections(CONNECTIONS).acquire_timeout(acquire_timeout).sqlx_logging(false);
    // A statement that was prepared before a migration may fail as long as its connection lives.
    options.max_lifetime(MAX_LIFETIME).test_before_acquire_if_idle_for(PING_AFTER);
    options.map_sqlx_postgres_opts(|postgres| postgres.extra_float_digits(None));
    if behind_transaction_pooler(url) {
        let mut reading = options.clone();
        // The pool is lazy, because an early connection would stay idle in its open transaction. It
        // has no maximum age, because it would close old connections inside a transaction.
        reading.connect_lazy(true).max_lifetime(None);
        reading.map_sqlx_postgres_pool_opts(move |pool| begin_on_acquire(pool, acquire_timeout));
        options.map_sqlx_postgres_pool_opts(move |pool| rollback_on_release(pool, acquire_timeout));
        Ok([Database::connect(reading).await?, Database::connect(options).await?])
    } else {
        options.map_sqlx_postgres_pool_opts(move |pool| {
            // Set on the connection, because poolers refuse these settings in the start-up packet.
            let pool =
                pool.after_connect(|connection, _| Box::pin(async { run(connection, set_timeouts("SESSION")).await }));
            ping_on_release(pool, acquire_timeout)
        });
        let pool = Database::connect(options).await?;
        Ok([pool.clone(), pool])
    }
}

/// What a transaction behind a pooler begins with. Another client may have left prepared statements
/// on the server's connection, with the names that this driver will use.
pub(in crate::storage) fn transaction_setup() -> String {
    format!("DEALLOCATE ALL; {}", set_timeouts("LOCAL"))
}

fn begin_on_acquire(pool: PgPoolOptions, limit: Duration) -> PgPoolOptions {
    let begin = || format!("BEGIN READ ONLY; {}", transaction_setup());
    let pool = pool.after_connect(move |connection, _| Box::pin(async move { run(connection, begin()).await }));
    let pool = pool
        .before_acquire(move |connection, _| Box::pin(async move { run(connection, begin()).await.map(|()| true) }));
    pool.after_release(move |connection, _| Box::pin(in_time(limit, async { run(connection, "COMMIT".into()).await })))
}

/// Ends a transaction that was left open: by a future that was dropped while the transaction began.
fn rollback_on_release(pool: PgPoolOptions, limit: Duration) -> PgPoolOptions {
    // Without BEGIN, a ROLLBACK outside of a transaction writes a warning to the server's log.
    const END: &str = "BEGIN; ROLLBACK";
    pool.after_release(move |connection, _| Box::pin(in_time(limit, async { run(connection, END.into()).await })))
}

/// The pool pings afterwards too, but without a limit: the system waits up to a quarter of an hour
/// for a server that has vanished.
fn ping_on_release(pool: PgPoolOptions, limit: Duration) -> PgPoolOptions {
    pool.after_release(move |connection, _| Box::pin(in_time(limit, async { connection.ping().await })))
}

async fn in_time(limit: Duration, work: impl Future<Output = Result<(), Error>>) -> Result<bool, Error> {
    timeout(limit, work).await.unwrap_or(Err(Error::PoolTimedOut)).map(|()| true)
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}
