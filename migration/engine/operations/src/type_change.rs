//! Objects on PostgreSQL that block a change of a column's type, or the removal of a type.
//!
//! Policies, rules, functions, publications and generated columns that read a column block `ALTER
//! COLUMN … TYPE`. Triggers and views do not count:
//! [`DetachedDependents`](crate::DetachedDependents) detaches them. On SQLite nothing blocks.

use crate::sql;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::RuntimeErr;

/// Columns by table: `[("users", &["id", "email"])]`.
pub type TableColumns<'a> = (&'a str, &'a [&'a str]);

/// Refuses the migration if an object blocks the change of one of these columns.
///
/// Call it before the first change. It costs one query of the catalogue.
///
/// # Errors
/// [`DbErr::Migration`] with the first object and the statement that removes it, or an error of the
/// database.
pub async fn refuse_blockers(manager: &SchemaManager<'_>, columns: &[TableColumns<'_>]) -> Result<(), DbErr> {
    sql::refuse(blockers(manager, columns, &[]).await?)
}

/// All objects that block the change of these columns and the removal of these types, one line
/// each. Empty on SQLite.
///
/// # Errors
/// An error of the database.
pub async fn blockers(
    manager: &SchemaManager<'_>,
    columns: &[TableColumns<'_>],
    dropped_types: &[&str],
) -> Result<Vec<String>, DbErr> {
    if !sql::is_postgres(manager) {
        return Ok(Vec::new());
    }
    let types: Vec<String> = dropped_types.iter().map(|name| format!("'{name}'")).collect();
    let select = BLOCKERS.replace("{columns}", &values(columns)).replace("{types}", &types.join(", "));
    let rows = sql::query(manager, &select).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Indexes, constraints and statistics that compute something from a column.
///
/// PostgreSQL builds them again for the new type. Where that fails, its message does not name the
/// object: read this before the change, and pass the error of the change to
/// [`DerivedObjects::explain`].
#[derive(Debug)]
pub struct DerivedObjects(Vec<String>);

impl DerivedObjects {
    /// Reads the indexes, constraints and statistics that are computed from these columns.
    ///
    /// # Errors
    /// An error of the database.
    pub async fn read(manager: &SchemaManager<'_>, columns: &[TableColumns<'_>]) -> Result<Self, DbErr> {
        let select = DERIVED_OBJECTS.replace("{columns}", &values(columns));
        let rows = sql::query(manager, &select).await?;
        Ok(Self(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?))
    }

    /// Adds the names of these objects to an error that says that an expression does not fit the
    /// new type.
    pub fn explain(&self, error: DbErr) -> DbErr {
        if !is_syntax_or_access_error(&error) || self.0.is_empty() {
            return error;
        }
        let (these, which) = (self.0.join(", "), if self.0.len() == 1 { "this" } else { "one of these" });
        DbErr::Migration(format!(
            "{error}; needed by {which}: {these}; drop it, migrate, and create it again for the new type"
        ))
    }
}

/// SQLSTATE class 42, for example 42883: there is no such function for the new type.
fn is_syntax_or_access_error(error: &DbErr) -> bool {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            let code = error.as_database_error().and_then(|error| error.code());
            code.is_some_and(|code| code.starts_with("42"))
        }
        _ => false,
    }
}

/// The columns as the rows of `VALUES`.
fn values(columns: &[TableColumns<'_>]) -> String {
    let pairs = columns.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)));
    pairs.map(|(table, column)| format!("('{table}', '{column}')")).collect::<Vec<_>>().join(", ")
}

const DERIVED_OBJECTS: &str = r"SELECT DISTINCT coalesce((
    SELECT pg_describe_object('pg_constraint'::regclass, oid, 0) FROM pg_constraint
    WHERE conindid = objid AND contype = 'x' AND classid = 'pg_class'::regclass LIMIT 1
), pg_describe_object(classid, objid, 0))
FROM (VALUES {columns}) AS list (name, of_column)
JOIN pg_attribute ON attrelid = to_regclass(list.name) AND attname = list.of_column
JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = attrelid AND refobjsubid = attnum
WHERE (classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_index
        WHERE indexrelid = objid AND (indexprs IS NOT NULL OR indpred IS NOT NULL)))
    OR (classid = 'pg_constraint'::regclass AND EXISTS (SELECT FROM pg_constraint WHERE oid = objid AND contype IN ('c', 'x')))
    OR classid = 'pg_statistic_ext'::regclass
ORDER BY 1";

