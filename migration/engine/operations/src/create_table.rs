//! Parses a `CREATE TABLE` statement of SQLite into its columns and constraints.
//!
//! The catalogue pragmas of SQLite do not return collations, checks and the expressions of
//! generated columns. A rebuild copies such parts from the text of the statement, unchanged.

/// What a definition defines. Two definitions with the same subject define the same column or
/// constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionSubject {
    /// A column, by its lower-case name.
    Column(String),
    /// The primary key of the table.
    PrimaryKey,
    /// A UNIQUE constraint over these columns.
    Unique(Vec<String>),
    /// A FOREIGN KEY constraint over these columns.
    ForeignKey(Vec<String>),
    /// A CHECK constraint of the table, by its text without spaces.
    Check(String),
}

/// A column or a constraint, as the statement defines it.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The column or constraint that is defined.
    pub subject: DefinitionSubject,
    /// The SQL of the definition, unchanged.
    pub text: String,
}

impl Definition {
    fn new(text: &str) -> Self {
        let words: Vec<&str> = tokens(text).filter(|token| !token.trim().is_empty()).collect();
        let named = words.first().is_some_and(|word| word.eq_ignore_ascii_case("CONSTRAINT"));
        let words = if named { words.get(2..).unwrap_or_default() } else { &words[..] };
        let first = words.first().copied().unwrap_or_default();
        let subject = match first.to_ascii_uppercase().as_str() {
            "PRIMARY" => DefinitionSubject::PrimaryKey,
            "UNIQUE" => DefinitionSubject::Unique(columns(words)),
            "FOREIGN" => DefinitionSubject::ForeignKey(columns(words)),
            "CHECK" => DefinitionSubject::Check(words.concat()),
            _ => DefinitionSubject::Column(name(first)),
        };
        Self { subject, text: text.to_owned() }
    }

    /// The CHECK constraints inside this definition, for example those of a column.
    pub(crate) fn checks(&self) -> Vec<DefinitionSubject> {
        let without_spaces = |sql: &str| tokens(sql).filter(|token| !token.trim().is_empty()).collect::<String>();
        let clauses = parenthesized_clauses(&self.text, "CHECK");
        clauses.iter().map(|(_, sql)| DefinitionSubject::Check(format!("CHECK({})", without_spaces(sql)))).collect()
    }

    /// Whether it defines a column, not a constraint of the table.
    pub fn is_column(&self) -> bool {
        matches!(self.subject, DefinitionSubject::Column(_))
    }
}

/// The definitions between the outer parentheses, in their order, without comments.
pub fn definitions(create_table: &str) -> Vec<Definition> {
    let mut all = Vec::new();
    let mut text = String::new();
    let mut depth = 0;
    for token in tokens(create_table) {
        match token {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        match (depth, token) {
            // This parenthesis opens the list of definitions: those inside of it have a depth of 2
            // or more.
            (1, "(") => text.clear(),
            (1, ",") => all.push(Definition::new(std::mem::take(&mut text).trim())),
            (0, ")") => {
                all.push(Definition::new(text.trim()));
                break;
            }
            _ if token.starts_with("--") || token.starts_with("/*") => text.push(' '),
            _ => text.push_str(token),
        }
    }
    all
}

/// Every clause `keyword (…)` of the SQL: its name after `CONSTRAINT`, if it has one, and the text
/// between its parentheses.
pub fn parenthesized_clauses<'a>(sql: &'a str, keyword: &str) -> Vec<(Option<&'a str>, String)> {
    let tokens: Vec<&str> = tokens(sql).collect();
    let is_word = |at: &usize| !tokens[*at].trim().is_empty();
    let next = |at: usize| (at + 1..tokens.len()).find(is_word);
    let before = |at: usize| (0..at).rev().find(is_word);
    let is = |at: usize, word: &str| tokens[at].eq_ignore_ascii_case(word);
    let mut clauses = Vec::new();
    for at in (0..tokens.len()).filter(|at| is(*at, keyword)) {
        let Some(open) = next(at).filter(|open| tokens[*open] == "(") else { continue };
        let name = before(at).filter(|name| before(*name).is_some_and(|at| is(at, "CONSTRAINT")));
        let mut depth = 0;
        let inside = tokens[open..].iter().take_while(|token| {
            depth += i32::from(**token == "(") - i32::from(**token == ")");
            depth > 0
        });
        clauses.push((name.map(|at| tokens[at]), inside.skip(1).copied().collect::<String>().trim().to_owned()));
    }
    clauses
}

/// The column names between the first parentheses.
fn columns(words: &[&str]) -> Vec<String> {
    let inside = words.iter().skip_while(|word| **word != "(").skip(1).take_while(|word| **word != ")");
    inside.filter(|word| **word != ",").map(|word| name(word)).collect()
}

/// The name without quotes and in lower case: SQLite ignores the case of names.
fn name(word: &str) -> String {
    word.trim_matches(['"', '`', '[', ']', '\'']).to_lowercase()
}

/// Splits SQL into tokens: quoted strings and names, comments, words, and single characters for
/// everything else. Joined together, the tokens are the SQL again.
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
    fn definitions_are_split_despite_quotes_and_comments() {
        let sql = "CREATE TABLE \"odd, (name\" (\n id INTEGER PRIMARY KEY, -- SERIAL, elsewhere\n [user id] INT /* ) */ \
                   REFERENCES users(id), note TEXT DEFAULT 'it''s, (so)' CHECK (note <> ','),\n CONSTRAINT uq UNIQUE (id, note), \
                   FOREIGN KEY(\"note\") REFERENCES a (b), CHECK (id > 0))";
        let subjects: Vec<DefinitionSubject> =
            definitions(sql).into_iter().map(|definition| definition.subject).collect();
        let column = |name: &str| DefinitionSubject::Column(name.to_owned());
        assert_eq!(
            subjects,
            [
                column("id"),
                column("user id"),
                column("note"),
                DefinitionSubject::Unique(vec!["id".to_owned(), "note".to_owned()]),
                DefinitionSubject::ForeignKey(vec!["note".to_owned()]),
                DefinitionSubject::Check("CHECK(id>0)".to_owned()),
            ]
        );
    }

    #[test]
    fn a_check_clause_has_its_name_and_a_string_is_no_clause() {
        let clauses =
            parenthesized_clauses("\"a\" text DEFAULT 'CHECK (no)' CONSTRAINT odd check(a > (1)) CHECK (b)", "CHECK");
        assert_eq!(clauses, [(Some("odd"), "a > (1)".to_owned()), (None, "b".to_owned())]);
    }
}
