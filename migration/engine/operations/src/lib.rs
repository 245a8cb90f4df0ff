//! Operations for the migrations of a SeaORM project, beside those of [`SchemaManager`]. They run
//! on SQLite and PostgreSQL.
//!
//! For people who know Alembic: this is what `op` adds to plain DDL. The crate depends on
//! `sea-orm-migration` alone, so that a chain of migrations can use it without the engine that runs
//! the chain.
//!
//! | to do this | use |
//! |---|---|
//! | describe a table, create it, rebuild it on SQLite (`batch_alter_table`) | [`TableDef`] |
//! | change a column while triggers and views depend on it | [`DetachedDependents`] |
//! | change a column's type on PostgreSQL, or say what blocks it | [`type_change`] |
//! | create or drop an index while the application writes | [`concurrently`] |
//! | stop where rows would be lost, or run raw SQL | [`sql`] |
//! | parse a `CREATE TABLE` statement of SQLite | [`create_table`] |
//!
//! [`SchemaManager`]: sea_orm_migration::SchemaManager

pub mod concurrently;
pub mod create_table;
mod dependents;
mod rebuild;
pub mod sql;
mod table_def;
pub mod type_change;

pub use dependents::DetachedDependents;
pub use table_def::TableDef;
