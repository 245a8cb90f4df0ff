//! Adds the skeleton of a user name, which look-alike names share (Unicode Technical Standard 39),
//! and normalizes the keys of names and e-mails, so that composed and decomposed letters are equal.
//! Both are unique.
//!
//! Of accounts that would share one, ASCII names come first, then the oldest. The others keep their
//! old key and sign in by their exact name until they are renamed. The downgrade keeps the keys.

use crate::m20261101_000006_lower_case_keys::non_ascii_and_lower;
use operations::{DetachedDependents, sql};
use sea_orm_migration::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton as prototypes;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SKELETON: &str = "username_skeleton";
const INDEX: &str = "ix_users_username_skeleton";
/// The width of the key columns, in characters.
const WIDTH: usize = 255;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dependents = DetachedDependents::detach(manager, &["users"]).await?;
        let new = ColumnDef::new(SKELETON).string_len(255).take();
        manager.alter_table(Table::alter().table("users").add_column(new).take()).await?;
        manager.create_index(Index::create().name(INDEX).table("users").col(SKELETON).unique().take()).await?;
        fill_ascii(manager).await?;
        fill_others(manager).await?;
        dependents.reattach(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).to_owned()).await?;
        manager.alter_table(Table::alter().table("users").drop_column(SKELETON).take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// The skeleton of each ASCII character, where it is not just its lower case.
const ASCII: [(&str, &str); 8] =
    [("`", "'"), ("\"", "''"), ("%", "°/o"), ("0", "o"), ("1", "l"), ("|", "l"), ("i", "l"), ("m", "rn")];

/// Fills nearly all rows with one statement. Their other keys are right already.
async fn fill_ascii(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (non_ascii, lower) = non_ascii_and_lower(manager, "username");
    let skeleton = ASCII.iter().fold(lower, |text, (from, to)| {
        let to = to.replace('\'', "''");
        format!("replace({text}, '{from}', '{to}')")
    });
    let fill = format!(
        "UPDATE users SET {SKELETON} = {skeleton} \
         WHERE id IN (SELECT min(id) FROM users WHERE NOT ({non_ascii}) GROUP BY {skeleton})"
    );
    sql::execute(manager, &fill).await
}

/// Fills the other rows one by one, oldest first.
async fn fill_others(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (odd_name, odd_email) = (non_ascii_and_lower(manager, "username").0, non_ascii_and_lower(manager, "email").0);
    let mut last = i64::MIN;
    loop {
        let chunk = format!(
            "SELECT id, username, username_key, email, email_key FROM users \
             WHERE id > {last} AND ({odd_name} OR {odd_email}) ORDER BY id LIMIT 1000"
        );
        let rows = sql::query(manager, &chunk).await?;
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

/// Gives the account this key, unless it is too long or another account has it.
async fn set(manager: &SchemaManager<'_>, id: i64, column: &'static str, key: String) -> Result<(), DbErr> {
    let taken = Query::select().expr(Expr::val(1)).from("users").and_where(Expr::col(column).eq(&key)).take();
    if key.chars().count() <= WIDTH && manager.get_connection().query_one(&taken).await?.is_none() {
        let fill = Query::update().table("users").value(column, key).and_where(Expr::col("id").eq(id)).take();
        manager.execute(fill).await?;
    }
    Ok(())
}

/// How the service folds names at the time of this migration. This copy does not change with the
/// service.
fn fold(name: &str) -> String {
    let lower = name.nfkc().flat_map(char::to_lowercase);
    lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// How the service makes skeletons at the time of this migration, as [`fold`].
fn skeleton(name: &str) -> String {
    let look: String = prototypes(&name.nfkc().collect::<String>()).collect();
    let folded: String = prototypes(&fold(&look)).collect();
    fold(&folded).replace('i', "l")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_and_rust_agree_on_ascii() {
        let all: String = (' '..='~').collect();
        let by_sql = ASCII.iter().fold(all.to_lowercase(), |text, (from, to)| text.replace(from, to));
        assert_eq!(by_sql, skeleton(&all));
    }
}
