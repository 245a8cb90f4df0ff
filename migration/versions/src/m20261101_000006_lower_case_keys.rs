//! Adds lower-case keys for e-mails and user names, with unique indexes, so that `Ann` and `ann`
//! are one account.
//!
//! Of existing accounts that differ only by case, the oldest gets the key. The others keep NULL and
//! sign in by their exact name.

use operations::{DetachedDependents, sql};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const KEYS: [(&str, &str); 2] = [("email", "email_key"), ("username", "username_key")];

/// The width of a key column, in characters. Some letters become longer in lower case.
const WIDTH: u32 = 255;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dependents = DetachedDependents::detach(manager, &["users"]).await?;
        for (column, key) in KEYS {
            let new = ColumnDef::new(key).string_len(WIDTH).take();
            manager.alter_table(Table::alter().table("users").add_column(new).take()).await?;
            fill_ascii(manager, column, key).await?;
            manager.create_index(index(key)).await?;
            fill_others(manager, column, key).await?;
        }
        dependents.reattach(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (_, key) in KEYS {
            manager.drop_index(Index::drop().name(index_name(key)).to_owned()).await?;
            manager.alter_table(Table::alter().table("users").drop_column(key).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn index(key: &'static str) -> IndexCreateStatement {
    Index::create().name(index_name(key)).table("users").col(key).unique().take()
}

fn index_name(key: &str) -> String {
    format!("ix_users_{key}")
}

/// The SQL of whether the column has letters outside ASCII, and of its lower case in ASCII. `lower`
/// of SQLite changes only ASCII letters, `lower` of PostgreSQL depends on the locale.
pub(crate) fn non_ascii_and_lower(manager: &SchemaManager<'_>, column: &str) -> (String, String) {
    if sql::is_postgres(manager) {
        let non_ascii = format!("length(convert_to({column}, 'UTF8')) <> length({column})");
        (non_ascii, format!("lower({column} COLLATE \"C\")"))
    } else {
        (format!("length(CAST({column} AS BLOB)) <> length({column})"), format!("lower({column})"))
    }
}

/// Fills nearly all rows with one statement.
async fn fill_ascii(manager: &SchemaManager<'_>, column: &str, key: &str) -> Result<(), DbErr> {
    let (non_ascii, lower) = non_ascii_and_lower(manager, column);
    let fill = format!(
        "UPDATE users SET {key} = {lower} \
         WHERE id IN (SELECT min(id) FROM users WHERE NOT ({non_ascii}) GROUP BY {lower})"
    );
    sql::execute(manager, &fill).await
}

/// Fills the other rows one by one, oldest first, with the lower case of Rust, which the service
/// uses.
async fn fill_others(manager: &SchemaManager<'_>, column: &'static str, key: &'static str) -> Result<(), DbErr> {
    let (non_ascii, _) = non_ascii_and_lower(manager, column);
    let mut last = i64::MIN;
    loop {
        let chunk = format!("SELECT id, {column} FROM users WHERE id > {last} AND {non_ascii} ORDER BY id LIMIT 1000");
        let rows = sql::query(manager, &chunk).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let text: String = row.try_get_by_index(1)?;
            last = row.try_get_by_index(0)?;
            let lower = text.to_lowercase();
            let taken = Query::select().expr(Expr::val(1)).from("users").and_where(Expr::col(key).eq(&lower)).take();
            if lower.chars().count() <= WIDTH as usize && manager.get_connection().query_one(&taken).await?.is_none() {
                let fill = Query::update().table("users").value(key, lower).and_where(Expr::col("id").eq(last)).take();
                manager.execute(fill).await?;
            }
        }
    }
}
