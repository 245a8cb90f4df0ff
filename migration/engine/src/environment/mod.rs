//! What a program reads from its environment: the `.env` file, secret files, addresses of databases
//! in the spelling of sqlx and of SQLAlchemy, and `~`.

mod database_url;
mod env_file;
mod home;
mod postgres_url;
mod resolve;
mod sqlite_url;

pub use database_url::DatabaseUrl;
pub use env_file::load;
pub use home::expand_home;
pub use resolve::{redacted, resolve};

use std::fs::File;
use std::io::Read;

/// Larger than any key or address; it stops the endless output of a device such as /dev/zero.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Modules of SeaORM that log the address of the database, with its password, at the level `trace`.
const MODULES_THAT_LOG_URLS: [&str; 3] =
    ["sea_orm::driver", "sea_orm::driver::sqlx_postgres", "sea_orm::driver::sqlx_sqlite"];

/// Keeps the password of the database out of the log. Call it after the filters are parsed: it
/// overrides them.
pub fn keep_passwords_out(log: &mut env_logger::Builder) -> &mut env_logger::Builder {
    MODULES_THAT_LOG_URLS.iter().fold(log, |log, module| log.filter_module(module, log::LevelFilter::Debug))
}

/// The value of the variable `name`, or the content of the file that the variable `name_FILE`
/// names, as Docker and Kubernetes provide secrets.
///
/// # Errors
/// Both are set, or the file cannot be read; one line that never holds the value.
pub fn value_or_file(
    name: &str,
    look_up: impl Fn(&str) -> Result<Option<String>, String>,
) -> Result<Option<String>, String> {
    let file_variable = format!("{name}_FILE");
    match (look_up(name)?, look_up(&file_variable)?) {
        (Some(_), Some(_)) => Err(format!("{name} and {file_variable} are both set; set one of them")),
        (value, None) => Ok(value),
        (None, Some(path)) => read_secret(&path).map(Some).map_err(|error| {
            // A value that is not a path may be the secret itself, in the wrong variable.
            let shown = if path.starts_with(['/', '.', '~']) { format!("={path}") } else { String::new() };
            format!("{file_variable}{shown}: {error}")
        }),
    }
}

/// The text of the file without the newline that editors and `echo` put at its end.
fn read_secret(path: &str) -> Result<String, String> {
    let failed =
        |error: std::io::Error| format!("the file cannot be read ({error}); name a file that this user may read");
    let file = File::open(expand_home(path)?).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("the file is larger than {MAX_FILE_BYTES} bytes; name one that holds the value alone"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text; write the value as text")?;
    let value = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err("the file is empty; write the value into it".to_owned());
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        value_or_file("KEY", |name| {
            Ok(variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn a_secret_comes_from_its_variable_or_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let file = path.to_str().unwrap();
        assert_eq!(secret(&[]), Ok(None));
        assert_eq!(secret(&[("KEY", "value\n")]), Ok(Some("value\n".to_owned())));
        for text in ["sea shell ", "sea shell \n", "\u{feff}sea shell \r\n"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(secret(&[("KEY_FILE", file)]), Ok(Some("sea shell ".to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_secret_file_that_cannot_be_used_is_named_and_its_content_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("empty"), "\n").unwrap();
        std::fs::write(path("bytes"), b"hunter2\xff").unwrap();
        for (file, part) in [
            (path("none"), "none: the file cannot be read (No such file"),
            (path(""), "cannot be read (Is a directory"),
            (path("empty"), "the file is empty"),
            (path("bytes"), "not UTF-8"),
            ("/dev/zero".to_owned(), "larger than 65536 bytes"),
            ("hunter2hunter2".to_owned(), "KEY_FILE: the file cannot be read"),
        ] {
            let error = secret(&[("KEY_FILE", &file)]).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2") && !error.contains('\n'), "{error}");
        }
        let both = secret(&[("KEY", "hunter2"), ("KEY_FILE", &path("empty"))]).unwrap_err();
        assert_eq!(both, "KEY and KEY_FILE are both set; set one of them");
    }
}
