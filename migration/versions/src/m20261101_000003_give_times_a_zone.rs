//! Gives timestamps a time zone, which is UTC: `timestamp with time zone` on PostgreSQL. On SQLite
//! it is the text that sqlx writes, `2026-01-31T12:00:00.123456+00:00` with 0, 3 or 6 decimals,
//! which sorts in the order of time.

use crate::m20261101_000002_widen_ids as ids;
use crate::v09::TABLES;
use operations::{
    DetachedDependents, TableDef, sql,
    type_change::{self, DerivedObjects},
};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Every column that holds a timestamp.
const TIMES: [(&str, &[&str]); 3] = [
    ("users", &["created_at", "updated_at", "last_login"]),
    ("videos", &["created_at", "updated_at", "published_at"]),
    ("watch_history", &["last_watched_at", "created_at", "updated_at"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if sql::is_postgres(manager) {
            return retype_times(manager, "timestamp with time zone").await;
        }
        sql::refuse(invalid_timestamps(manager).await?)?;
        users().rebuild(manager, &ids::users(), &conversions("users", with_zone)).await?;
        videos().rebuild(manager, &ids::videos(), &conversions("videos", with_zone)).await?;
        watch_history().rebuild(manager, &ids::watch_history(), &conversions("watch_history", with_zone)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if sql::is_postgres(manager) {
            return retype_times(manager, "timestamp").await;
        }
        sql::refuse(invalid_timestamps(manager).await?)?;
        ids::users().rebuild(manager, &users(), &conversions("users", without_zone)).await?;
        ids::videos().rebuild(manager, &videos(), &conversions("videos", without_zone)).await?;
        ids::watch_history().rebuild(manager, &watch_history(), &conversions("watch_history", without_zone)).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Changes the type of all timestamps on PostgreSQL. `AT TIME ZONE` converts in both directions.
async fn retype_times(manager: &SchemaManager<'_>, kind: &'static str) -> Result<(), DbErr> {
    type_change::refuse_blockers(manager, &TIMES).await?;
    let derived = DerivedObjects::read(manager, &TIMES).await?;
    let dependents = DetachedDependents::detach(manager, &TABLES).await?;
    for (table, columns) in TIMES {
        let mut alter = Table::alter().table(table).take();
        for column in columns {
            let in_utc = Expr::cust(format!("\"{column}\" AT TIME ZONE 'UTC'"));
            alter.modify_column(ColumnDef::new(*column).custom(kind).using(in_utc));
        }
        manager.alter_table(alter).await.map_err(|error| derived.explain(error))?;
    }
    dependents.reattach(manager).await
}

pub(crate) fn users() -> TableDef {
    ids::users()
        .column(&mut time("created_at"))
        .column(&mut time("updated_at"))
        .column(&mut nullable_time("last_login"))
}

pub(crate) fn videos() -> TableDef {
    ids::videos()
        .column(&mut time("created_at"))
        .column(&mut time("updated_at"))
        .column(&mut nullable_time("published_at"))
}

pub(crate) fn watch_history() -> TableDef {
    ids::watch_history()
        .column(&mut time("last_watched_at"))
        .column(&mut time("created_at"))
        .column(&mut time("updated_at"))
}

fn time(name: &'static str) -> ColumnDef {
    nullable_time(name).not_null().take()
}

fn nullable_time(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().take()
}

fn conversions(table: &str, convert: fn(&str) -> String) -> Vec<(&'static str, String)> {
    let of_table = TIMES.iter().filter(|(name, _)| *name == table);
    of_table.flat_map(|(_, columns)| *columns).map(|column| (*column, convert(column))).collect()
}

// The rest is for SQLite. Its own functions for timestamps drop the microseconds, so the text is
// cut and joined.

/// The SQL of the text that sqlx writes.
fn with_zone(column: &str) -> String {
    let micros = micros(column);
    let fraction = format!(
        "CASE WHEN {micros} = '000000' THEN '' WHEN substr({micros}, 4) = '000' THEN '.' || substr({micros}, 1, 3) \
         ELSE '.' || {micros} END"
    );
    format!("{} || {fraction} || '+00:00'", seconds(column, 'T'))
}

/// The SQL of the text that SQLAlchemy writes, which always has six decimals.
fn without_zone(column: &str) -> String {
    format!("{} || '.' || {}", seconds(column, ' '), micros(column))
}

/// The SQL of the text without its time zone, if it has one.
fn without_suffix(column: &str) -> String {
    format!("replace(replace({column}, 'Z', ''), '+00:00', '')")
}

fn seconds(column: &str, between: char) -> String {
    let text = without_suffix(column);
    format!("substr({text}, 1, 10) || '{between}' || substr({text}, 12, 8)")
}

fn micros(column: &str) -> String {
    format!("substr(substr({}, 21) || '000000', 1, 6)", without_suffix(column))
}

/// The first value of each column that is not a valid timestamp. SQLite cannot convert it. On
/// PostgreSQL it is `infinity`, which no program can read.
pub(crate) async fn invalid_timestamps(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let mut lines = Vec::new();
    for (table, columns) in TIMES {
        for column in columns {
            let is_valid = if sql::is_postgres(manager) { format!("isfinite({column})") } else { is_valid(column) };
            let select = format!(
                "SELECT CAST(id AS bigint), CAST({column} AS text), count(*) OVER () FROM {table} \
                 WHERE {column} IS NOT NULL AND NOT ({is_valid}) ORDER BY id LIMIT 1"
            );
            if let Some(row) = sql::query(manager, &select).await?.first() {
                let (id, value, count): (i64, String, i64) =
                    (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
                let others = match count - 1 {
                    0 => String::new(),
                    1 => " (1 more row)".to_owned(),
                    more => format!(" ({more} more rows)"),
                };
                lines.push(format!(
                    "{table}.{column} of row {id} holds {value:?}, which is not a valid timestamp{others}: correct it \
                     (as in 2026-01-31 12:00:00) and migrate again"
                ));
            }
        }
    }
    Ok(lines)
}

/// The SQL of whether the text has one of the two forms.
fn is_valid(column: &str) -> String {
    let (text, seconds) = (without_suffix(column), seconds(column, ' '));
    format!(
        "typeof({column}) = 'text' AND {text} GLOB '????-??-??[ T]??:??:??*' AND datetime({seconds}) IS ({seconds}) \
         AND (length({text}) = 19 OR ({text} GLOB '???????????????????.[0-9]*' AND substr({text}, 21) NOT GLOB '*[^0-9]*'))"
    )
}
