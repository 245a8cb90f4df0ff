//! What the examples share: a database of their own, and a look at the statements that they send.

#![allow(dead_code, unused_imports, unused_macros, reason = "no example needs all of it")]

use sea_orm::entity::prelude::*;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Schema};
use std::sync::{Arc, Mutex, PoisonError};

/// The PostgreSQL that `DATABASE_URL` names, otherwise SQLite in memory.
pub fn database_url() -> String {
    let named = std::env::var("DATABASE_URL").ok().filter(|url| url.starts_with("postgres"));
    named.unwrap_or_else(|| "sqlite::memory:".to_owned())
}

/// Where an example plays: a database that is gone afterwards.
pub struct Stage {
    /// Where statements go.
    pub db: DatabaseConnection,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    /// One connection, kept to the end. On PostgreSQL every table that is made on it is a temporary one: whatever happens, nothing
    /// stays behind, and tables of the same name are neither seen nor touched.
    pub async fn open(url: &str) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None).sqlx_logging(false);
        options.set_schema_search_path("pg_temp,public");
        let mut db = Database::connect(options).await?;
        let sent = Arc::new(Mutex::new(Vec::new()));
        let log = sent.clone();
        db.set_metric_callback(move |info| {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(info.statement.sql.clone());
        });
        println!("on {}", if url.starts_with("postgres") { "PostgreSQL" } else { "SQLite in memory" });
        Ok(Self { db, sent })
    }

    /// Says what comes next.
    pub fn step(&self, what: &str) {
        self.forget_sent();
        println!("\n== {what}");
    }

    /// Prints and returns the statements that were sent since the step began or since the last call. BEGIN, COMMIT and
    /// ROLLBACK are not among them.
    pub fn sent(&self) -> Vec<String> {
        let sent = self.forget_sent();
        sent.iter().for_each(|sql| println!("   {}", shortened(sql)));
        sent
    }

    fn forget_sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Leaves the middle out of long lists.
fn shortened(sql: &str) -> String {
    let is_name = |part: &str| part.starts_with('"') && part.ends_with('"') && !part.contains(' ');
    let is_placeholder = |part: &str| part.starts_with(['?', '$', '(']) && !part.contains(' ');
    let is_dull = |part: &&str| is_placeholder(part) || part.split(" AS ").all(is_name);
    let parts: Vec<&str> = sql.split(", ").collect();
    let runs = parts.chunk_by(|one, next| is_dull(one) && is_dull(next));
    let runs = runs.map(|run| if run.len() > 2 { "…".to_owned() } else { run.join(", ") });
    runs.collect::<Vec<_>>().join(", ")
}

/// What `Base.metadata.create_all` does for one entity: its table, then its indexes.
///
/// `CURRENT_TIMESTAMP` becomes the time to the millisecond. SQLite's own is text to the second and in another form than
/// the times that are bound to statements (`2026-11-20 16:00:00` and `2026-11-20T16:00:00.123+00:00`). Texts of two
/// forms do not compare as times do, so its default writes the form of the bound ones, which leave out `.000`.
pub async fn create_table(db: &impl ConnectionTrait, entity: impl EntityTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let now = match backend {
        DatabaseBackend::Sqlite => "(replace(strftime('%Y-%m-%dT%H:%M:%f', 'now'), '.000', '') || '+00:00')",
        _ => "CURRENT_TIMESTAMP(3)",
    };
    let schema = Schema::new(backend);
    let table = backend.build(&schema.create_table_from_entity(entity));
    db.execute_unprepared(&table.sql.replace("CURRENT_TIMESTAMP", now)).await?;
    for index in schema.create_index_from_entity(entity) {
        db.execute(&index).await?;
    }
    Ok(())
}

/// The time now, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "an example has no clock to ask")]
pub fn now() -> DateTimeUtc {
    let now = chrono::Utc::now();
    chrono::SubsecRound::trunc_subsecs(now, 3)
}

/// What a mixin with `onupdate=` is in SQLAlchemy: `updated_at` moves whenever a row is changed through its active model.
macro_rules! keep_updated_at {
    ($now:path) => {
        #[async_trait::async_trait]
        impl ActiveModelBehavior for ActiveModel {
            async fn before_save<C: ConnectionTrait>(mut self, _: &C, insert: bool) -> Result<Self, DbErr> {
                if !insert && self.is_changed() {
                    self.updated_at = sea_orm::ActiveValue::Set($now());
                }
                Ok(self)
            }
        }
    };
}
pub(crate) use keep_updated_at;
