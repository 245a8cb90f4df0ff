//! Addresses of SQLite files.
//!
//! For sqlx, `sqlite:///var/x.db` is the file `/var/x.db`; for SQLAlchemy it is `var/x.db` in the
//! working folder. Settings contain both, so the existing file or folder decides. If that is not
//! clear, nothing is opened.

use super::database_url::DatabaseUrl;
use super::expand_home;
use std::path::{Path, PathBuf};
use url::form_urlencoded;

/// Parameters of Python's drivers that need no counterpart here.
const IGNORED: [&str; 10] = [
    "autocommit",
    "cached_statements",
    "charset",
    "check_same_thread",
    "detect_types",
    "factory",
    "isolation_level",
    "native_datetime",
    "timeout",
    "uri",
];

/// Parses what follows `sqlite:` in the spelling of sqlx or SQLAlchemy. With a driver it is the
/// latter.
pub(super) fn resolve(rest: &str, names_driver: bool) -> Result<DatabaseUrl, String> {
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut notes = Vec::new();
    // SQLAlchemy does not decode %.
    let decoded = if names_driver { path.to_owned() } else { decode(path)? };
    let file = file(&decoded, names_driver, &mut notes)?;
    let query = query.and_then(parameters).map(|query| format!("?{query}")).unwrap_or_default();
    let url = match file {
        Some(file) => format!("sqlite://{}{query}", encode(&file)?),
        None => format!("sqlite:{path}{query}"),
    };
    Ok(DatabaseUrl { url, notes })
}

/// The file of the path; `None` if sqlx can read the path unchanged.
fn file(path: &str, names_driver: bool, notes: &mut Vec<String>) -> Result<Option<PathBuf>, String> {
    let body = path.strip_prefix("//").unwrap_or(path);
    let inner = body.strip_prefix('/').filter(|_| path.starts_with("///"));
    let body = inner.unwrap_or(body);
    if body == ":memory:" || (body.is_empty() && names_driver) {
        return Err(
            "the database lives in memory only and would be gone with the process; write sqlite://FILE".to_owned()
        );
    }
    if body.starts_with("file:") {
        return Err("a file: address is not understood; write sqlite://FILE".to_owned());
    }
    if body.starts_with('~') {
        return expand_home(body).map(Some);
    }
    let Some(inner) = inner else { return Ok(names_driver.then(|| PathBuf::from(body))) };
    if inner.is_empty() {
        return Err("it names no file; write sqlite://FILE".to_owned());
    }
    if inner.starts_with('/') {
        return Ok(Some(Path::new("/").join(inner.trim_start_matches('/'))));
    }
    let (relative, absolute) = (PathBuf::from(inner), Path::new("/").join(inner));
    if is_same(&relative, &absolute) {
        return Ok(Some(absolute));
    }
    if names_driver {
        return Ok(Some(relative));
    }
    if inner.starts_with("./") || inner.starts_with("../") {
        return match exists(&absolute) && !exists(&relative) {
            true => Err(format!(
                "an earlier release took this for {}, which exists, and {inner} does not; move the file, or write \
                 sqlite:///{}",
                normalize(&absolute),
                normalize(&absolute)
            )),
            false => Ok(Some(relative)),
        };
    }
    three_slashes(relative, absolute, notes).map(Some)
}

/// Chooses between the two meanings of `sqlite:///x`. The path whose file exists is right.
/// If no file exists, the path whose folder exists is right. If both exist, it returns an error.
fn three_slashes(relative: PathBuf, absolute: PathBuf, notes: &mut Vec<String>) -> Result<PathBuf, String> {
    let (shown, full) = (relative.display().to_string(), absolute.display().to_string());
    let unclear = |what: &str| {
        Err(format!(
            "it may mean {shown} in the working folder or {full}, and {what}; write sqlite:///./{shown} or sqlite:///{full}"
        ))
    };
    let has_folder = |file: &Path| file.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir());
    let is_absolute = match (exists(&relative), exists(&absolute)) {
        (true, true) => return unclear("both files exist"),
        (true, false) => false,
        (false, true) => true,
        // A database in the root folder is unlikely.
        (false, false) if !shown.contains('/') => false,
        (false, false) => match (has_folder(&relative), has_folder(&absolute)) {
            (true, true) => return unclear("both folders exist"),
            (false, is_absolute) => is_absolute,
            (true, false) => false,
        },
    };
    if is_absolute {
        notes.push(format!(
            "sqlite:///{shown} is taken for {full}; write sqlite:///{full}, with four slashes, for an absolute path"
        ));
        return Ok(absolute);
    }
    Ok(relative)
}

/// Whether the file exists. If this user may not look into its folder, it counts as existing, so
/// that no new file is created elsewhere.
fn exists(file: &Path) -> bool {
    file.try_exists().unwrap_or(true)
}

/// Whether both paths are the same file, as in the working folder `/`.
fn is_same(relative: &Path, absolute: &Path) -> bool {
    let folder = |file: &Path| {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.canonicalize().ok()
    };
    folder(relative).is_some_and(|found| folder(absolute) == Some(found))
}

/// The path without `.` components.
fn normalize(path: &Path) -> String {
    path.components().collect::<PathBuf>().display().to_string()
}

/// The parameters for sqlx.
fn parameters(query: &str) -> Option<String> {
    let is_ours = |part: &&str| {
        let name = form_urlencoded::parse(part.as_bytes()).next().map(|(name, _)| name.into_owned());
        name.is_some_and(|name| !IGNORED.contains(&name.as_str()))
    };
    let kept: Vec<&str> = query.split('&').filter(is_ours).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// Decodes `%20` and other escapes, as sqlx does for a path.
fn decode(path: &str) -> Result<String, String> {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match hex.filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).map_err(|_| "the file's name is not UTF-8".to_owned())
}

/// Escapes the characters of the path that have a meaning in an address.
fn encode(path: &Path) -> Result<String, String> {
    let text = path.to_str().ok_or("the file's name is not UTF-8")?;
    Ok(text.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}
