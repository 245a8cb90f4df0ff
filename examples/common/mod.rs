//! What the examples share: a database of their own, and a look at the statements that they send.

#![allow(dead_code, unused_imports, unused_macros, reason = "no example needs all of it")]

use sea_orm::entity::prelude::*;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Schema, Statement};
use std::error::Error;
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
    /// One connection, kept to the end, which prints each statement as it is sent. On PostgreSQL every table that is made on it is
    /// a temporary one: whatever happens, nothing stays behind, and tables of the same name are neither seen nor touched.
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

    /// Says what comes next.
    pub fn step(&self, what: &str) {
        self.sent();
        println!("\n== {what}");
    }

    /// The statements that were sent since the step began or since the last call. BEGIN, COMMIT, ROLLBACK and what
    /// `execute_unprepared` sends are not among them, nor are they printed.
    pub fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connection check: prints and returns the names of the tables that the database lists.
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

/// The first column of what a statement brings.
pub async fn texts(db: &impl ConnectionTrait, statement: Statement) -> Result<Vec<String>, DbErr> {
    db.query_all_raw(statement).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// The error where a row must be.
pub fn missing() -> DbErr {
    DbErr::RecordNotFound("a row that was just written".into())
}

/// Prints why something was refused, and returns it.
pub fn refusal<T>(result: Result<T, impl Error>) -> String {
    let why = result.err().map(|error| error.to_string()).unwrap_or_default();
    println!("   {why}");
    why
}

/// The table of an entity, then its indexes.
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
    db.execute_raw(Statement::from_string(backend, table.sql.replace("CURRENT_TIMESTAMP", now))).await?;
    for index in schema.create_index_from_entity(entity) {
        db.execute(&index).await?;
    }
    Ok(())
}

/// What `Base.metadata.create_all` does: the tables of these modules.
macro_rules! create_all {
    ($db:expr, $($table:ident),+) => { $(common::create_table($db, $table::Entity).await?;)+ };
}
pub(crate) use create_all;

/// The time now, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "an example has no clock to ask")]
pub fn now() -> DateTimeUtc {
    let now = chrono::Utc::now();
    chrono::SubsecRound::trunc_subsecs(now, 3)
}

/// What `default=`, `onupdate=` and `@validates` are in SQLAlchemy, for whatever is saved through its active model: times that
/// are set on a new row, others that move whenever a row is changed, and a check before anything is sent.
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
