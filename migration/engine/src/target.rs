//! The target of a run: how it is written, and which migration it names.

use crate::{Error, Project};

/// The newest migration.
pub const HEAD: &str = "head";
/// A database without any migration.
pub const BASE: &str = "base";

/// How far to upgrade or downgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To the end: up to the newest migration, or down to a database without any.
    End,
    /// This number of migrations.
    Steps(usize),
    /// Until this migration is the last one applied. A unique prefix of its name is enough.
    Name(String),
}

impl Target {
    /// Parses the target of an upgrade: `head`, `+2`, or a name.
    pub fn up(word: &str) -> Self {
        Self::parse(word, HEAD, '+')
    }

    /// Parses the target of a downgrade: `base`, `-2`, or a name.
    pub fn down(word: &str) -> Self {
        Self::parse(word, BASE, '-')
    }

    fn parse(word: &str, end: &str, sign: char) -> Self {
        match word.strip_prefix(sign).and_then(|number| number.parse().ok()) {
            Some(steps) => Self::Steps(steps),
            None if word == end => Self::End,
            None => Self::Name(word.to_owned()),
        }
    }
}

/// The name of the one migration that is called `word` or begins with it.
pub(crate) fn resolve_name(word: &str, project: &Project) -> Result<String, Error> {
    let names = project.names();
    if names.iter().any(|name| name == word) {
        return Ok(word.to_owned());
    }
    let mut matches: Vec<String> =
        names.into_iter().filter(|name| !word.is_empty() && name.starts_with(word)).collect();
    match (matches.pop(), matches.len()) {
        (Some(name), 0) => Ok(name),
        (Some(name), others) => Err(Error::AmbiguousTarget { word: word.to_owned(), one: name, others }),
        (None, _) => Err(Error::UnknownTarget(word.to_owned())),
    }
}

/// How many migrations a database at `word` has. `+N` and `-N` count from `from`.
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
            let name = resolve_name(word, project)?;
            all.iter().position(|known| *known == name).map(|at| at + 1).ok_or_else(unknown)
        }
    }
}
