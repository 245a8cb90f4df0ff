//! Triggers and views that depend on a table while a migration changes it.

use crate::{rebuild, sql};
use sea_orm_migration::prelude::*;

/// Triggers and views that were dropped, together with the SQL that creates them again.
///
/// Detach them before a migration changes a column or rewrites rows, for three reasons. A trigger
/// must not run for the updates of a migration. SQLite drops the triggers of a table together with
/// the table. PostgreSQL refuses to change the type of a column that a view or a trigger reads.
/// [`TableDef::rebuild`](crate::TableDef::rebuild) detaches triggers by itself.
///
/// Dropping locks each of these objects until the transaction ends. A materialized view is computed
/// again.
#[must_use = "what was detached stays dropped until `reattach` is called"]
pub struct DetachedDependents {
    /// What each object is (`view names`), and the SQL that creates it, in the order of creation.
    recreate: Vec<(String, String)>,
}

impl DetachedDependents {
    /// Drops the triggers of these tables and, on PostgreSQL, the views that read them, also
    /// through other views.
    ///
    /// # Errors
    /// An error of the database.
    pub async fn detach(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<Self, DbErr> {
        let mut recreate = Vec::new();
        if sql::is_postgres(manager) {
            let list = tables.iter().map(|table| format!("'{table}'::regclass")).collect::<Vec<_>>().join(", ");
            for row in sql::query(manager, &POSTGRES_DEPENDENTS.replace("{tables}", &list)).await? {
                sql::execute(manager, &row.try_get_by_index::<String>(1)?).await?;
                recreate.push((row.try_get_by_index(0)?, row.try_get_by_index(2)?));
            }
        } else {
            for table in tables {
                for (name, create) in rebuild::schema_objects(manager, "trigger", table).await? {
                    sql::execute(manager, &format!("DROP TRIGGER \"{name}\"")).await?;
                    recreate.push((format!("trigger {name}"), create));
                }
            }
        }
        // An object is dropped before those that it reads, and created after them.
        recreate.reverse();
        Ok(Self { recreate })
    }

    /// Creates the objects again, with their owners, grants, comments and rules.
    ///
    /// # Errors
    /// [`DbErr::Migration`] with the name of the object that does not fit the changed table.
    pub async fn reattach(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for (object, create) in &self.recreate {
            sql::execute(manager, create).await.map_err(|error| {
                let fix = "drop it, migrate, and create it again by hand for the new columns";
                DbErr::Migration(format!("the {object} does not fit the changed table ({error}): {fix}"))
            })?;
        }
        Ok(())
    }
}

/// Each dependent object: what it is, the SQL that drops it, the SQL that creates it. An object
/// comes before those that it reads.
const POSTGRES_DEPENDENTS: &str = r#"WITH RECURSIVE reader (oid, depth) AS (
    SELECT unnest(ARRAY[{tables}])::oid, 0
    UNION
    SELECT rule.ev_class, reader.depth + 1
    FROM reader
    JOIN pg_depend use ON use.refclassid = 'pg_class'::regclass AND use.refobjid = reader.oid
        AND use.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite rule ON rule.oid = use.objid AND rule.ev_class <> reader.oid
    JOIN pg_class owner ON owner.oid = rule.ev_class AND owner.relkind IN ('v', 'm')
), relation AS (
    SELECT class.*, max(reader.depth) AS depth,
        CASE class.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind, class.oid::regclass AS name
    FROM reader JOIN pg_class class USING (oid) GROUP BY class.oid, class.*
)
SELECT 'trigger ' || quote_ident(tgname), format('DROP TRIGGER %I ON %s', tgname, name),
    pg_get_triggerdef(pg_trigger.oid) || CASE tgenabled
        WHEN 'D' THEN format('; ALTER TABLE %s DISABLE TRIGGER %I', name, tgname)
        WHEN 'A' THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', name, tgname)
        WHEN 'R' THEN format('; ALTER TABLE %s ENABLE REPLICA TRIGGER %I', name, tgname)
        ELSE '' END, depth, 1 AS rank
FROM relation JOIN pg_trigger ON tgrelid = relation.oid WHERE NOT tgisinternal
UNION ALL
SELECT kind || ' ' || name, format('DROP %s %s', kind, name), concat_ws('; ',
    format('CREATE %s %s %s AS %s', kind, name,
        'WITH (' || array_to_string(reloptions, ', ') || ')', rtrim(pg_get_viewdef(oid), ';')),
    format('ALTER %s %s OWNER TO %I', kind, name, pg_get_userbyid(relowner)),
    (SELECT string_agg(format('GRANT %s ON %s TO %s', privilege_type, name,
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
        || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, '; ') FROM aclexplode(relacl)),
    (SELECT string_agg(pg_get_indexdef(indexrelid), '; ') FROM pg_index WHERE indrelid = oid),
    format('COMMENT ON %s %s IS %L', kind, name, obj_description(oid, 'pg_class')),
    (SELECT string_agg(rtrim(pg_get_ruledef(rule.oid), ';'), '; ') FROM pg_rewrite rule
        WHERE rule.ev_class = relation.oid AND rulename <> '_RETURN'),
    (SELECT string_agg(concat_ws('; ',
        format('COMMENT ON COLUMN %s.%I IS ', name, attname) || quote_literal(col_description(attrelid, attnum)),
        format('ALTER VIEW %s ALTER %I SET DEFAULT ', name, attname)
            || (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum),
        (SELECT string_agg(format('GRANT %s (%I) ON %s TO %s', privilege_type, attname, name,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
            || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, '; ') FROM aclexplode(attacl))), '; ')
        FROM pg_attribute WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
            AND (attacl IS NOT NULL OR atthasdef OR col_description(attrelid, attnum) IS NOT NULL))), depth, 0
FROM relation WHERE depth > 0
ORDER BY depth DESC, rank DESC"#;
