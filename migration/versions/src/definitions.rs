//! Reads the parts of a `CREATE TABLE`, so that a rebuilt SQLite table can keep the parts that are not ours word by word:
//! the catalogue pragmas forget collations, checks and generated columns.

/// What a part of a table defines; two parts with the same key define the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A column, by its lower-case name.
    Column(String),
    /// The primary key of the table.
    Primary,
    /// A UNIQUE over these columns.
    Unique(Vec<String>),
    /// A FOREIGN KEY over these columns.
    Foreign(Vec<String>),
    /// A CHECK of the table, by its text.
    Check(String),
}

/// One part between the outer parentheses.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What it defines.
    pub key: Key,
    /// Word by word.
    pub text: String,
}

impl Definition {
    fn new(text: &str) -> Self {
        let words: Vec<&str> = tokens(text).filter(|token| !token.trim().is_empty()).collect();
        let named = words.first().is_some_and(|word| word.eq_ignore_ascii_case("CONSTRAINT"));
        let words = if named { words.get(2..).unwrap_or_default() } else { &words[..] };
        let first = words.first().copied().unwrap_or_default();
        let key = match first.to_ascii_uppercase().as_str() {
            "PRIMARY" => Key::Primary,
            "UNIQUE" => Key::Unique(columns(words)),
            "FOREIGN" => Key::Foreign(columns(words)),
            "CHECK" => Key::Check(words.concat()),
            _ => Key::Column(name(first)),
        };
        Self { key, text: text.to_owned() }
    }

    /// The CHECKs that stand within it.
    pub(crate) fn checks(&self) -> Vec<Key> {
        let bare = |condition: &str| tokens(condition).filter(|token| !token.trim().is_empty()).collect::<String>();
        let found = after_word(&self.text, "CHECK");
        found.iter().map(|(_, condition)| Key::Check(format!("CHECK({})", bare(condition)))).collect()
    }

    /// Whether it is a column rather than a constraint of the table.
    pub fn is_column(&self) -> bool {
        matches!(self.key, Key::Column(_))
    }
}

/// The parts of a `CREATE TABLE`, in their order, without comments.
pub fn definitions(create_table: &str) -> Vec<Definition> {
    let mut found = Vec::new();
    let mut part = String::new();
    let mut depth = 0;
    for token in tokens(create_table) {
        match token {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        match (depth, token) {
            // Inside, a parenthesis opens the second level at least: this is the one that opens the body.
            (1, "(") => part.clear(),
            (1, ",") => found.push(Definition::new(std::mem::take(&mut part).trim())),
            (0, ")") => {
                found.push(Definition::new(part.trim()));
                break;
            }
            _ if token.starts_with("--") || token.starts_with("/*") => part.push(' '),
            _ => part.push_str(token),
        }
    }
    found
}

/// The text between the parentheses that follow this word, for every time that it stands there, and the name that
/// `CONSTRAINT` gives it, if any.
pub fn after_word<'a>(sql: &'a str, word: &str) -> Vec<(Option<&'a str>, String)> {
    let tokens: Vec<&str> = tokens(sql).collect();
    let is_word = |at: &usize| !tokens[*at].trim().is_empty();
    let next = |at: usize| (at + 1..tokens.len()).find(is_word);
    let before = |at: usize| (0..at).rev().find(is_word);
    let is = |at: usize, word: &str| tokens[at].eq_ignore_ascii_case(word);
    let mut found = Vec::new();
    for at in (0..tokens.len()).filter(|at| is(*at, word)) {
        let Some(open) = next(at).filter(|open| tokens[*open] == "(") else { continue };
        let name = before(at).filter(|name| before(*name).is_some_and(|at| is(at, "CONSTRAINT")));
        let mut depth = 0;
        let inside = tokens[open..].iter().take_while(|token| {
            depth += i32::from(**token == "(") - i32::from(**token == ")");
            depth > 0
        });
        found.push((name.map(|at| tokens[at]), inside.skip(1).copied().collect::<String>().trim().to_owned()));
    }
    found
}

/// The names between the first parentheses.
fn columns(words: &[&str]) -> Vec<String> {
    let inside = words.iter().skip_while(|word| **word != "(").skip(1).take_while(|word| **word != ")");
    inside.filter(|word| **word != ",").map(|word| name(word)).collect()
}

/// A name without its quotes, in lower case, as SQLite compares names.
fn name(word: &str) -> String {
    word.trim_matches(['"', '`', '[', ']', '\'']).to_lowercase()
}

/// Quoted strings and names, comments, words, and single characters for all the rest.
pub fn tokens(sql: &str) -> impl Iterator<Item = &str> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end_after = |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
        let length = match first {
            '\'' | '"' | '`' => end_after(1, &first.to_string()),
            '[' => end_after(1, "]"),
            '-' if rest.starts_with("--") => end_after(2, "\n"),
            '/' if rest.starts_with("/*") => end_after(2, "*/"),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_table_are_told_apart_whatever_its_quotes_and_comments() {
        let sql = "CREATE TABLE \"odd, (name\" (\n id INTEGER PRIMARY KEY, -- SERIAL, elsewhere\n [user id] INT /* ) */ \
                   REFERENCES users(id), note TEXT DEFAULT 'it''s, (so)' CHECK (note <> ','),\n CONSTRAINT uq UNIQUE (id, note), \
                   FOREIGN KEY(\"note\") REFERENCES a (b), CHECK (id > 0))";
        let keys: Vec<Key> = definitions(sql).into_iter().map(|part| part.key).collect();
        let column = |name: &str| Key::Column(name.to_owned());
        assert_eq!(
            keys,
            [
                column("id"),
                column("user id"),
                column("note"),
                Key::Unique(vec!["id".to_owned(), "note".to_owned()]),
                Key::Foreign(vec!["note".to_owned()]),
                Key::Check("CHECK(id>0)".to_owned()),
            ]
        );
    }
    #[test]
    fn a_check_is_found_with_its_name_and_not_inside_of_a_string() {
        let found = after_word("\"a\" text DEFAULT 'CHECK (no)' CONSTRAINT odd check(a > (1)) CHECK (b)", "CHECK");
        assert_eq!(found, [(Some("odd"), "a > (1)".to_owned()), (None, "b".to_owned())]);
    }
}
