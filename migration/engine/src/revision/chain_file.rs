//! The file that lists a project's migrations: a `mod` line and an entry of a `vec!` for each.

use crate::error::RevisionRefusal;
use std::fs;
use std::path::{Path, PathBuf};

/// The names that the file may have, the first that exists counts.
const NAMES: [&str; 3] = ["lib.rs", "mod.rs", "main.rs"];

/// The file that lists the migrations.
pub(super) struct ChainFile {
    pub(super) path: PathBuf,
    text: String,
}

impl ChainFile {
    /// Reads the file in this folder.
    pub(super) fn read(dir: &Path) -> Result<Self, RevisionRefusal> {
        let first =
            NAMES.iter().map(|name| dir.join(name)).find_map(|path| Some((fs::read_to_string(&path).ok()?, path)));
        let (text, path) = first.ok_or_else(|| RevisionRefusal::NoSources(dir.to_owned()))?;
        let file = Self { path, text };
        // An empty list is that of a new project.
        if file.last().is_none() && !file.text.contains("vec![]") {
            return Err(RevisionRefusal::NoList(file.path));
        }
        Ok(file)
    }

    /// The module of the newest migration.
    pub(super) fn last(&self) -> Option<&str> {
        self.text.lines().filter_map(migration).max()
    }

    /// The text with one more migration after the newest one.
    pub(super) fn with(&self, name: &str) -> Option<String> {
        let Some(last) = self.last() else {
            let list = self.text.replacen("vec![]", &format!("vec![Box::new({name}::Migration)]"), 1);
            return Some(with_module(&list, name));
        };
        let entry = format!("Box::new({last}::Migration)");
        let mut lines = Vec::new();
        let mut added = 0;
        for line in self.text.lines() {
            if migration(line) == Some(last) || line.trim().starts_with(&entry) {
                lines.extend([line.to_owned(), line.replace(last, name)]);
            } else if line.contains(&entry) {
                lines.push(line.replace(&entry, &format!("{entry}, Box::new({name}::Migration)")));
            } else {
                lines.push(line.to_owned());
                continue;
            }
            added += 1;
        }
        (added == 2).then(|| lines.join("\n") + "\n")
    }
}

/// The name in `mod m20261101_000001_…;`.
fn migration(line: &str) -> Option<&str> {
    let name = line.trim().strip_suffix(';')?.rsplit_once("mod ")?.1;
    name.strip_prefix('m').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).map(|_| name)
}

/// The text with a `mod` line after the others, or before the first line of code.
fn with_module(text: &str, name: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_module = |line: &&str| line.ends_with(';') && (line.starts_with("mod ") || line.contains(" mod "));
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//!") && !line.starts_with("#![");
    let module = format!("mod {name};");
    let (at, new) = match lines.iter().rposition(is_module) {
        Some(last) => (last + 1, vec![module.as_str()]),
        None => (lines.iter().position(is_code).unwrap_or(lines.len()), vec![module.as_str(), ""]),
    };
    let (before, after) = lines.split_at(at);
    [before, &new, after].concat().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, name: &str) -> String {
        ChainFile { path: PathBuf::new(), text: text.to_owned() }.with(name).unwrap()
    }

    #[test]
    fn a_migration_is_listed_twice_after_the_newest_one() {
        let text = "mod other;\n\nmod m20250101_000001_one;\nmod m20261101_000002_two;\n\nfn all() {\n    vec![\n        \
            Box::new(m20250101_000001_one::Migration),\n        Box::new(m20261101_000002_two::Migration),\n    ]\n}\n";
        let listed = with(text, "m20261120_000001_three");
        assert!(listed.contains("mod m20261101_000002_two;\nmod m20261120_000001_three;\n\nfn"), "{listed}");
        let entries = "        Box::new(m20261101_000002_two::Migration),\n        Box::new(m20261120_000001_three::Migration),\n    ]";
        assert!(listed.contains(entries), "{listed}");
    }

    #[test]
    fn the_list_of_a_new_project_is_empty() {
        let first = with("//! The chain.\n\nuse a::b;\n\nfn all() -> X {\n    vec![]\n}\n", "m1_one");
        assert_eq!(
            first,
            "//! The chain.\n\nmod m1_one;\n\nuse a::b;\n\nfn all() -> X {\n    vec![Box::new(m1_one::Migration)]\n}\n"
        );
        let second = with(&first, "m2_two");
        assert!(second.contains("mod m1_one;\nmod m2_two;\n\nuse"), "{second}");
        assert!(second.contains("vec![Box::new(m1_one::Migration), Box::new(m2_two::Migration)]"), "{second}");
    }
}