/// PostgreSQL itself builds constraints, indexes and statistics again. They block only where they
/// name a type that is dropped.
const BLOCKERS: &str = r"WITH changed AS (
    SELECT attrelid, attnum, list.name AS relation, format('%s.%s', list.name, attname) AS name
    FROM (VALUES {columns}) AS list (name, of_column)
    JOIN pg_attribute ON attrelid = to_regclass(list.name) AND attname = list.of_column
), dropped AS (
    SELECT oid, typname FROM pg_type WHERE oid IN (SELECT to_regtype(name) FROM unnest(ARRAY[{types}]::text[]) AS name)
), reader AS (
    SELECT classid, objid, objsubid, format('reads %s, whose type changes', string_agg(DISTINCT name, ' and ')) AS why
    FROM changed JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = attrelid AND refobjsubid = attnum
    WHERE classid IN ('pg_policy'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
        OR (classid = 'pg_class'::regclass AND objid = attrelid AND objsubid > 0)
        OR (classid = 'pg_attrdef'::regclass
            AND EXISTS (SELECT FROM pg_attrdef WHERE oid = objid AND NOT (adrelid = attrelid AND adnum = attnum)))
        OR (classid = 'pg_rewrite'::regclass AND EXISTS (SELECT FROM pg_rewrite JOIN pg_class AS owner ON owner.oid = ev_class
            WHERE pg_rewrite.oid = objid AND owner.relkind NOT IN ('v', 'm')))
    GROUP BY classid, objid, objsubid
    UNION ALL
    SELECT 'pg_class'::regclass, attrelid, attnum, format('holds rows of %s, whose columns change', changed.relation)
    FROM (SELECT DISTINCT attrelid AS owner, relation FROM changed) AS changed
    JOIN pg_class AS owner ON owner.oid = changed.owner JOIN pg_type ON pg_type.oid = owner.reltype
    JOIN pg_attribute ON atttypid IN (pg_type.oid, typarray) AND NOT attisdropped AND attnum > 0
    JOIN pg_class AS holder ON holder.oid = attrelid AND holder.relkind IN ('r', 'p', 'm')
    UNION ALL
    SELECT classid, objid, objsubid, format('uses the type %s, which is dropped', typname)
    FROM dropped JOIN pg_depend ON refclassid = 'pg_type'::regclass AND refobjid = dropped.oid
    WHERE deptype <> 'i'
        AND NOT (classid = 'pg_class'::regclass AND EXISTS (
            SELECT FROM pg_class WHERE oid = objid AND (relkind IN ('v', 'm')
                OR (objid, objsubid) IN (SELECT attrelid::oid, attnum::int FROM changed))))
        AND NOT (classid = 'pg_attrdef'::regclass AND EXISTS (
            SELECT FROM pg_attrdef WHERE oid = objid AND (adrelid, adnum) IN (SELECT attrelid, attnum FROM changed)))
), described AS (
    SELECT classid, objid, objsubid, why, pg_describe_object(classid, objid, objsubid) AS what,
        (SELECT format('DROP POLICY %I ON %s', polname, polrelid::regclass) FROM pg_policy
            WHERE oid = objid AND classid = 'pg_policy'::regclass) AS policy,
        (SELECT format('DROP %s %s', CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, oid::regprocedure)
            FROM pg_proc WHERE oid = objid AND classid = 'pg_proc'::regclass) AS routine,
        (SELECT format('ALTER PUBLICATION %I DROP TABLE %s', pubname, prrelid::regclass)
            FROM pg_publication_rel AS member JOIN pg_publication ON pg_publication.oid = prpubid
            WHERE member.oid = objid AND classid = 'pg_publication_rel'::regclass) AS publication,
        (SELECT CASE rulename WHEN '_RETURN' THEN format('DROP VIEW %s', ev_class::regclass)
                ELSE format('DROP RULE %I ON %s', rulename, ev_class::regclass) END FROM pg_rewrite
            WHERE oid = objid AND classid = 'pg_rewrite'::regclass) AS rule,
        (SELECT format('DROP INDEX %s', oid::regclass) FROM pg_class
            WHERE oid = objid AND classid = 'pg_class'::regclass AND relkind = 'i') AS index,
        (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
            WHERE oid = objid AND classid = 'pg_constraint'::regclass AND conrelid <> 0) AS condition,
        (SELECT CASE WHEN attgenerated <> '' THEN format('ALTER TABLE %s DROP COLUMN %I', attrelid::regclass, attname)
                WHEN classid = 'pg_attrdef'::regclass
                THEN format('ALTER TABLE %s ALTER %I DROP DEFAULT', attrelid::regclass, attname)
                ELSE format('ALTER TABLE %1$s ALTER %2$I TYPE text USING %2$I::text', attrelid::regclass, attname) END
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE (classid = 'pg_class'::regclass AND attrelid = objid AND attnum = objsubid)
                OR (classid = 'pg_attrdef'::regclass AND pg_attrdef.oid = objid)) AS of_column,
        (SELECT format('generated column %I of table %s', attname, attrelid::regclass)
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attgenerated <> '' AND ((classid = 'pg_class'::regclass AND attrelid = objid AND attnum = objsubid)
                OR (classid = 'pg_attrdef'::regclass AND pg_attrdef.oid = objid))) AS generated
    FROM (SELECT classid, objid, objsubid, string_agg(why, ', and ' ORDER BY why) AS why FROM reader GROUP BY 1, 2, 3) AS reader
)
SELECT DISTINCT format('%s %s: %s, migrate, and create it again for the new type',
    coalesce(generated, CASE WHEN rule LIKE 'DROP VIEW %' THEN 'view ' || substr(rule, 11) END, what), why,
    coalesce(policy, routine, publication, rule, index, condition, of_column, 'drop it'))
FROM described ORDER BY 1";
