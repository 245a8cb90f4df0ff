//! Saves, lookups and lists as an experienced user of axum and sqlx writes them: a pool, one
//! statement a request, no batches.
//!
//! `DATABASE_URL`, `JWT_SECRET`, `PORT`. SQLite has one connection that writes and `READERS` that
//! read (4), PostgreSQL has `POOL` connections (10).

mod request;
mod response;
mod routes;

use axum::serve::ListenerExt;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use request::TokenCheck;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::env;
use std::error::Error;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, secret) = (env::var("DATABASE_URL")?, env::var("JWT_SECRET")?);
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = 0;
    let tokens = Arc::new(TokenCheck { key: DecodingKey::from_secret(secret.as_bytes()), validation });
    let router = if url.starts_with("sqlite") {
        let reads = open_sqlite(&url, number("READERS", 4)?).await?;
        let writes = open_sqlite(&url, 1).await?;
        routes::on_sqlite::router(routes::on_sqlite::App { reads, writes, tokens })
    } else {
        let pool = PgPoolOptions::new().max_connections(number("POOL", 10)?).test_before_acquire(false);
        let pool = pool.connect(&url).await?;
        routes::on_postgres::router(routes::on_postgres::App { reads: pool.clone(), writes: pool, tokens })
    };
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(number("PORT", 0)?)?)).await?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let mut term = signal(SignalKind::terminate())?;
    let ended = async move { drop(term.recv().await) };
    Ok(axum::serve(listener, router).with_graceful_shutdown(ended).await?)
}

/// As durable as Playhead: an acknowledged save survives a power loss.
async fn open_sqlite(url: &str, connections: u32) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(true)
        .pragma("cache_size", "-65536")
        .pragma("mmap_size", "268435456")
        .pragma("temp_store", "MEMORY");
    let pool = SqlitePoolOptions::new().max_connections(connections).test_before_acquire(false);
    pool.connect_with(options).await
}

fn number(name: &str, default: u32) -> Result<u32, Box<dyn Error>> {
    Ok(env::var(name).map_or(Ok(default), |text| text.parse())?)
}
