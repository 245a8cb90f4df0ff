//! What the examples share: a database of their own, and a record of the statements that they send.

#![allow(dead_code, unused_imports, unused_macros, reason = "no example needs all of it")]

use sea_orm::entity::prelude::*;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Schema, Statement};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// The PostgreSQL of `DATABASE_URL`, otherwise SQLite in memory.
pub fn database_url() -> String {
    let named = std::env::var("DATABASE_URL").ok().filter(|url| url.starts_with("postgres"));
    named.unwrap_or_else(|| "sqlite::memory:".to_owned())
}

/// A database for one example, gone afterwards.
pub struct Stage {
    /// The connection that the example uses.
    pub db: DatabaseConnection,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    /// Opens the one connection of the example. It prints each statement that is sent. On
    /// PostgreSQL it creates temporary tables only: nothing stays behind, and tables of the same
    /// name are neither seen nor touched.
    pub async fn open(url: &str) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None).sqlx_logging(false);
        options.set_schema_search_path("pg_temp,public");
        let mut db = Database::connect(options).await?;
        let sent = Arc::new(Mutex::new(Vec::new()));
        let log = sent.clone();
        db.set_metric_callback(move |info| {
            println!("   {}", shortened(&info.statement.sql));
            log.lock().unwrap_or_else(PoisonError::into_inner).push(info.statement.sql.clone());
        });
        println!("on {}", if url.starts_with("postgres") { "PostgreSQL" } else { "SQLite in memory" });
        Ok(Self { db, sent })
    }

    /// Prints the title of the next step.
    pub fn step(&self, what: &str) {
        self.sent();
        println!("\n== {what}");
    }

    /// The statements sent since the step began or since the last call. BEGIN, COMMIT, ROLLBACK
    /// and those of `execute_unprepared` are neither returned nor printed.
    pub fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connection check: prints and returns the names of all tables.
    pub async fn tables(&self) -> Result<Vec<String>, DbErr> {
        let backend = self.db.get_database_backend();
        let tables = match backend {
            DatabaseBackend::Sqlite => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            _ => "SELECT tablename::text FROM pg_tables WHERE schemaname = pg_my_temp_schema()::regnamespace::text",
        };
        let tables = texts(&self.db, Statement::from_string(backend, format!("{tables} ORDER BY 1"))).await?;
        println!("   {}", tables.join(", "));
        Ok(tables)
    }
}

/// Shortens long lists in the middle.
fn shortened(sql: &str) -> String {
    let is_name = |part: &str| part.starts_with('"') && part.ends_with('"') && !part.contains(' ');
    let is_placeholder = |part: &str| part.starts_with(['?', '$', '(']) && !part.contains(' ');
    let is_dull = |part: &&str| is_placeholder(part) || part.split(" AS ").all(is_name);
    let parts: Vec<&str> = sql.split(", ").collect();
    let runs = parts.chunk_by(|one, next| is_dull(one) && is_dull(next));
    let runs = runs.map(|run| if run.len() > 2 { "…".to_owned() } else { run.join(", ") });
    runs.collect::<Vec<_>>().join(", ")
}

/// The first column of the rows of a statement.
pub async fn texts(db: &impl ConnectionTrait, statement: Statement) -> Result<Vec<String>, DbErr> {
    db.query_all_raw(statement).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// The error for a row that must exist and does not.
pub fn missing() -> DbErr {
    DbErr::RecordNotFound("a row that was just written".into())
}

/// Prints the message of an error, and returns it.
pub fn refusal<T>(result: Result<T, impl Error>) -> String {
    let why = result.err().map(|error| error.to_string()).unwrap_or_default();
    println!("   {why}");
    why
}

/// Creates the table of an entity, then its indexes.
///
/// `CURRENT_TIMESTAMP` becomes the time in milliseconds. On SQLite it is text in whole seconds and
/// in another format than bound times (`2026-11-20 16:00:00` and `2026-11-20T16:00:00.123+00:00`).
/// Texts in two formats do not compare as times, so the default here writes the format of bound
/// times, which omits `.000`.
pub async fn create_table(db: &impl ConnectionTrait, entity: impl EntityTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let now = match backend {
        DatabaseBackend::Sqlite => "(replace(strftime('%Y-%m-%dT%H:%M:%f', 'now'), '.000', '') || '+00:00')",
        _ => "CURRENT_TIMESTAMP(3)",
    };
    let schema = Schema::new(backend);
    let table = backend.build(&schema.create_table_from_entity(entity));
    db.execute_raw(Statement::from_string(backend, table.sql.replace("CURRENT_TIMESTAMP", now))).await?;
    for index in schema.create_index_from_entity(entity) {
        db.execute(&index).await?;
    }
    Ok(())
}

/// Creates the tables of these modules, like `Base.metadata.create_all`.
macro_rules! create_all {
    ($db:expr, $($table:ident),+) => { $(common::create_table($db, $table::Entity).await?;)+ };
}
pub(crate) use create_all;

/// The current time in milliseconds.
#[expect(clippy::disallowed_methods, reason = "an example has no clock to ask")]
pub fn now() -> DateTimeUtc {
    let now = chrono::Utc::now();
    chrono::SubsecRound::trunc_subsecs(now, 3)
}

/// Like `default=`, `onupdate=` and `@validates` in SQLAlchemy, for rows that are saved through
/// their active model: times set on a new row, times set on every change, and a check before
/// anything is sent.
macro_rules! before_save {
    ($(default: [$($new:ident),+],)? onupdate: [$($moved:ident),+] $(, check: $check:path)?) => {
        #[async_trait::async_trait]
        impl ActiveModelBehavior for ActiveModel {
            async fn before_save<C: ConnectionTrait>(mut self, _: &C, insert: bool) -> Result<Self, DbErr> {
                $($check(&self)?;)?
                let now = super::common::now();
                if insert {
                    $($(self.$new.set_if_unset(now);)+)?
                } else if self.is_changed() {
                    $(self.$moved = sea_orm::ActiveValue::Set(now);)+
                }
                Ok(self)
            }
        }
    };
}
pub(crate) use before_save;
