//! Reads the catalogue of SQLite: its pragmas, and the text of `CREATE TABLE` for what they do not
//! return.

use super::sql_text::{split_column_list, unquote, words};
use super::{Check, Column, ForeignKey, Index, Schema, Table, Trigger};
use operations::create_table::{Definition, DefinitionSubject, definitions, parenthesized_clauses};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    let mut schema = Schema::default();
    for row in rows(db, TABLES).await? {
        let (name, kind): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if kind == "view" {
            schema.views.insert(name);
            continue;
        }
        let create: String = row.try_get_by_index(2)?;
        let table = table(db, &name, kind, &create).await?;
        schema.tables.insert(name, table);
    }
    let keys: Vec<(String, Vec<String>)> =
        schema.tables.iter().map(|(name, table)| (name.clone(), table.primary_key.clone())).collect();
    for key in schema.tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
        // `REFERENCES users` without columns refers to the primary key.
        if key.parent_columns.is_empty()
            && let Some((_, columns)) = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key.parent))
        {
            key.parent_columns = columns.clone();
        }
    }
    Ok(schema)
}

async fn table(db: &impl ConnectionTrait, name: &str, kind: String, create: &str) -> Result<Table, DbErr> {
    let parts = if kind == "virtual table" { vec![] } else { definitions(create) };
    let mut table = Table { kind, ..Table::default() };
    let mut key: Vec<(i32, String)> = Vec::new();
    for row in rows(db, &COLUMNS.replace("{table}", &quoted(name))).await? {
        let column = column(&row, &parts)?;
        match row.try_get_by_index(4)? {
            0 => {}
            place => key.push((place, column.name.clone())),
        }
        table.columns.push(column);
    }
    key.sort();
    table.primary_key = key.into_iter().map(|(_, column)| column).collect();
    table.foreign_keys = foreign_keys(db, name, &parts).await?;
    table.indexes = indexes(db, name, &parts).await?;
    table.checks = checks(&table.columns, &parts);
    for row in rows(db, &TRIGGERS.replace("{table}", &quoted(name))).await? {
        table.triggers.push(Trigger { name: row.try_get_by_index(0)?, definition: row.try_get_by_index(1)? });
    }
    Ok(table)
}

fn column(row: &QueryResult, parts: &[Definition]) -> Result<Column, DbErr> {
    let name: String = row.try_get_by_index(0)?;
    let part = parts.iter().find(|part| part.subject == DefinitionSubject::Column(name.to_lowercase()));
    let text = part.map(|part| part.text.as_str()).unwrap_or_default();
    let collation = words(text).skip_while(|word| !is_keyword(word, "COLLATE")).nth(1);
    let auto_increment = words(text).any(|word| is_keyword(word, "AUTOINCREMENT"));
    let generated: bool = row.try_get_by_index(5)?;
    Ok(Column {
        data_type: row.try_get_by_index::<String>(1)?,
        nullable: row.try_get_by_index(2)?,
        default: row.try_get_by_index::<Option<String>>(3)?.filter(|default| !is_keyword(default, "NULL")),
        auto_increment: auto_increment.then(|| "autoincrement".to_owned()),
        generated: parenthesized_clauses(text, "AS").pop().map(|(_, expression)| expression).filter(|_| generated),
        collation: collation.map(unquote),
        name,
    })
}

fn checks(columns: &[Column], parts: &[Definition]) -> Vec<Check> {
    let check = |(name, condition): (Option<&str>, String)| {
        let names = columns.iter().map(|column| &column.name);
        let columns = names.filter(|name| is_read(&condition, name)).cloned().collect();
        Check { name: name.map(unquote).unwrap_or_default(), columns, condition, notes: String::new() }
    };
    parts.iter().flat_map(|part| parenthesized_clauses(&part.text, "CHECK")).map(check).collect()
}

async fn foreign_keys(db: &impl ConnectionTrait, table: &str, parts: &[Definition]) -> Result<Vec<ForeignKey>, DbErr> {
    let mut keys: Vec<(i32, ForeignKey)> = Vec::new();
    // One row for each column of a key.
    for row in rows(db, &FOREIGN_KEYS.replace("{table}", &quoted(table))).await? {
        let id: i32 = row.try_get_by_index(0)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let key = ForeignKey {
                parent: row.try_get_by_index(1)?,
                on_delete: row.try_get_by_index(4)?,
                on_update: row.try_get_by_index(5)?,
                ..ForeignKey::default()
            };
            keys.push((id, key));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(row.try_get_by_index(2)?);
            key.parent_columns.extend(row.try_get_by_index::<Option<String>>(3)?);
        }
    }
    let mut keys: Vec<ForeignKey> = keys.into_iter().map(|(_, key)| key).collect();
    keys.iter_mut().for_each(|key| read_name_and_notes(key, parts));
    Ok(keys)
}

