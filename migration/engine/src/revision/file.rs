//! Where the next migration stands, under which name, and how it is listed.

use crate::error::RevisionRefusal as Refusal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// A migration that is to be written.
pub(super) struct File {
    pub(super) name: String,
    dir: PathBuf,
    list: String,
}

impl File {
    /// The next one after those that the folder lists.
    pub(super) fn next(message: &str, dir: &Path, now: SystemTime) -> Result<Self, Refusal> {
        let dir = dir.to_owned();
        let Ok(list) = std::fs::read_to_string(dir.join(LIST)) else { return Err(Refusal::NoSources(dir)) };
        let words = words(message);
        if words.is_empty() {
            return Err(Refusal::Nameless);
        }
        let today = sea_orm::prelude::DateTimeUtc::from(now).format("%Y%m%d").to_string();
        let Some(last) = modules(&list).max() else { return Err(Refusal::NoList(dir.join(LIST))) };
        Ok(Self { name: format!("m{}_{words}", number_after(last, &today)), list, dir })
    }

    /// Writes it and lists it.
    pub(super) fn write(&self, text: &str) -> Result<Vec<PathBuf>, Refusal> {
        let list = self.dir.join(LIST);
        let Some(listed) = listed(&self.list, &self.name) else { return Err(Refusal::NoList(list)) };
        let path = self.dir.join(format!("{}.rs", self.name));
        for (path, text) in [(&path, formatted(text, &self.dir)), (&list, listed)] {
            std::fs::write(path, text).map_err(|source| Refusal::File { path: path.clone(), source })?;
        }
        Ok(vec![path, list])
    }
}

const LIST: &str = "lib.rs";

/// The words of a sentence as the end of a name.
fn words(message: &str) -> String {
    let plain = message.to_lowercase().replace(['\'', '’'], "");
    let words: Vec<&str> = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("_").chars().take(60).collect::<String>().trim_end_matches('_').to_owned()
}

/// The migrations of the list, in its order.
fn modules(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(module)
}

/// The name in `mod m20261101_000001_…;`.
fn module(line: &str) -> Option<&str> {
    let name = line.trim().strip_suffix(';')?.rsplit_once("mod ")?.1;
    name.strip_prefix('m').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).map(|_| name)
}

/// Date and number of the first free place after the last migration, whatever its date.
fn number_after(last: &str, today: &str) -> String {
    let mut parts = last[1..].split('_');
    let (date, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match number.parse::<u32>() {
        Ok(number) if date >= today => format!("{date}_{:06}", number + 1),
        _ => format!("{today}_000001"),
    }
}

/// The list with the new migration after the last one: a `mod` line and an entry of the vec.
fn listed(list: &str, name: &str) -> Option<String> {
    let last = modules(list).max()?;
    let entry = format!("{last}::Migration");
    let mut lines = Vec::new();
    let mut added = 0;
    for line in list.lines() {
        lines.push(line.to_owned());
        if module(line) == Some(last) || line.contains(&entry) {
            lines.push(line.replace(last, name));
            added += 1;
        }
    }
    (added == 2).then(|| lines.join("\n") + "\n")
}

/// As rustfmt has it, when there is one; it finds the settings of the folder.
fn formatted(text: &str, dir: &Path) -> String {
    let run = || -> std::io::Result<Option<String>> {
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.args(["--edition", "2024"]).current_dir(dir);
        let mut child = rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            std::io::Write::write_all(&mut input, text.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    run().ok().flatten().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "mod shape;\n\nmod m20250101_000001_one;\nmod m20261101_000002_two;\n\nfn all() {\n    vec![\n        \
        Box::new(m20250101_000001_one::Migration),\n        Box::new(m20261101_000002_two::Migration),\n    ]\n}\n";

    #[test]
    fn the_next_migration_stands_behind_the_last_one_whatever_the_date() {
        assert_eq!(number_after("m20261101_000007_create", "20261120"), "20261120_000001");
        assert_eq!(number_after("m20261120_000007_create", "20261120"), "20261120_000008");
        assert_eq!(number_after("m20991231_000009_create", "20261120"), "20991231_000010");
    }

    #[test]
    fn a_message_names_the_file() {
        assert_eq!(words("Add the user's  nick-name!"), "add_the_users_nick_name");
        assert_eq!(words("…"), "");
    }

    #[test]
    fn it_is_listed_twice_behind_the_last_one() {
        let listed = listed(LISTED, "m20261120_000001_three").unwrap();
        assert!(listed.contains("mod m20261101_000002_two;\nmod m20261120_000001_three;\n\nfn"), "{listed}");
        let entries = "        Box::new(m20261101_000002_two::Migration),\n        Box::new(m20261120_000001_three::Migration),\n    ]";
        assert!(listed.contains(entries), "{listed}");
    }
}
