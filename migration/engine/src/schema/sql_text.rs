//! SQL as text: splits it into words, and normalizes it so that equal expressions have equal texts.

use operations::create_table::{definitions, tokens};

/// The words of the SQL, without spaces and comments.
pub(crate) fn words(sql: &str) -> impl Iterator<Item = &str> {
    tokens(sql).filter(|token| !token.trim().is_empty() && !token.starts_with("--") && !token.starts_with("/*"))
}

/// Normalizes SQL: spaces, the case of words, quotes that a name does not need, and parentheses
/// around the whole make no difference. Quoted strings stay as they are.
pub fn normalize_sql(sql: &str) -> String {
    let words: Vec<String> = words(sql).map(normalize_word).collect();
    without_parentheses(&words).join(" ")
}

/// Whether two optional texts are the same SQL.
pub(super) fn same_text(a: Option<&String>, b: Option<&String>) -> bool {
    a.map(|text| normalize_sql(text)) == b.map(|text| normalize_sql(text))
}

fn normalize_word(word: &str) -> String {
    if word.starts_with('\'') {
        return word.to_owned();
    }
    let lower = unquote(word).to_lowercase();
    match lower.as_str() {
        "true" => "1".to_owned(),
        "false" => "0".to_owned(),
        _ => lower,
    }
}

/// Removes the quotes of a name, and keeps its case.
pub(super) fn unquote(name: &str) -> String {
    let name = name.trim();
    match name.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) if !inner.replace("\"\"", "").contains('"') => inner.replace("\"\"", "\""),
        _ => name.trim_matches(['`', '[', ']']).to_owned(),
    }
}

/// The words without the parentheses around all of them.
fn without_parentheses(words: &[String]) -> &[String] {
    match words {
        [first, inside @ .., last] if first == "(" && last == ")" && is_balanced(inside) => without_parentheses(inside),
        _ => words,
    }
}

fn is_balanced(words: &[String]) -> bool {
    let mut depth = 0;
    words.iter().all(|word| {
        depth += i32::from(word == "(") - i32::from(word == ")");
        depth >= 0
    }) && depth == 0
}

/// The list in the first parentheses, split at its commas, and the SQL after them.
pub(super) fn split_column_list(sql: &str) -> (Vec<String>, String) {
    let list = definitions(sql).into_iter().map(|part| column(&part.text)).collect();
    let (mut depth, mut opened, mut end) = (0, false, sql.len());
    let mut at = 0;
    for token in tokens(sql) {
        at += token.len();
        match token {
            "(" => (depth, opened) = (depth + 1, true),
            ")" => depth -= 1,
            _ => {}
        }
        if opened && depth == 0 {
            end = at;
            break;
        }
    }
    (list, sql[end..].trim().to_owned())
}

/// A column of an index; `ASC` is the default and left out.
fn column(part: &str) -> String {
    match part.rsplit_once(' ') {
        Some((name, order)) if order.eq_ignore_ascii_case("desc") => format!("{} DESC", unquote(name)),
        Some((name, order)) if order.eq_ignore_ascii_case("asc") => unquote(name),
        _ => unquote(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_expressions_have_one_normal_form() {
        assert_eq!(normalize_sql("((\"Role\" IN ('User',  'a b')))"), normalize_sql("role in ('User','a b')"));
        assert_eq!(normalize_sql("TRUE"), "1");
        assert_ne!(normalize_sql("role IN ('User')"), normalize_sql("role IN ('user')"));
        assert_eq!(normalize_sql("(a) + (b)"), "( a ) + ( b )");
    }

    #[test]
    fn a_column_list_is_split_from_the_sql_after_it() {
        let (list, rest) =
            split_column_list("CREATE INDEX x ON y (\"a b\", lower(c) DESC, \"e\" desc, \"f g\" ASC) WHERE (d)");
        assert_eq!(list, ["a b", "lower(c) DESC", "e DESC", "f g"]);
        assert_eq!(rest, "WHERE (d)");
    }
}
