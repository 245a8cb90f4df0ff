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
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    for part in &parts {
        for (name, condition) in parenthesized_clauses(&part.text, "CHECK") {
            let name = name.map(unquote).unwrap_or_default();
            let columns = columns.iter().filter(|column| is_read(&condition, column)).cloned().collect();
            table.checks.push(Check { name, columns, condition, notes: String::new() });
        }
    }
    for row in rows(db, &TRIGGERS.replace("{table}", &quoted(name))).await? {
        table.triggers.push(Trigger { name: row.try_get_by_index(0)?, definition: row.try_get_by_index(1)? });
    }
    Ok(table)
}

fn column(row: &QueryResult, parts: &[Definition]) -> Result<Column, DbErr> {
    let name: String = row.try_get_by_index(0)?;
    let part = parts.iter().find(|part| part.subject == DefinitionSubject::Column(name.to_lowercase()));
    let text = part.map(|part| part.text.as_str()).unwrap_or_default();
    let following = |word: &str| words(text).skip_while(|token| !token.eq_ignore_ascii_case(word)).nth(1);
    let generated: bool = row.try_get_by_index(5)?;
    Ok(Column {
        data_type: row.try_get_by_index::<String>(1)?,
        nullable: row.try_get_by_index(2)?,
        default: row.try_get_by_index::<Option<String>>(3)?.filter(|default| !default.eq_ignore_ascii_case("NULL")),
        auto_increment: words(text)
            .any(|word| word.eq_ignore_ascii_case("AUTOINCREMENT"))
            .then(|| "autoincrement".to_owned()),
        generated: parenthesized_clauses(text, "AS").pop().map(|(_, expression)| expression).filter(|_| generated),
        collation: following("COLLATE").map(unquote),
        name,
    })
}

async fn foreign_keys(db: &impl ConnectionTrait, table: &str, parts: &[Definition]) -> Result<Vec<ForeignKey>, DbErr> {
    let mut keys: Vec<(i32, ForeignKey)> = Vec::new();
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
    let with_name_and_notes = |(_, mut key): (i32, ForeignKey)| {
        let columns: Vec<String> = key.columns.iter().map(|column| column.to_lowercase()).collect();
        let defines_key = |part: &&Definition| match &part.subject {
            DefinitionSubject::ForeignKey(of) => *of == columns,
            DefinitionSubject::Column(of) => [of.clone()] == columns[..],
            _ => false,
        };
        for part in parts.iter().filter(defines_key) {
            let words: Vec<&str> = words(&part.text).collect();
            if matches!(part.subject, DefinitionSubject::ForeignKey(_))
                && words.first().is_some_and(|word| is(word, "CONSTRAINT"))
            {
                key.name = words.get(1).map(|name| unquote(name)).unwrap_or_default();
            }
            if let Some(at) = words.iter().position(|word| is(word, "DEFERRABLE")) {
                let not = at > 0 && is(words[at - 1], "NOT");
                let deferred = words.get(at + 2).is_some_and(|word| is(word, "DEFERRED"));
                key.notes = if not || !deferred { String::new() } else { "initially deferred".to_owned() };
            }
        }
        key
    };
    Ok(keys.into_iter().map(with_name_and_notes).collect())
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
        let create: Option<String> = row.try_get_by_index(3)?;
        if let Some(create) = create {
            let (columns, rest) = split_column_list(&create);
            index.columns = columns;
            // What follows the columns can only be `WHERE …`.
            index.predicate = rest.get("WHERE".len()..).map(|predicate| predicate.trim().to_owned());
        } else {
            let columns = format!("SELECT name FROM pragma_index_info({}) ORDER BY seqno", quoted(&index.name));
            for row in rows(db, &columns).await? {
                index.columns.push(row.try_get_by_index(0)?);
            }
            let columns: Vec<String> = index.columns.iter().map(|column| column.to_lowercase()).collect();
            let part = parts.iter().find(|part| part.subject == DefinitionSubject::Unique(columns.clone()));
            let mut words = part.map(|part| part.text.as_str()).into_iter().flat_map(words);
            let named = words.next().is_some_and(|word| is(word, "CONSTRAINT"));
            index.name = words.next().filter(|_| named).map(unquote).unwrap_or_default();
        }
        indexes.push(index);
    }
    Ok(indexes)
}

fn is(word: &str, other: &str) -> bool {
    word.eq_ignore_ascii_case(other)
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
