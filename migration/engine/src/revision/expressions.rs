//! Default values and indexes as Rust code, and whether sea-query can build them.

use crate::schema::Index;

/// The default as a Rust value, or as `Expr::…` if it is an expression.
pub(super) fn value(sql: &str) -> String {
    let text = sql.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match (text, sql.to_lowercase().as_str()) {
        (Some(text), _) if !text.replace("''", "").contains('\'') => format!("{:?}", text.replace("''", "'")),
        (_, "true" | "false") => sql.to_lowercase(),
        (_, "current_timestamp" | "now()") => "Expr::current_timestamp()".to_owned(),
        (_, number) if number.parse::<i32>().is_ok() => number.to_owned(),
        (_, number) if number.parse::<i64>().is_ok() => format!("{number}_i64"),
        _ => format!("Expr::cust({sql:?})"),
    }
}

/// `Index::create().name("ix_videos_title").table("videos").col("title")`.
pub(super) fn index(table: &str, index: &Index) -> String {
    let mut code = format!("Index::create().name({:?}).table({table:?})", index.name);
    for column in index.columns.iter().filter_map(|column| index_column(column)) {
        code.push_str(&format!(".col({column})"));
    }
    if index.unique {
        code.push_str(".unique()");
    }
    if let Some(predicate) = &index.predicate {
        code.push_str(&format!(".and_where(Expr::cust({predicate:?}))"));
    }
    code
}

/// Whether the index has expressions, which sea-query cannot build.
pub(super) fn has_expressions(index: &Index) -> bool {
    index.columns.iter().any(|column| index_column(column).is_none())
}

fn index_column(column: &str) -> Option<String> {
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    match column.rsplit_once(' ') {
        _ if is_name(column) => Some(format!("{column:?}")),
        Some((name, "DESC" | "desc")) if is_name(name) => Some(format!("({name:?}, IndexOrder::Desc)")),
        _ => None,
    }
}
