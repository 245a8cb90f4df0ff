//! The file of the next migration: its name, its folder, and its entry in the list of migrations.

use super::chain_file::ChainFile;
use crate::error::RevisionRefusal as Refusal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// The file of a migration that is about to be written.
pub(super) struct MigrationFile {
    pub(super) name: String,
    dir: PathBuf,
    chain: ChainFile,
}

impl MigrationFile {
    /// The file after those in the list of the folder.
    pub(super) fn next(message: &str, dir: &Path, now: SystemTime) -> Result<Self, Refusal> {
        let chain = ChainFile::read(dir)?;
        let words = snake_case(message);
        if words.is_empty() {
            return Err(Refusal::Nameless);
        }
        let today = sea_orm::prelude::DateTimeUtc::from(now).format("%Y%m%d").to_string();
        let number = chain.last().map_or(format!("{today}_000001"), |last| number_after(last, &today));
        Ok(Self { name: format!("m{number}_{words}"), chain, dir: dir.to_owned() })
    }

    /// Writes the file and adds it to the list.
    pub(super) fn write(&self, text: &str) -> Result<Vec<PathBuf>, Refusal> {
        let list = self.chain.path.clone();
        let Some(listed) = self.chain.with(&self.name) else { return Err(Refusal::NoList(list)) };
        let path = self.dir.join(format!("{}.rs", self.name));
        for (path, text) in [(&path, text), (&list, &listed)] {
            std::fs::write(path, rustfmt(text, &self.dir))
                .map_err(|source| Refusal::File { path: path.clone(), source })?;
        }
        Ok(vec![path, list])
    }
}

/// A sentence as the end of a name: `Add the nickname` is `add_the_nickname`. At most 60
/// characters.
fn snake_case(message: &str) -> String {
    let letters = message.to_lowercase().replace(['\'', '’'], "");
    let words: Vec<&str> =
        letters.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("_").chars().take(60).collect::<String>().trim_end_matches('_').to_owned()
}

/// The date and number after those of the last migration. If its date is in the future, the new one
/// has that date too.
fn number_after(last: &str, today: &str) -> String {
    let mut parts = last[1..].split('_');
    let (date, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match number.parse::<u32>() {
        Ok(number) if date >= today => format!("{date}_{:06}", number + 1),
        _ => format!("{today}_000001"),
    }
}

/// The text as rustfmt formats it with the settings of the folder; unchanged if there is no
/// rustfmt.
fn rustfmt(text: &str, dir: &Path) -> String {
    let run = || -> std::io::Result<Option<String>> {
        let mut command = Command::new("rustfmt");
        command.args(["--edition", "2024"]).current_dir(dir);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
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

    #[test]
    fn the_next_migration_comes_after_the_last_one_whatever_the_date() {
        assert_eq!(number_after("m20261101_000007_create", "20261120"), "20261120_000001");
        assert_eq!(number_after("m20261120_000007_create", "20261120"), "20261120_000008");
        assert_eq!(number_after("m20991231_000009_create", "20261120"), "20991231_000010");
    }

    #[test]
    fn the_message_is_the_name_of_the_file() {
        assert_eq!(snake_case("Add the user's  nick-name!"), "add_the_users_nick_name");
        assert_eq!(snake_case("…"), "");
    }
}