/// Reads from the text of `CREATE TABLE` what the pragma does not return.
fn read_name_and_notes(key: &mut ForeignKey, parts: &[Definition]) {
    let columns: Vec<String> = key.columns.iter().map(|column| column.to_lowercase()).collect();
    let defines_key = |part: &&Definition| match &part.subject {
        DefinitionSubject::ForeignKey(of) => *of == columns,
        DefinitionSubject::Column(of) => [of.clone()] == columns[..],
        _ => false,
    };
    for part in parts.iter().filter(defines_key) {
        if matches!(part.subject, DefinitionSubject::ForeignKey(_))
            && let Some(name) = constraint_name(&part.text)
        {
            key.name = name;
        }
        let words: Vec<&str> = words(&part.text).collect();
        if let Some(at) = words.iter().position(|word| is_keyword(word, "DEFERRABLE")) {
            let not = at > 0 && is_keyword(words[at - 1], "NOT");
            let deferred = words.get(at + 2).is_some_and(|word| is_keyword(word, "DEFERRED"));
            key.notes = if not || !deferred { String::new() } else { "initially deferred".to_owned() };
        }
    }
}

async fn indexes(db: &impl ConnectionTrait, table: &str, parts: &[Definition]) -> Result<Vec<Index>, DbErr> {
    let mut indexes = Vec::new();
    for row in rows(db, &INDEXES.replace("{table}", &quoted(table))).await? {
        let mut index = Index {
            name: row.try_get_by_index(0)?,
            unique: row.try_get_by_index(1)?,
            constraint: row.try_get_by_index(2)?,
            ..Index::default()
        };
        if let Some(create) = row.try_get_by_index::<Option<String>>(3)? {
            let (columns, rest) = split_column_list(&create);
            index.columns = columns;
            // Only `WHERE …` can follow the columns.
            index.predicate = rest.get("WHERE".len()..).map(|predicate| predicate.trim().to_owned());
        } else {
            read_unique_constraint(db, &mut index, parts).await?;
        }
        indexes.push(index);
    }
    Ok(indexes)
}

/// SQLite's index of a UNIQUE constraint has no SQL and a generated name.
async fn read_unique_constraint(
    db: &impl ConnectionTrait,
    index: &mut Index,
    parts: &[Definition],
) -> Result<(), DbErr> {
    let columns = format!("SELECT name FROM pragma_index_info({}) ORDER BY seqno", quoted(&index.name));
    for row in rows(db, &columns).await? {
        index.columns.push(row.try_get_by_index(0)?);
    }
    let columns: Vec<String> = index.columns.iter().map(|column| column.to_lowercase()).collect();
    let part = parts.iter().find(|part| part.subject == DefinitionSubject::Unique(columns.clone()));
    index.name = part.and_then(|part| constraint_name(&part.text)).unwrap_or_default();
    Ok(())
}

/// The name in `CONSTRAINT name …`.
fn constraint_name(definition: &str) -> Option<String> {
    let mut words = words(definition);
    let is_named = words.next().is_some_and(|word| is_keyword(word, "CONSTRAINT"));
    words.next().filter(|_| is_named).map(unquote)
}

fn is_keyword(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}

/// Whether the expression reads the column.
fn is_read(expression: &str, column: &str) -> bool {
    words(expression).any(|word| !word.starts_with('\'') && unquote(word).eq_ignore_ascii_case(column))
}

/// The name as an SQL string.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}

async fn rows(db: &impl ConnectionTrait, select: &str) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_string(DbBackend::Sqlite, select)).await
}

const TABLES: &str = "
SELECT list.name, CASE list.type WHEN 'virtual' THEN 'virtual table' ELSE list.type END
    || iif(list.wr, ' without rowid', '') || iif(list.strict, ' strict', ''), coalesce(master.sql, '')
FROM pragma_table_list list JOIN sqlite_master master ON master.name = list.name AND master.type IN ('table', 'view')
WHERE list.schema = 'main' AND list.type <> 'shadow' AND list.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

const COLUMNS: &str = "
SELECT name, lower(type), NOT \"notnull\", dflt_value, pk, hidden IN (2, 3) FROM pragma_table_xinfo({table}) ORDER BY cid";

const FOREIGN_KEYS: &str = "
SELECT id, \"table\", \"from\", \"to\", lower(on_delete), lower(on_update) FROM pragma_foreign_key_list({table})
ORDER BY id DESC, seq";

const INDEXES: &str = "
SELECT list.name, list.\"unique\", list.origin = 'u', master.sql
FROM pragma_index_list({table}) list LEFT JOIN sqlite_master master ON master.type = 'index' AND master.name = list.name
WHERE list.origin <> 'pk' ORDER BY list.seq DESC";

const TRIGGERS: &str = "
SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = {table} COLLATE NOCASE ORDER BY name";
