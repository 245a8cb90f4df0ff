//! Reads the catalogue of PostgreSQL, for every table in the search path.

use super::sql_text::split_column_list;
use super::{Check, Column, ForeignKey, Index, Schema, Table, Trigger};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    let mut schema = Schema::default();
    for row in rows(db, TABLES).await? {
        let (name, kind): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if kind.ends_with("view") {
            schema.views.insert(name);
        } else {
            schema.tables.insert(name, Table { kind, ..Table::default() });
        }
    }
    for row in rows(db, COLUMNS).await? {
        let Some(table) = table_of_row(&mut schema, &row)? else { continue };
        table.columns.push(column(&row)?);
    }
    for row in rows(db, CONSTRAINTS).await? {
        let Some(table) = table_of_row(&mut schema, &row)? else { continue };
        constraint(table, &row)?;
    }
    for row in rows(db, INDEXES).await? {
        let Some(table) = table_of_row(&mut schema, &row)? else { continue };
        table.indexes.push(index(&row)?);
    }
    for row in rows(db, TRIGGERS).await? {
        let Some(table) = table_of_row(&mut schema, &row)? else { continue };
        table.triggers.push(Trigger { name: row.try_get_by_index(1)?, definition: row.try_get_by_index(2)? });
    }
    Ok(schema)
}

/// The table that the row belongs to.
fn table_of_row<'a>(schema: &'a mut Schema, row: &QueryResult) -> Result<Option<&'a mut Table>, DbErr> {
    Ok(schema.tables.get_mut(&row.try_get_by_index::<String>(0)?))
}

fn column(row: &QueryResult) -> Result<Column, DbErr> {
    let generated: bool = row.try_get_by_index(5)?;
    let expression: Option<String> = row.try_get_by_index(4)?;
    let (default, generated) = if generated { (None, expression) } else { (expression, None) };
    Ok(Column {
        name: row.try_get_by_index(1)?,
        data_type: row.try_get_by_index::<String>(2)?.replace("character varying", "varchar"),
        nullable: row.try_get_by_index(3)?,
        default,
        generated,
        auto_increment: row.try_get_by_index(6)?,
        collation: row.try_get_by_index(7)?,
    })
}

fn constraint(table: &mut Table, row: &QueryResult) -> Result<(), DbErr> {
    let name: String = row.try_get_by_index(1)?;
    let kind: String = row.try_get_by_index(2)?;
    let columns = split_names(&row.try_get_by_index::<String>(3)?);
    let notes: String = row.try_get_by_index(9)?;
    match kind.as_str() {
        "p" => table.primary_key = columns,
        "f" => table.foreign_keys.push(ForeignKey {
            name,
            columns,
            parent: row.try_get_by_index(4)?,
            parent_columns: split_names(&row.try_get_by_index::<String>(5)?),
            on_delete: row.try_get_by_index(6)?,
            on_update: row.try_get_by_index(7)?,
            notes,
        }),
        _ => table.checks.push(Check { name, columns, condition: row.try_get_by_index(8)?, notes }),
    }
    Ok(())
}

fn index(row: &QueryResult) -> Result<Index, DbErr> {
    // `btree (title DESC) INCLUDE (id) WHERE …`
    let text: String = row.try_get_by_index(4)?;
    let (columns, rest) = split_column_list(&text);
    let between = rest.split_once("WHERE ").map_or(rest.as_str(), |(between, _)| between.trim());
    let method = text.split_whitespace().next().filter(|method| *method != "btree");
    let using = method.map(|method| format!("using {method}")).unwrap_or_default();
    let state: String = row.try_get_by_index(5)?;
    let notes: Vec<&str> =
        [using.as_str(), between, state.as_str()].into_iter().filter(|note| !note.is_empty()).collect();
    Ok(Index {
        name: row.try_get_by_index(1)?,
        unique: row.try_get_by_index(2)?,
        constraint: row.try_get_by_index(3)?,
        columns,
        predicate: row.try_get_by_index(6)?,
        notes: notes.join(" "),
    })
}

