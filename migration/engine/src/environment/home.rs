//! Expands `~` as shells do, for paths from settings.

use std::path::{Path, PathBuf};

/// The path with the home folder of this user in the place of a leading `~`.
///
/// # Errors
/// It names another user's home, or this user has none. Or only a folder with the name `~` exists:
/// an earlier release created it, and its files must not be lost.
pub fn expand_home(path: impl AsRef<Path>) -> Result<PathBuf, String> {
    let path = path.as_ref();
    let Some(rest) = path.to_str().and_then(|text| text.strip_prefix('~')) else { return Ok(path.into()) };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Err("~ stands for the home folder of this user only; write the path of another one in full".to_owned());
    }
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let home = home.ok_or("this user has no home folder for ~ to stand for; set HOME, or write the path in full")?;
    let expanded = home.join(rest.trim_start_matches('/'));
    if path.exists() && !expanded.exists() {
        let path = path.display();
        return Err(format!(
            "./{path} exists, and {} does not: an earlier release created a folder with the name ~; \
             move ./{path} to {}, or write ./{path}",
            expanded.display(),
            expanded.display()
        ));
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_folder_and_nobody_elses() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(expand_home("~").unwrap(), home);
        assert_eq!(expand_home("~/Videos/new").unwrap(), home.join("Videos/new"));
        assert_eq!(expand_home("~//Videos").unwrap(), home.join("Videos"));
        assert!(expand_home("~ann/Videos").unwrap_err().contains("of this user only"));
        for path in ["media", "./~", "/srv/~/x", "a~b", ""] {
            assert_eq!(expand_home(path).unwrap(), Path::new(path));
        }
    }
}
