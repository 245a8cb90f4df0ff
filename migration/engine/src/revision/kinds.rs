//! The types of columns as sea-query's builder calls them, which both databases understand.

/// The call, or the type where there is no call for it; PostgreSQL's word, SQLite's word. Where one database has one word for
/// several of them, the usual one is first.
const KINDS: [(&str, &str, &str); 22] = [
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

/// The call for a type by the words that the databases have for it, as far as they are known.
pub(super) fn call(postgres: Option<&str>, sqlite: Option<&str>) -> String {
    let postgres = postgres.map(catalogued);
    let fits = |(_, of_postgres, of_sqlite): &&(&str, &str, &str)| {
        postgres.as_deref().is_none_or(|word| word == *of_postgres) && sqlite.is_none_or(|word| word == *of_sqlite)
    };
    let word = postgres.as_deref().or(sqlite).unwrap_or_default();
    match KINDS.iter().find(fits) {
        Some((call, _, _)) => (*call).to_owned(),
        None => with_length(word).unwrap_or_else(|| format!("custom({word:?})")),
    }
}

/// A column of this type in code.
pub(super) fn column(name: &str, call: &str) -> String {
    match call.starts_with("ColumnType::") {
        true => format!("ColumnDef::new_with_type({name:?}, {call})"),
        false => format!("ColumnDef::new({name:?}).{call}"),
    }
}

/// The word of PostgreSQL for a call.
pub(super) fn postgres_word(call: &str) -> String {
    if let Some((_, word, _)) = KINDS.iter().find(|(known, _, _)| *known == call) {
        return (*word).to_owned();
    }
    let lengths = [("string_len(", "varchar("), ("char_len(", "character("), ("decimal_len(", "numeric(")];
    match lengths.iter().find_map(|(from, to)| Some(format!("{to}{}", call.strip_prefix(from)?))) {
        Some(word) => word,
        None => call.trim_start_matches("custom(\"").trim_end_matches("\")").to_owned(),
    }
}

/// Whether the call makes exactly this type in this database.
pub(super) fn is_exact(call: &str, kind: &str, on_postgres: bool) -> bool {
    let word = |(known, postgres, sqlite): &&(&str, &str, &str)| {
        *known == call && if on_postgres { *postgres == kind } else { *sqlite == kind }
    };
    let length = |call: &str, name: &str| call.split_once('(').map(|(_, length)| format!("{name}({length}"));
    let spelled = match call.split('(').next().unwrap_or_default() {
        "string_len" => length(call, "varchar"),
        "char_len" => length(call, if on_postgres { "character" } else { "char" }),
        "decimal_len" => length(call, if on_postgres { "numeric" } else { "real" }),
        _ => None,
    };
    let bare = |text: &str| text.replace(' ', "");
    KINDS.iter().any(|known| word(&known)) || spelled.is_some_and(|spelled| bare(&spelled) == bare(kind))
}

/// What a value is, roughly: types of one family turn into each other by themselves.
pub(super) fn family(call: &str) -> &'static str {
    let is_of = |names: &[&str]| names.iter().any(|name| call.starts_with(name));
    if is_of(&["string", "text", "char"]) {
        "text"
    } else if is_of(&["integer", "big_integer", "small_integer", "tiny_integer", "float", "double", "decimal"]) {
        "number"
    } else if is_of(&["timestamp_with_time_zone"]) {
        "time with zone"
    } else if is_of(&["timestamp", "date_time"]) {
        "time without zone"
    } else {
        "other"
    }
}

fn with_length(word: &str) -> Option<String> {
    let (name, length) = word.strip_suffix(')')?.split_once('(')?;
    let length = length.split(',').map(str::trim).collect::<Vec<_>>().join(", ");
    let call = match name.trim() {
        "varchar" => "string_len",
        "character" | "char" => "char_len",
        "numeric" | "decimal" | "real" => "decimal_len",
        _ => return None,
    };
    Some(format!("{call}({length})"))
}

/// The word that the catalogue has for a word of a `CREATE TABLE`.
fn catalogued(word: &str) -> String {
    match word {
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
    fn a_type_has_the_call_that_both_databases_agree_on() {
        assert_eq!(call(Some("bigint"), Some("integer")), "big_integer()");
        assert_eq!(call(Some("bool"), None), "boolean()");
        assert_eq!(call(None, Some("integer")), "integer()");
        assert_eq!(call(Some("varchar(255)"), Some("varchar(255)")), "string_len(255)");
        assert_eq!(call(Some("decimal(5, 2)"), Some("real(5, 2)")), "decimal_len(5, 2)");
        assert_eq!(call(Some("inet"), None), "custom(\"inet\")");
        assert_eq!(postgres_word("string_len(255)"), "varchar(255)");
        assert_eq!(postgres_word("custom(\"inet\")"), "inet");
    }
}
