//! Column types as calls of sea-query's builder, which both databases understand:
//! `string_len(255)`.

/// The builder call (or the type, if there is no call), the type on PostgreSQL, the type on SQLite.
/// Where a database has one type for several calls, the usual call comes first.
const TYPES: [(&str, &str, &str); 22] = [
    ("boolean()", "boolean", "boolean"),
    ("small_integer()", "smallint", "smallint"),
    ("tiny_integer()", "smallint", "tinyint"),
    ("integer()", "integer", "integer"),
    ("big_integer()", "bigint", "integer"),
    ("big_integer()", "bigint", "bigint"),
    ("float()", "real", "float"),
    ("double()", "double precision", "double"),
    ("decimal()", "numeric", "real_decimal"),
    ("text()", "text", "text"),
    ("string()", "varchar", "varchar"),
    ("timestamp_with_time_zone()", "timestamp with time zone", "timestamp_with_timezone_text"),
    ("date_time()", "timestamp without time zone", "datetime_text"),
    ("timestamp()", "timestamp without time zone", "timestamp_text"),
    ("date()", "date", "date_text"),
    ("time()", "time without time zone", "time_text"),
    ("json()", "json", "json_text"),
    ("json_binary()", "jsonb", "jsonb_text"),
    ("uuid()", "uuid", "uuid_text"),
    ("ColumnType::VarBinary(StringLen::None)", "bytea", "varbinary_blob"),
    ("blob()", "bytea", "blob"),
    ("timestamp()", "timestamp without time zone", "datetime"),
];

/// The builder call for a type, by its names in the two databases, if they are known.
pub(super) fn builder_call(postgres: Option<&str>, sqlite: Option<&str>) -> String {
    let postgres = postgres.map(catalogue_name);
    let is_match = |(_, postgres_name, sqlite_name): &&(&str, &str, &str)| {
        postgres.as_deref().is_none_or(|name| name == *postgres_name) && sqlite.is_none_or(|name| name == *sqlite_name)
    };
    let name = postgres.as_deref().or(sqlite).unwrap_or_default();
    match TYPES.iter().find(is_match) {
        Some((call, _, _)) => (*call).to_owned(),
        None => call_with_length(name).unwrap_or_else(|| format!("custom({name:?})")),
    }
}

/// The code of a column of this type.
pub(super) fn column_def(name: &str, call: &str) -> String {
    match call.starts_with("ColumnType::") {
        true => format!("ColumnDef::new_with_type({name:?}, {call})"),
        false => format!("ColumnDef::new({name:?}).{call}"),
    }
}

/// The name of the type on PostgreSQL.
pub(super) fn postgres_type(call: &str) -> String {
    if let Some((_, name, _)) = TYPES.iter().find(|(known, _, _)| *known == call) {
        return (*name).to_owned();
    }
    let lengths = [("string_len(", "varchar("), ("char_len(", "character("), ("decimal_len(", "numeric(")];
    match lengths.iter().find_map(|(from, to)| Some(format!("{to}{}", call.strip_prefix(from)?))) {
        Some(name) => name,
        None => call.trim_start_matches("custom(\"").trim_end_matches("\")").to_owned(),
    }
}

/// Whether the call creates exactly this type in this database.
pub(super) fn is_exact(call: &str, data_type: &str, is_postgres: bool) -> bool {
    let is_type = |(known, postgres, sqlite): &&(&str, &str, &str)| {
        *known == call && if is_postgres { *postgres == data_type } else { *sqlite == data_type }
    };
    let with_length = |call: &str, name: &str| call.split_once('(').map(|(_, length)| format!("{name}({length}"));
    let name = match call.split('(').next().unwrap_or_default() {
        "string_len" => with_length(call, "varchar"),
        "char_len" => with_length(call, if is_postgres { "character" } else { "char" }),
        "decimal_len" => with_length(call, if is_postgres { "numeric" } else { "real" }),
        _ => None,
    };
    let without_spaces = |text: &str| text.replace(' ', "");
    TYPES.iter().any(|known| is_type(&known))
        || name.is_some_and(|name| without_spaces(&name) == without_spaces(data_type))
}

/// The family of the type. PostgreSQL converts types of one family into each other without a USING
/// expression.
pub(super) fn family(call: &str) -> &'static str {
    let is_one = |names: &[&str]| names.iter().any(|name| call.starts_with(name));
    if is_one(&["string", "text", "char"]) {
        "text"
    } else if is_one(&["integer", "big_integer", "small_integer", "tiny_integer", "float", "double", "decimal"]) {
        "number"
    } else if is_one(&["timestamp_with_time_zone"]) {
        "time with zone"
    } else if is_one(&["timestamp", "date_time"]) {
        "time without zone"
    } else {
        "other"
    }
}

fn call_with_length(name: &str) -> Option<String> {
    let (name, length) = name.strip_suffix(')')?.split_once('(')?;
    let length = length.split(',').map(str::trim).collect::<Vec<_>>().join(", ");
    let call = match name.trim() {
        "varchar" => "string_len",
        "character" | "char" => "char_len",
        "numeric" | "decimal" | "real" => "decimal_len",
        _ => return None,
    };
    Some(format!("{call}({length})"))
}

/// The name of a type in the catalogue, which differs from some names in `CREATE TABLE`.
fn catalogue_name(name: &str) -> String {
    match name {
        "bool" => "boolean".to_owned(),
        "timestamp" => "timestamp without time zone".to_owned(),
        "time" => "time without time zone".to_owned(),
        "decimal" => "numeric".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_the_builder_call_that_fits_both_databases() {
        assert_eq!(builder_call(Some("bigint"), Some("integer")), "big_integer()");
        assert_eq!(builder_call(Some("bool"), None), "boolean()");
        assert_eq!(builder_call(None, Some("integer")), "integer()");
        assert_eq!(builder_call(Some("varchar(255)"), Some("varchar(255)")), "string_len(255)");
        assert_eq!(builder_call(Some("decimal(5, 2)"), Some("real(5, 2)")), "decimal_len(5, 2)");
        assert_eq!(builder_call(Some("inet"), None), "custom(\"inet\")");
        assert_eq!(postgres_type("string_len(255)"), "varchar(255)");
        assert_eq!(postgres_type("custom(\"inet\")"), "inet");
    }
}
