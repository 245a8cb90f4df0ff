//! Expressions as PostgreSQL's catalogue shows them, in words that people write and that SQLite understands too.

use super::words;

/// What PostgreSQL makes of an expression, without its casts and with `IN` for its `= ANY`.
pub(crate) fn plain(expression: &str) -> String {
    let words: Vec<&str> = words(expression).collect();
    let mut told: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match words[at..] {
            [":", ":", ..] => {
                at += 2 + cast_length(&words[at + 2..]);
                continue;
            }
            ["=", any, "(", ref rest @ ..] if any.eq_ignore_ascii_case("ANY") => {
                if let Some((list, length)) = array(rest) {
                    told.push(format!("IN ({list})"));
                    at += 3 + length;
                    continue;
                }
                told.push("=".to_owned());
            }
            [word, ..] => told.push(word.to_owned()),
            [] => {}
        }
        at += 1;
    }
    spaced(&told)
}

/// How many words the type of a cast has: `character varying`, `timestamp with time zone`, `numeric(5,2)[]`.
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
    // `[]` is one word to the reader of SQLite's quotes.
    length + usize::from(words.get(length).is_some_and(|word| word.starts_with('[')))
}

/// The list of `ARRAY['a'::text, 'b'::text]::text[])` or of the same in further parentheses, and how many words that is.
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
    Some((plain(list), end + 1))
}

fn spaced(words: &[String]) -> String {
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| words[at].as_str()).unwrap_or_default();
        let is_call = word == "(" && before.chars().all(char::is_alphanumeric) && before.to_uppercase() != before;
        let operator = |word: &str| word.chars().all(|c| "<>=!|".contains(c));
        let joined = [")", ",", "."].contains(&word.as_str())
            || ["(", "."].contains(&before)
            || is_call
            // One string with a quote in it.
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
    use super::plain;

    #[test]
    fn what_postgresql_makes_of_an_expression_is_plain_again() {
        let roles = "role::text = ANY (ARRAY['user'::character varying, 'premium'::character varying]::text[])";
        assert_eq!(plain(roles), "role IN ('user', 'premium')");
        let deep = "((status)::text = ANY ((ARRAY['a, b'::character varying, 'it''s'::character varying])::text[]))";
        assert_eq!(plain(deep), "((status) IN ('a, b', 'it''s'))");
        assert_eq!(plain("'user'::character varying"), "'user'");
        assert_eq!(plain("duration >= 0 AND lower(title) <> ''::text"), "duration >= 0 AND lower(title) <> ''");
        assert_eq!(plain("price > 0::numeric(5,2)"), "price > 0");
        assert_eq!(plain("(a IS NULL) OR b = 1.5"), "(a IS NULL) OR b = 1.5");
    }
}
