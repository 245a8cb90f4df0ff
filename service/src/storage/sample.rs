//! Numbers that are read only when somebody asks for the metrics.

use super::database::{BatchConnections, Database};
use crate::metrics::Metrics;
use sea_orm::DatabaseConnection;
use std::fs;
use std::path::Path;

impl Database {
    /// Sets the metrics of the pools, and on SQLite the size of the write-ahead log.
    pub fn sample(&self) {
        let Some(metrics) = self.metrics() else { return };
        match self.batch_connections() {
            BatchConnections::Sqlite(connector) => {
                sample_sqlite_pool(metrics, "reader", self.reader());
                sample_sqlite_pool(metrics, "writer", &self.writer);
                sample_wal(metrics, &connector.file);
            }
            // Without a pooler in front of PostgreSQL, both are one pool.
            BatchConnections::Postgres(connector) if !connector.behind_transaction_pooler => {
                sample_postgres_pool(metrics, "shared", self.reader());
            }
            BatchConnections::Postgres(_) => {
                sample_postgres_pool(metrics, "reader", self.reader());
                sample_postgres_pool(metrics, "writer", &self.writer);
            }
        }
    }
}

fn sample_sqlite_pool(metrics: &Metrics, name: &str, connection: &DatabaseConnection) {
    let pool = connection.get_sqlite_connection_pool();
    set_pool(metrics, name, pool.size(), pool.num_idle(), pool.options().get_max_connections());
}

fn sample_postgres_pool(metrics: &Metrics, name: &str, connection: &DatabaseConnection) {
    let pool = connection.get_postgres_connection_pool();
    set_pool(metrics, name, pool.size(), pool.num_idle(), pool.options().get_max_connections());
}

fn set_pool(metrics: &Metrics, name: &str, size: u32, idle: usize, limit: u32) {
    // The two numbers are read one after the other, and may not agree.
    let idle = i64::try_from(idle).unwrap_or(i64::MAX).min(size.into());
    metrics.pool.with_label_values(&[name, "idle"]).set(idle);
    metrics.pool.with_label_values(&[name, "used"]).set(i64::from(size) - idle);
    metrics.pool_limit.with_label_values(&[name]).set(limit.into());
}

/// A log that is not there has no bytes.
fn sample_wal(metrics: &Metrics, database: &Path) {
    let Some(sqlite) = &metrics.sqlite else { return };
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let bytes = fs::metadata(log).map_or(0, |file| file.len());
    sqlite.wal_bytes.with_label_values(&[] as &[&str]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
}
