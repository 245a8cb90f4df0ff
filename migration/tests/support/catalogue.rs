//! What a database says of its own tables, as sentences that can be compared: the same for both databases as far as they
//! can be the same.

use super::texts;
use sea_orm::{ConnectionTrait, DbBackend};
use std::collections::BTreeSet;

/// Whether indexes and constraints are told with their names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Shown,
    Hidden,
}

/// Columns, keys, indexes and checks of these tables.
pub(crate) async fn facts(db: &impl ConnectionTrait, tables: &[&str], names: Names) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for table in tables {
        if db.get_database_backend() == DbBackend::Postgres {
            let select = POSTGRES.replace("{table}", table).replace("{shown}", &(names == Names::Shown).to_string());
            facts.extend(texts(db, &select).await);
        } else {
            let select = SQLITE.replace("{table}", table).replace("{shown}", &(names == Names::Shown).to_string());
            facts.extend(texts(db, &select).await);
            let create = texts(db, &format!("SELECT sql FROM sqlite_master WHERE name = '{table}'")).await.concat();
            facts.extend(checks(&create).into_iter().map(|check| format!("{table} check {check}")));
        }
    }
    facts
}

/// What stands in one set only, as a person reads a diff.
pub(crate) fn differences(wanted: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<String> {
    let missing = wanted.difference(found).map(|fact| format!("- {fact}"));
    missing.chain(found.difference(wanted).map(|fact| format!("+ {fact}"))).collect()
}

/// The conditions of all CHECKs in a CREATE TABLE, without spaces and quotes.
fn checks(create: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in create.match_indices("CHECK (") {
        let mut depth = 0;
        let body = create[at + "CHECK ".len()..].chars().take_while(|c| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth > 0
        });
        found.push(body.skip(1).filter(|c| !c.is_whitespace() && *c != '"').collect());
    }
    found
}

const SQLITE: &str = "
SELECT '{table}.' || name || ' ' || lower(type) || iif(\"notnull\", ' not null', '')
    || coalesce(' default ' || lower(dflt_value), '')
    || iif(pk AND EXISTS (SELECT 1 FROM sqlite_master WHERE name = '{table}' AND sql LIKE '%AUTOINCREMENT%'), ' numbered', '')
FROM pragma_table_xinfo('{table}')
UNION ALL
SELECT '{table} primary key (' || group_concat(name) || ')' FROM pragma_table_info('{table}') WHERE pk
UNION ALL
SELECT '{table} foreign key (' || \"from\" || ') references ' || \"table\" || ' (' || \"to\" || ') on delete '
    || lower(on_delete) || ' on update ' || lower(on_update)
FROM pragma_foreign_key_list('{table}')
UNION ALL
SELECT '{table}' || iif(list.\"unique\", ' unique', '') || iif(list.partial, ' partial', '') || ' index '
    || iif({shown} AND origin = 'c', list.name || ' ', '')
    || '(' || (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno)) || ')'
FROM pragma_index_list('{table}') list WHERE origin <> 'pk'";

const POSTGRES: &str = "
SELECT '{table}.' || attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
    || CASE WHEN sequence IS NOT NULL THEN ' numbered by ' || seqtypid::regtype
        ELSE coalesce(' default ' || pg_get_expr(adbin, adrelid), '') END
FROM pg_attribute
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN LATERAL pg_get_serial_sequence('{table}', attname) sequence ON true
LEFT JOIN pg_sequence ON seqrelid = sequence::regclass
WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT '{table}' || CASE WHEN {shown} THEN ' ' || conname ELSE '' END || ' ' || lower(pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype <> 'u'
UNION ALL
SELECT '{table}' || CASE WHEN indisunique THEN ' unique' ELSE '' END || CASE WHEN indpred IS NULL THEN '' ELSE ' partial' END
    || ' index ' || CASE WHEN {shown} THEN indexrelid::regclass || ' ' ELSE '' END || '('
    || (SELECT string_agg(pg_get_indexdef(indexrelid, k, true), ',' ORDER BY k) FROM generate_series(1, indnkeyatts) k) || ')'
FROM pg_index WHERE indrelid = '{table}'::regclass AND NOT indisprimary";
