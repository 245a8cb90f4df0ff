//! The order of commits on SQLite.

use sea_orm::entity::prelude::*;

/// The number of the last transaction that changed the history, and the identity of the database.
/// The first change makes the only row.
///
/// PostgreSQL numbers its transactions itself, and stamps every row with the number, so that there
/// the table is empty and the columns `revision` of other tables are NULL.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revisions")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The revision of the last transaction that changed the history, from 1 on.
    pub latest: i64,
    /// A random text. Change tokens of another database are refused by it.
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub database_id: String,
}

impl ActiveModelBehavior for ActiveModel {}
