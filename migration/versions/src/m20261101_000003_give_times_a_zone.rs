//! Times that say that they are UTC: `timestamp with time zone` on PostgreSQL; on SQLite the one text that sqlx writes,
//! `2026-01-31T12:00:00.123456+00:00` with as many groups of three decimals as there are, which sorts as time does.

use crate::m20261101_000002_widen_ids as ids;
use crate::v09::TABLES;
use operations::{
    DetachedDependents, TableDef, sql,
    type_change::{self, DerivedObjects},
};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Every column that holds a time.
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
        sql::refuse(unreadable_times(manager).await?)?;
        users().rebuild(manager, &ids::users(), &converted("users", with_zone)).await?;
        videos().rebuild(manager, &ids::videos(), &converted("videos", with_zone)).await?;
        watch_history().rebuild(manager, &ids::watch_history(), &converted("watch_history", with_zone)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if sql::is_postgres(manager) {
            return retype_times(manager, "timestamp").await;
        }
        sql::refuse(unreadable_times(manager).await?)?;
        ids::users().rebuild(manager, &users(), &converted("users", without_zone)).await?;
        ids::videos().rebuild(manager, &videos(), &converted("videos", without_zone)).await?;
        ids::watch_history().rebuild(manager, &watch_history(), &converted("watch_history", without_zone)).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// All times of PostgreSQL; `AT TIME ZONE` goes both ways.
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
    ids::users().column(&mut time("created_at")).column(&mut time("updated_at")).column(&mut no_time("last_login"))
}

pub(crate) fn videos() -> TableDef {
    ids::videos().column(&mut time("created_at")).column(&mut time("updated_at")).column(&mut no_time("published_at"))
}

pub(crate) fn watch_history() -> TableDef {
    ids::watch_history()
        .column(&mut time("last_watched_at"))
        .column(&mut time("created_at"))
        .column(&mut time("updated_at"))
}

fn time(name: &'static str) -> ColumnDef {
    no_time(name).not_null().take()
}

fn no_time(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().take()
}

fn converted(table: &str, form: fn(&str) -> String) -> Vec<(&'static str, String)> {
    let of_table = TIMES.iter().filter(|(name, _)| *name == table);
    of_table.flat_map(|(_, columns)| *columns).map(|column| (*column, form(column))).collect()
}

// From here on, SQLite. Strings are cut and joined: its own functions for times drop the microseconds.

/// As sqlx writes it.
fn with_zone(column: &str) -> String {
    let micros = micros(column);
    let fraction = format!(
        "CASE WHEN {micros} = '000000' THEN '' WHEN substr({micros}, 4) = '000' THEN '.' || substr({micros}, 1, 3) \
         ELSE '.' || {micros} END"
    );
    format!("{} || {fraction} || '+00:00'", seconds(column, 'T'))
}

/// As SQLAlchemy writes it: always six decimals.
fn without_zone(column: &str) -> String {
    format!("{} || '.' || {}", seconds(column, ' '), micros(column))
}

/// The text without the zone that it may have.
fn bare(column: &str) -> String {
    format!("replace(replace({column}, 'Z', ''), '+00:00', '')")
}

fn seconds(column: &str, between: char) -> String {
    let bare = bare(column);
    format!("substr({bare}, 1, 10) || '{between}' || substr({bare}, 12, 8)")
}

fn micros(column: &str) -> String {
    format!("substr(substr({}, 21) || '000000', 1, 6)", bare(column))
}

/// The values that are no times, the first one of each column. On SQLite they would stop the conversion; PostgreSQL knows an
/// infinity, which no program can read.
pub(crate) async fn unreadable_times(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    for (table, columns) in TIMES {
        for column in columns {
            let is_readable =
                if sql::is_postgres(manager) { format!("isfinite({column})") } else { is_readable(column) };
            let select = format!(
                "SELECT CAST(id AS bigint), CAST({column} AS text), count(*) OVER () FROM {table} \
                 WHERE {column} IS NOT NULL AND NOT ({is_readable}) ORDER BY id LIMIT 1"
            );
            if let Some(row) = sql::query(manager, &select).await?.first() {
                let (id, value, count): (i64, String, i64) =
                    (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
                let others =
                    if count > 1 { format!(", nor do {} more rows hold one", count - 1) } else { String::new() };
                found.push(format!(
                    "{table}.{column} of row {id} holds {value:?}, which is no time{others}: correct it \
                     (as in 2026-01-31 12:00:00) and migrate again"
                ));
            }
        }
    }
    Ok(found)
}

/// Whether the text has one of the two forms.
fn is_readable(column: &str) -> String {
    let (bare, seconds) = (bare(column), seconds(column, ' '));
    format!(
        "typeof({column}) = 'text' AND {bare} GLOB '????-??-??[ T]??:??:??*' AND datetime({seconds}) IS ({seconds}) \
         AND (length({bare}) = 19 OR ({bare} GLOB '???????????????????.[0-9]*' AND substr({bare}, 21) NOT GLOB '*[^0-9]*'))"
    )
}
