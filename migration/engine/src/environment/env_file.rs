//! Reads the `.env` file, strictly: no value is cut or changed silently.
//!
//! A value is bare, in single quotes (literal), or in double quotes (`\n`, `\"`, `\\`, `\$`).
//! `$NAME` and `${NAME}` outside of single quotes are replaced; the variable must be set. Other
//! programs read some values in another way, for example a bare value with a quote or with a `#` at
//! its start. This reader refuses such values. Messages name the line and the variable and never
//! contain a value.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Adds the variables of the `.env` file to the environment, if there is one in the working folder
/// or above it. Variables that are set already stay.
///
/// # Errors
/// The file cannot be read or parsed; one line with its path.
pub fn load() -> Result<(), String> {
    let Some(path) = find()? else { return Ok(()) };
    let named = |error: &str| format!("{}: {error}", path.display());
    let bytes =
        fs::read(&path).map_err(|error| named(&format!("cannot be read ({error}); correct it or move it away")))?;
    let text = String::from_utf8(bytes).map_err(|_| named("is not UTF-8 text; write it anew as UTF-8"))?;
    let variables = parse(&text, |name| std::env::var(name).ok()).map_err(|error| named(&error))?;
    // `std::env::set_var` is unsafe. dotenvy calls it, so this crate needs no unsafe code.
    dotenvy::from_read(canonical(&variables).as_bytes()).map_err(|_| named("cannot be taken into the environment"))
}

