//! SQL as text: cut into words, and brought to one form in which two texts that say the same are equal.

use operations::create_table::{definitions, tokens};

/// The words of a text, without spaces and comments.
pub(crate) fn words(sql: &str) -> impl Iterator<Item = &str> {
    tokens(sql).filter(|token| !token.trim().is_empty() && !token.starts_with("--") && !token.starts_with("/*"))
}

/// One form for texts that differ only in spaces, in the case of words, in quotes that a name does not need, or in
/// parentheses around the whole.
pub fn squeezed(sql: &str) -> String {
    let words: Vec<String> = words(sql).map(plain).collect();
    bare(&words).join(" ")
}

fn plain(word: &str) -> String {
    if word.starts_with('\'') {
        return word.to_owned();
    }
    let lower = unquoted(word).to_lowercase();
    match lower.as_str() {
        "true" => "1".to_owned(),
        "false" => "0".to_owned(),
        _ => lower,
    }
}

/// A name without its quotes, in the case in which it was written.
pub(super) fn unquoted(name: &str) -> String {
    let name = name.trim();
    match name.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) if !inner.replace("\"\"", "").contains('"') => inner.replace("\"\"", "\""),
        _ => name.trim_matches(['`', '[', ']']).to_owned(),
    }
}

/// Without the parentheses that enclose all of it.
fn bare(words: &[String]) -> &[String] {
    match words {
        [first, inside @ .., last] if first == "(" && last == ")" && is_balanced(inside) => bare(inside),
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

/// What stands between the first parentheses, cut at its commas, and what follows them.
pub(super) fn list_and_rest(sql: &str) -> (Vec<String>, String) {
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

/// A column of an index; ascending is how it stands without a word.
fn column(part: &str) -> String {
    match part.rsplit_once(' ') {
        Some((name, order)) if order.eq_ignore_ascii_case("desc") => format!("{} DESC", unquoted(name)),
        Some((name, order)) if order.eq_ignore_ascii_case("asc") => unquoted(name),
        _ => unquoted(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_say_the_same_are_equal() {
        assert_eq!(squeezed("((\"Role\" IN ('User',  'a b')))"), squeezed("role in ('User','a b')"));
        assert_eq!(squeezed("TRUE"), "1");
        assert_ne!(squeezed("role IN ('User')"), squeezed("role IN ('user')"));
        assert_eq!(squeezed("(a) + (b)"), "( a ) + ( b )");
    }

    #[test]
    fn the_columns_of_an_index_and_what_follows_them_are_told_apart() {
        let (list, rest) =
            list_and_rest("CREATE INDEX x ON y (\"a b\", lower(c) DESC, \"e\" desc, \"f g\" ASC) WHERE (d)");
        assert_eq!(list, ["a b", "lower(c) DESC", "e DESC", "f g"]);
        assert_eq!(rest, "WHERE (d)");
    }
}
