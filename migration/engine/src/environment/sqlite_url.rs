//! Addresses of SQLite files.
//!
//! To sqlx, `sqlite:///var/x.db` is the file `/var/x.db`; to SQLAlchemy it is `var/x.db` in the working folder. Both have been
//! written into settings for years, so what is there decides, and where that is not clear nothing is opened.

use super::database_url::DatabaseUrl;
use super::expand_home;
use std::path::{Path, PathBuf};
use url::form_urlencoded;

/// Parameters of Python's drivers that change nothing for us.
const WITHOUT_MEANING: [&str; 10] = [
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

/// Reads what follows `sqlite:` in sqlx's spelling or SQLAlchemy's; where a driver is named it can only be the latter.
pub(super) fn resolve(rest: &str, names_driver: bool) -> Result<DatabaseUrl, String> {
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut notes = Vec::new();
    // SQLAlchemy takes a % for itself.
    let decoded = if names_driver { path.to_owned() } else { decoded(path)? };
    let file = file(&decoded, names_driver, &mut notes)?;
    let query = query.and_then(parameters).map(|query| format!("?{query}")).unwrap_or_default();
    let url = match file {
        Some(file) => format!("sqlite://{}{query}", encoded(&file)?),
        None => format!("sqlite:{path}{query}"),
    };
    Ok(DatabaseUrl { url, notes })
}

/// The file that is meant; none where the path is to be read as it stands.
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
        return match is_there(&absolute) && !is_there(&relative) {
            true => Err(format!(
                "an earlier release took this for {}, which is there, and {inner} is not; move the file, or write \
                 sqlite:///{}",
                normal(&absolute),
                normal(&absolute)
            )),
            false => Ok(Some(relative)),
        };
    }
    three_slashes(relative, absolute, notes).map(Some)
}

/// `sqlite:///x`, which may be meant in either way: the file that is there, or else the folder that is there.
fn three_slashes(relative: PathBuf, absolute: PathBuf, notes: &mut Vec<String>) -> Result<PathBuf, String> {
    let (shown, full) = (relative.display().to_string(), absolute.display().to_string());
    let unclear = |what: &str| {
        Err(format!(
            "it may mean {shown} in the working folder or {full}, and {what}; write sqlite:///./{shown} or sqlite:///{full}"
        ))
    };
    let has_folder = |file: &Path| file.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir());
    let is_absolute = match (is_there(&relative), is_there(&absolute)) {
        (true, true) => return unclear("both files are there"),
        (true, false) => false,
        (false, true) => true,
        // Nobody keeps a database in the root folder on purpose.
        (false, false) if !shown.contains('/') => false,
        (false, false) => match (has_folder(&relative), has_folder(&absolute)) {
            (true, true) => return unclear("both folders are there"),
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

/// Whether the file is there; one in a folder that this user may not look into counts, so that no new one is made elsewhere.
fn is_there(file: &Path) -> bool {
    file.try_exists().unwrap_or(true)
}

/// Whether both lead to one place, as in the working folder `/`.
fn is_same(relative: &Path, absolute: &Path) -> bool {
    let folder = |file: &Path| {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.canonicalize().ok()
    };
    folder(relative).is_some_and(|found| folder(absolute) == Some(found))
}

/// A path without the `.` in it.
fn normal(path: &Path) -> String {
    path.components().collect::<PathBuf>().display().to_string()
}

/// What sqlx is told.
fn parameters(query: &str) -> Option<String> {
    let is_ours = |part: &&str| {
        let name = form_urlencoded::parse(part.as_bytes()).next().map(|(name, _)| name.into_owned());
        name.is_some_and(|name| !WITHOUT_MEANING.contains(&name.as_str()))
    };
    let kept: Vec<&str> = query.split('&').filter(is_ours).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// With `%20` and its kin as the signs that they stand for, as sqlx reads a path.
fn decoded(path: &str) -> Result<String, String> {
    let bytes = path.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match hex.filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).map_err(|_| "the file's name is not UTF-8".to_owned())
}

/// The path with what would be read as something else escaped.
fn encoded(path: &Path) -> Result<String, String> {
    let text = path.to_str().ok_or("the file's name is not UTF-8")?;
    Ok(text.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}
