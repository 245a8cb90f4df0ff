//! How far to go: the words for it, and what they mean for a list of migrations.

use crate::{Error, Project};

/// The word for an up-to-date schema.
pub const HEAD: &str = "head";
/// The word for a database without any migration.
pub const BASE: &str = "base";

/// How far to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To the end: up to the newest migration, or down to an empty database.
    End,
    /// So many migrations.
    Steps(usize),
    /// Until this migration is the last one applied. The beginning of its name is enough when no other begins so.
    Name(String),
}

impl Target {
    /// `head`, `+2`, or a name.
    pub fn up(word: &str) -> Self {
        Self::read(word, HEAD, '+')
    }

    /// `base`, `-2`, or a name.
    pub fn down(word: &str) -> Self {
        Self::read(word, BASE, '-')
    }

    fn read(word: &str, end: &str, sign: char) -> Self {
        match word.strip_prefix(sign).and_then(|number| number.parse().ok()) {
            Some(steps) => Self::Steps(steps),
            None if word == end => Self::End,
            None => Self::Name(word.to_owned()),
        }
    }
}

/// The one migration whose name is `word`, or begins so.
pub(crate) fn named(word: &str, project: &Project) -> Result<String, Error> {
    let names = project.names();
    if names.iter().any(|name| name == word) {
        return Ok(word.to_owned());
    }
    let mut found: Vec<String> = names.into_iter().filter(|name| !word.is_empty() && name.starts_with(word)).collect();
    match (found.pop(), found.len()) {
        (Some(name), 0) => Ok(name),
        (Some(name), others) => Err(Error::AmbiguousTarget { word: word.to_owned(), one: name, others }),
        (None, _) => Err(Error::UnknownTarget(word.to_owned())),
    }
}

/// How many migrations a database at `word` has, counted from `from` when the word is `+N` or `-N`.
pub(crate) fn position(word: &str, from: usize, project: &Project) -> Result<usize, Error> {
    let all = project.names();
    let unknown = || Error::UnknownTarget(word.to_owned());
    let steps = word.get(1..).and_then(|number| number.parse::<usize>().ok());
    match (word, steps) {
        (HEAD, _) => Ok(all.len()),
        (BASE, _) => Ok(0),
        (_, Some(steps)) if word.starts_with('+') => {
            Some(from + steps).filter(|at| *at <= all.len()).ok_or_else(unknown)
        }
        (_, Some(steps)) if word.starts_with('-') => from.checked_sub(steps).ok_or_else(unknown),
        _ => {
            let name = named(word, project)?;
            all.iter().position(|known| *known == name).map(|at| at + 1).ok_or_else(unknown)
        }
    }
}