fn find() -> Result<Option<PathBuf>, String> {
    let folder = std::env::current_dir().map_err(|error| format!("the working folder cannot be found ({error})"))?;
    for folder in folder.ancestors() {
        let path = folder.join(".env");
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => return Ok(Some(path)),
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(format!("{}: cannot be read ({error}); correct it or move it away", path.display()));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The variables in a spelling that dotenvy reads without any change.
fn canonical(variables: &[(String, String)]) -> String {
    let line = |(name, value): &(String, String)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
        format!("{name}=\"{value}\"\n")
    };
    variables.iter().map(line).collect()
}

/// Names and values, in order. A `$NAME` is looked up in `environment` first, then in the lines
/// above.
fn parse(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut reader = Reader { text: &text, at: 0 };
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    while reader.skip_to_entry() {
        let start = reader.at;
        let (name, result) = reader.entry(|variable| {
            environment(variable).or_else(|| {
                let known = variables.iter().find(|(name, _)| name == variable);
                known.map(|(_, value)| value.clone())
            })
        });
        let value = result.map_err(|error| error.describe(&text, name.as_deref()))?;
        let name = name.unwrap_or_default();
        match variables.iter().find(|(known, _)| *known == name) {
            Some((_, known)) if *known != value => {
                let first = places.get(&name).copied().unwrap_or_default();
                let what = format!("line {first} gives it another value; keep one of the two lines");
                return Err(SyntaxError { at: start, what }.describe(&text, Some(&name)));
            }
            Some(_) => {}
            None => {
                places.insert(name.clone(), line_and_column(&text, start).0);
                variables.push((name, value));
            }
        }
    }
    Ok(variables)
}

/// A syntax error at an offset of the text.
struct SyntaxError {
    at: usize,
    what: String,
}

impl SyntaxError {
    fn describe(&self, text: &str, name: Option<&str>) -> String {
        let (line, column) = line_and_column(text, self.at);
        // A word that only looks like a name may be the second line of a key.
        let is_name = |name: &&str| {
            let has = |is: fn(&char) -> bool| name.chars().any(|c| is(&c));
            name.len() <= 32 && !(has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase))
        };
        let name = name.filter(is_name).map(|name| format!("{name}, ")).unwrap_or_default();
        format!("line {line}, {name}character {column}: {}", self.what)
    }
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

const QUOTE_IT: &str = "put the whole value in single quotes";

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error<T>(&self, what: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError { at: self.at, what: what.into() })
    }

    /// Takes the characters for which `fits` is true.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> String {
        let end = self.rest().find(|c| !fits(c)).unwrap_or(self.rest().len());
        let taken = self.rest()[..end].to_owned();
        self.at += end;
        taken
    }

    fn skip_spaces(&mut self) -> bool {
        !self.take(|c| c.is_whitespace() && c != '\n').is_empty()
    }

    /// Skips to the next line that is neither blank nor a comment.
    fn skip_to_entry(&mut self) -> bool {
        loop {
            self.take(char::is_whitespace);
            match self.peek() {
                Some('#') => _ = self.take(|c| c != '\n'),
                next => return next.is_some(),
            }
        }
    }

    /// Parses one variable: its name, if there is one, and its value.
    fn entry(&mut self, known: impl Fn(&str) -> Option<String>) -> (Option<String>, Result<String, SyntaxError>) {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let mut name = self.take(is_of_name);
        self.skip_spaces();
        if name == "export" && self.peek() != Some('=') {
            name = self.take(is_of_name);
            self.skip_spaces();
        }
        if self.peek() != Some('=') || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return (None, self.error("the line does not begin with NAME=; write NAME=value, or put a # before it"));
        }
        self.at += 1;
        let value = self.value(known);
        (Some(name), value)
    }

    fn value(&mut self, known: impl Fn(&str) -> Option<String>) -> Result<String, SyntaxError> {
        let spaced = self.skip_spaces();
        let value = match self.peek() {
            Some('\'') => self.single_quoted()?,
            Some('"') => self.double_quoted(&known)?,
            Some('#') if !spaced => {
                return self.error(format!(
                    "some readers take a value that begins with # as a comment; {QUOTE_IT}, or put a space before it"
                ));
            }
            Some('#') => String::new(),
            _ => self.bare(&known)?,
        };
        if value.contains('\0') {
            return self.error("no variable can hold a NUL");
        }
        let spaced = self.skip_spaces();
        match self.peek() {
            None | Some('\n') => {}
            Some('#') if spaced || value.is_empty() => _ = self.take(|c| c != '\n'),
            _ if spaced => return self.error(format!("a value with spaces needs quotes; {QUOTE_IT}")),
            _ => {
                return self.error("there is text after the closing quote; remove it, or quote the whole value");
            }
        }
        Ok(value)
    }

    fn single_quoted(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let value = self.take(|c| c != '\'');
        self.close(start, '\'').map(|()| value)
    }

    fn double_quoted(&mut self, known: &impl Fn(&str) -> Option<String>) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        loop {
            value += &self.take(|c| !matches!(c, '"' | '\\' | '$'));
            match self.peek() {
                Some('$') => value += &self.substituted(known)?,
                Some('\\') => value.push(self.escaped()?),
                _ => return self.close(start, '"').map(|()| value),
            }
        }
    }

    fn bare(&mut self, known: &impl Fn(&str) -> Option<String>) -> Result<String, SyntaxError> {
        let mut value = String::new();
        loop {
            value += &self.take(|c| !matches!(c, '"' | '\'' | '\\' | '$') && !c.is_whitespace());
            match self.peek() {
                Some('$') => value += &self.substituted(known)?,
                Some('\\') => value.push(self.escaped()?),
                Some('\'') => return self.error("there is a quote in the value; put the whole value in double quotes"),
                Some('"') => return self.error(format!("there is a quote in the value; {QUOTE_IT}")),
                _ => return Ok(value),
            }
        }
    }

    fn close(&mut self, start: usize, quote: char) -> Result<(), SyntaxError> {
        if self.peek() != Some(quote) {
            self.at = start;
            return self.error("the quote that begins here is not closed; close it, or use the other kind of quotes");
        }
        self.at += 1;
        Ok(())
    }

    fn escaped(&mut self) -> Result<char, SyntaxError> {
        let escaped = match self.rest().chars().nth(1) {
            Some('n') => '\n',
            Some(c @ ('\\' | '"' | '\'' | '$' | ' ' | '#')) => c,
            _ => return self.error(format!("\\ begins an unknown escape; {QUOTE_IT}, or write \\\\")),
        };
        self.at += 2;
        Ok(escaped)
    }

    /// The value of `$NAME` or `${NAME}`. An error does not show the name: it may be part of a
    /// password.
    fn substituted(&mut self, known: &impl Fn(&str) -> Option<String>) -> Result<String, SyntaxError> {
        let after = &self.rest()[1..];
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, length) = match after.strip_prefix('{') {
            Some(inside) => {
                // If the `}` is missing, the name is empty, and the code below returns an error.
                let name = inside.split_once('}').map_or("", |(name, _)| name);
                (name, name.len() + 3)
            }
            None => {
                let end = after.find(|c| !is_of_name(c)).unwrap_or(after.len());
                (&after[..end], end + 1)
            }
        };
        let is_name = name.starts_with(|c: char| !c.is_ascii_digit()) && name.chars().all(is_of_name);
        let Some(value) = Some(name).filter(|_| is_name).and_then(known) else {
            return self.error(format!("after this $ there is no variable that is set; {QUOTE_IT}, or write \\$"));
        };
        self.at = (self.at + length).min(self.text.len());
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
