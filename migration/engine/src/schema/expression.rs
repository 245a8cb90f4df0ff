//! Simplifies the expressions of PostgreSQL's catalogue.

use super::words;

/// The expression without casts, and with `IN (…)` for `= ANY (ARRAY[…])`: as people write it, and
/// as SQLite accepts it.
pub(crate) fn simplify_expr(expression: &str) -> String {
    let words: Vec<&str> = words(expression).collect();
    let mut output: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match words[at..] {
            [":", ":", ..] => {
                at += 2 + cast_length(&words[at + 2..]);
                continue;
            }
            ["=", any, "(", ref rest @ ..] if any.eq_ignore_ascii_case("ANY") => {
                if let Some((list, length)) = array(rest) {
                    output.push(format!("IN ({list})"));
                    at += 3 + length;
                    continue;
                }
                output.push("=".to_owned());
            }
            [word, ..] => output.push(word.to_owned()),
            [] => {}
        }
        at += 1;
    }
    join_words(&output)
}

/// The number of words in the type of a cast: `character varying`, `timestamp with time zone`,
/// `numeric(5,2)[]`.
fn cast_length(words: &[&str]) -> usize {
    let mut length = 1;
    while words
        .get(length)
        .is_some_and(|word| ["varying", "precision", "with", "without", "time", "zone"].contains(word))
    {
        length += 1;
    }
    for (open, close) in [("(", ")"), ("[", "]")] {
        if words.get(length).is_some_and(|word| *word == open) {
            length += words[length..].iter().position(|word| *word == close).map_or(0, |at| at + 1);
        }
    }
    // `[]` is one word here, because `[…]` quotes a name in SQLite.
    length + usize::from(words.get(length).is_some_and(|word| word.starts_with('[')))
}

/// The list in `ARRAY['a'::text, 'b'::text]::text[])`, also with further parentheses, and the
/// number of its words.
fn array(words: &[&str]) -> Option<(String, usize)> {
    let start = words.iter().position(|word| word.eq_ignore_ascii_case("ARRAY"))?;
    if words[..start].iter().any(|word| *word != "(") {
        return None;
    }
    let list = words.get(start + 1)?.strip_prefix('[')?.strip_suffix(']')?;
    let mut depth = 1;
    let end = words.iter().position(|word| {
        depth += i32::from(*word == "(") - i32::from(*word == ")");
        depth == 0
    })?;
    Some((simplify_expr(list), end + 1))
}

/// Joins the words, with spaces where people write them.
fn join_words(words: &[String]) -> String {
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| words[at].as_str()).unwrap_or_default();
        let is_call = word == "(" && before.chars().all(char::is_alphanumeric) && before.to_uppercase() != before;
        let operator = |word: &str| word.chars().all(|c| "<>=!|".contains(c));
        let joined = [")", ",", "."].contains(&word.as_str())
            || ["(", "."].contains(&before)
            || is_call
            // One string that contains a quote.
            || (word.starts_with('\'') && before.ends_with('\''))
            || (operator(word) && operator(before));
        if at > 0 && !joined {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::simplify_expr;

    #[test]
    fn an_expression_of_the_catalogue_is_simplified() {
        let roles = "role::text = ANY (ARRAY['user'::character varying, 'premium'::character varying]::text[])";
        assert_eq!(simplify_expr(roles), "role IN ('user', 'premium')");
        let deep = "((status)::text = ANY ((ARRAY['a, b'::character varying, 'it''s'::character varying])::text[]))";
        assert_eq!(simplify_expr(deep), "((status) IN ('a, b', 'it''s'))");
        assert_eq!(simplify_expr("'user'::character varying"), "'user'");
        assert_eq!(simplify_expr("duration >= 0 AND lower(title) <> ''::text"), "duration >= 0 AND lower(title) <> ''");
        assert_eq!(simplify_expr("price > 0::numeric(5,2)"), "price > 0");
        assert_eq!(simplify_expr("(a IS NULL) OR b = 1.5"), "(a IS NULL) OR b = 1.5");
    }
}