/// Splits names that are joined by a character that no name contains.
fn split_names(joined: &str) -> Vec<String> {
    joined.split('\u{1f}').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

async fn rows(db: &impl ConnectionTrait, select: &str) -> Result<Vec<QueryResult>, DbErr> {
    let select = format!("{RELATIONS}{select}");
    db.query_all_raw(Statement::from_string(DbBackend::Postgres, select)).await
}

/// The relations that need no schema name in a statement, without those of extensions. Temporary
/// tables count only if the search path is the temporary schema.
const RELATIONS: &str = r"
WITH relation AS (
    SELECT class.* , class.oid AS id
    FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
    WHERE class.relkind IN ('r', 'p', 'f', 'v', 'm') AND pg_table_is_visible(class.oid)
        AND space.nspname NOT IN ('pg_catalog', 'information_schema')
        AND (class.relpersistence <> 't' OR current_schema() LIKE 'pg\_temp\_%')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = class.oid AND deptype = 'e')
)";

const TABLES: &str = "
SELECT relname::text, CASE relpersistence WHEN 'u' THEN 'unlogged ' ELSE '' END
    || CASE relkind WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' ELSE 'table' END
    || CASE WHEN relrowsecurity THEN ' with row level security' ELSE '' END
FROM relation";

const COLUMNS: &str = "
SELECT relname::text, attname::text, format_type(atttypid, atttypmod), NOT attnotnull,
    CASE WHEN sequence_type IS NULL THEN pg_get_expr(adbin, adrelid) END, attgenerated <> '', sequence_type,
    CASE WHEN attcollation <> typcollation THEN collname::text END
FROM relation
JOIN pg_attribute ON attrelid = id AND attnum > 0 AND NOT attisdropped
JOIN pg_type type ON type.oid = atttypid
LEFT JOIN pg_collation ON pg_collation.oid = attcollation
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN LATERAL (
    SELECT seqtypid::regtype::text || CASE attidentity WHEN 'a' THEN ' always' ELSE '' END AS sequence_type
    FROM pg_sequence
    WHERE seqrelid = pg_get_serial_sequence(id::regclass::text, attname::text)::regclass
        AND (attidentity <> '' OR pg_get_expr(adbin, adrelid) LIKE 'nextval(%')
) sequence ON relkind IN ('r', 'p')
WHERE relkind IN ('r', 'p', 'f')
ORDER BY relname, attnum";

const CONSTRAINTS: &str = "
, rule (letter, word) AS (
    VALUES ('a', 'no action'), ('r', 'restrict'), ('c', 'cascade'), ('n', 'set null'), ('d', 'set default')
)
SELECT relname::text, conname::text, contype::text,
    coalesce((SELECT string_agg(attname, chr(31) ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
        JOIN pg_attribute ON attrelid = conrelid AND attnum = number), ''),
    CASE confrelid WHEN 0 THEN '' ELSE confrelid::regclass::text END,
    coalesce((SELECT string_agg(attname, chr(31) ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS key (number, place)
        JOIN pg_attribute ON attrelid = confrelid AND attnum = number), ''),
    (SELECT coalesce(max(word), '') FROM rule WHERE letter = confdeltype::text),
    (SELECT coalesce(max(word), '') FROM rule WHERE letter = confupdtype::text),
    coalesce(pg_get_expr(conbin, conrelid, true), ''),
    concat_ws(' ', CASE WHEN condeferred THEN 'initially deferred' WHEN condeferrable THEN 'deferrable' END,
        CASE WHEN NOT convalidated THEN 'not valid' END, CASE confmatchtype WHEN 'f' THEN 'match full' END,
        CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgconstraint = pg_constraint.oid AND tgenabled = 'D')
            THEN 'not enforced' END)
FROM relation JOIN pg_constraint ON conrelid = id
WHERE contype IN ('p', 'f', 'c')
ORDER BY relname, conname";

const INDEXES: &str = "
SELECT relation.relname::text, name.relname::text, indisunique, EXISTS (
        SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('u', 'x')
    ), regexp_replace(pg_get_indexdef(indexrelid, 0, true), '^.*? USING ', ''),
    concat_ws(' ', CASE WHEN NOT indisvalid THEN 'invalid' END, CASE WHEN indisexclusion THEN 'exclusion' END,
        CASE WHEN NOT indimmediate THEN 'deferrable' END),
    pg_get_expr(indpred, indrelid, true)
FROM relation JOIN pg_index ON indrelid = id JOIN pg_class name ON name.oid = indexrelid
WHERE NOT indisprimary
ORDER BY relation.relname, name.relname";

const TRIGGERS: &str = "
SELECT relname::text, tgname::text, pg_get_triggerdef(pg_trigger.oid) || CASE tgenabled WHEN 'O' THEN '' ELSE ' ' || tgenabled::text END
FROM relation JOIN pg_trigger ON tgrelid = id
WHERE NOT tgisinternal
ORDER BY relname, tgname";
