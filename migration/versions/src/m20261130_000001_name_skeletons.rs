//! Names that look alike share a skeleton (Unicode Technical Standard 39), names and e-mails that differ only in how their letters
//! were typed share a key, and both are unique.
//!
//! Of accounts that would share one, the oldest gets it; the others keep NULL there, are found by their exact spelling, and stay as
//! they are until somebody renames them. On the way down the keys stay; the older schema finds those accounts by their exact spelling.

use crate::aside::Aside;
use crate::sql;
use sea_orm_migration::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton as prototypes;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SKELETON: &str = "username_skeleton";
const INDEX: &str = "ix_users_username_skeleton";
/// The width of the key columns.
const WIDTH: usize = 255;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let aside = Aside::take(manager, &["users"]).await?;
        let new = ColumnDef::new(SKELETON).string_len(255).take();
        manager.alter_table(Table::alter().table("users").add_column(new).take()).await?;
        manager.create_index(Index::create().name(INDEX).table("users").col(SKELETON).unique().take()).await?;
        fill(manager).await?;
        aside.give_back(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).to_owned()).await?;
        manager.alter_table(Table::alter().table("users").drop_column(SKELETON).take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Row by row, oldest first: no SQL knows these keys.
async fn fill(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut last = i64::MIN;
    loop {
        let chunk = format!(
            "SELECT id, username, username_key, email, email_key FROM users WHERE id > {last} ORDER BY id LIMIT 1000"
        );
        let rows = sql::rows(manager, &chunk).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            last = row.try_get_by_index(0)?;
            let (name, email): (String, String) = (row.try_get_by_index(1)?, row.try_get_by_index(3)?);
            for (column, key, stored) in [
                (SKELETON, skeleton(&name), None),
                ("username_key", fold(&name), row.try_get_by_index(2)?),
                (
                    "email_key",
                    email.nfc().collect::<String>().to_lowercase(),
                    row.try_get_by_index::<Option<String>>(4)?,
                ),
            ] {
                if stored.as_ref() != Some(&key) {
                    set(manager, last, column, key).await?;
                }
            }
        }
    }
}

/// Gives the account this key, unless another one has it.
async fn set(manager: &SchemaManager<'_>, id: i64, column: &'static str, key: String) -> Result<(), DbErr> {
    let taken = Query::select().expr(Expr::val(1)).from("users").and_where(Expr::col(column).eq(&key)).take();
    if key.chars().count() <= WIDTH && manager.get_connection().query_one(&taken).await?.is_none() {
        let fill = Query::update().table("users").value(column, key).and_where(Expr::col("id").eq(id)).take();
        manager.execute(fill).await?;
    }
    Ok(())
}

/// As the service folds names on the day of this migration: it must not change when that does.
fn fold(name: &str) -> String {
    let lower = name.nfkc().flat_map(char::to_lowercase);
    lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// As [`fold`].
fn skeleton(name: &str) -> String {
    let look: String = prototypes(&name.nfkc().collect::<String>()).collect();
    let folded: String = prototypes(&fold(&look)).collect();
    fold(&folded).replace('i', "l")
}
