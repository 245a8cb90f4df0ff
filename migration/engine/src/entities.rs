//! The tables that a project's entities describe.

use sea_orm::sea_query::IndexCreateStatement;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, SchemaBuilder};

/// Describes the tables of a project for one kind of database.
pub type Entities = fn(DbBackend) -> EntityTables;

/// The tables of a project's entities, and what an entity cannot describe.
pub struct EntityTables {
    /// The tables, one for each registered entity.
    pub tables: SchemaBuilder,
    /// Indexes over several columns or over some rows only.
    pub indexes: Vec<IndexCreateStatement>,
    /// SQL for the tables that no entity can describe, such as virtual ones.
    pub statements: Vec<&'static str>,
}

impl From<SchemaBuilder> for EntityTables {
    fn from(tables: SchemaBuilder) -> Self {
        Self { tables, indexes: Vec::new(), statements: Vec::new() }
    }
}

impl EntityTables {
    /// Creates the tables.
    pub(crate) async fn apply(self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        self.tables.apply(db).await?;
        for index in &self.indexes {
            db.execute(index).await?;
        }
        for statement in &self.statements {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
