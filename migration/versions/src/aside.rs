//! Triggers and views that hang on our tables but are not ours: set aside while a table changes, put back afterwards.
//!
//! A trigger must not see a migration as if it were somebody's update, SQLite drops it together with the old table, and
//! PostgreSQL refuses to change the type of a column that a view or trigger reads.

use crate::{shape, sql};
use sea_orm_migration::prelude::*;

/// What was set aside, as the SQL that makes it again.
pub(crate) struct Aside {
    made_again_by: Vec<(String, String)>,
}

impl Aside {
    /// Drops the triggers of these tables and, on PostgreSQL, the views over them.
    pub(crate) async fn take(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<Self, DbErr> {
        let mut made_again_by = Vec::new();
        if sql::on_postgres(manager) {
            let list = tables.iter().map(|table| format!("'{table}'::regclass")).collect::<Vec<_>>().join(", ");
            for row in sql::rows(manager, &POSTGRES.replace("{tables}", &list)).await? {
                sql::run(manager, &row.try_get_by_index::<String>(1)?).await?;
                made_again_by.push((row.try_get_by_index(0)?, row.try_get_by_index(2)?));
            }
        } else {
            for table in tables {
                for (name, create) in shape::master(manager, "trigger", table).await? {
                    sql::run(manager, &format!("DROP TRIGGER \"{name}\"")).await?;
                    made_again_by.push((format!("trigger {name}"), create));
                }
            }
        }
        // What was taken first stood on what was taken after it.
        made_again_by.reverse();
        Ok(Self { made_again_by })
    }

    /// Makes again what was taken.
    pub(crate) async fn give_back(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for (what, create) in &self.made_again_by {
            sql::run(manager, create).await.map_err(|error| {
                let mend = "drop it, migrate, and make it again by hand to fit the new columns";
                DbErr::Migration(format!("the {what} does not fit the changed table ({error}): {mend}"))
            })?;
        }
        Ok(())
    }
}

/// What it is, how it is dropped, how it is made again; what stands on another thing comes before it.
const POSTGRES: &str = r#"WITH RECURSIVE reader (oid, depth) AS (
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
