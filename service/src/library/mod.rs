//! The video files of the operator: scanned, registered and opened.
//!
//! Paths come from scans only. A path below the media folder is stored relative to it, so that the
//! folder can be moved; other paths are stored as absolute ones. Symbolic links are never followed.
//!
//! A scan lists the files (`walk`), inspects each of them (`inspect`), reads the known ones
//! (`known`), matches them (`matching`), decides (`action`) and writes (`register`).

mod action;
mod container;
mod inspect;
mod known;
mod matching;
mod register;
mod report;
mod sample;
mod scan;
mod walk;

use crate::Error;
use entity::video;
pub use report::{FileNote, ScanProgress, ScanReport};
pub use sample::{SAMPLE_NAME, register as register_sample, write as write_sample};
pub use scan::{ScanRequest, scan};
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder that videos are streamed from.
#[derive(Clone, Debug)]
pub struct Library {
    root: PathBuf,
}

/// A file of the library that was checked and may be opened.
#[derive(Debug, PartialEq, Eq)]
pub struct MediaFile(pub PathBuf);

impl Library {
    /// Creates it with the media folder `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The media folder, as it was passed.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a stored path, if it may be opened: the path must be the canonical one, without
    /// a link or `..`.
    ///
    /// # Errors
    /// [`Error::FileUnavailable`] when the file system returns an error.
    fn resolve(&self, stored: &str) -> Result<Option<MediaFile>, Error> {
        let Some(path) = self.absolute_path(stored)? else { return Ok(None) };
        let Some(real) = none_if_missing(fs::canonicalize(&path))? else { return Ok(None) };
        let Some(metadata) = none_if_missing(fs::metadata(&real))? else { return Ok(None) };
        Ok((real == path && metadata.is_file()).then_some(MediaFile(real)))
    }

    /// The absolute path of a stored one.
    ///
    /// # Errors
    /// [`Error::FileUnavailable`] when the file system returns an error.
    fn absolute_path(&self, stored: &str) -> Result<Option<PathBuf>, Error> {
        let stored = Path::new(stored);
        if stored.is_absolute() {
            return Ok(Some(stored.to_owned()));
        }
        Ok(none_if_missing(fs::canonicalize(&self.root))?.map(|root| root.join(stored)))
    }

    /// The path to store of a file: relative to the media folder, or absolute if it is outside of
    /// it. `None` when it is not Unicode.
    fn stored_path(&self, file: &Path) -> Option<String> {
        let root = fs::canonicalize(&self.root).ok();
        let relative = root.as_ref().and_then(|root| file.strip_prefix(root).ok());
        Some(relative.unwrap_or(file).to_str()?.to_owned())
    }
}

/// `None` instead of an error that says that there is no such file.
///
/// # Errors
/// All other errors: too many open files, no permission, a disk that is not available.
pub fn none_if_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound};
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(error.kind(), NotFound | NotADirectory | IsADirectory | InvalidFilename | InvalidInput) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether there is no video yet, in any state.
///
/// # Errors
/// Database errors.
pub async fn is_empty(db: &impl ConnectionTrait) -> Result<bool, Error> {
    Ok(video::Entity::find()
        .select_only()
        .column(video::Column::Id)
        .limit(1)
        .into_tuple::<i64>()
        .one(db)
        .await?
        .is_none())
}

/// The file of a ready video.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::FileNotFound`], [`Error::FileUnavailable`].
pub async fn find_stream(db: &impl ConnectionTrait, library: &Library, video_id: i64) -> Result<MediaFile, Error> {
    let path = find_ready(db, video_id).await?.file_path;
    let file = path.map(|path| library.resolve(&path)).transpose()?.flatten();
    file.ok_or(Error::FileNotFound)
}

/// The picture beside the file of a ready video.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::ThumbnailNotFound`], [`Error::FileUnavailable`].
pub async fn find_thumbnail(db: &impl ConnectionTrait, library: &Library, video_id: i64) -> Result<MediaFile, Error> {
    let path = find_ready(db, video_id).await?.thumbnail_file;
    let file = path.map(|path| library.resolve(&path)).transpose()?.flatten();
    file.ok_or(Error::ThumbnailNotFound)
}

async fn find_ready(db: &impl ConnectionTrait, video_id: i64) -> Result<video::Model, Error> {
    let ready = video::Entity::find_by_id(video_id).filter(crate::video::visible_to(None));
    ready.one(db).await?.ok_or(Error::VideoNotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A media folder with one video, and a file outside of it.
    fn folders() -> (tempfile::TempDir, Library) {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("media");
        fs::create_dir_all(root.join("a")).unwrap();
        fs::write(root.join("a/film.mp4"), "film").unwrap();
        fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        (outside, Library::new(root))
    }

    #[test]
    fn a_file_below_the_media_folder_is_found_by_its_relative_path() {
        let (_outside, library) = folders();
        let file = fs::canonicalize(library.root().join("a/film.mp4")).unwrap();
        assert_eq!(library.stored_path(&file).as_deref(), Some("a/film.mp4"));
        assert_eq!(library.resolve("a/film.mp4").unwrap(), Some(MediaFile(file)));
    }

    #[test]
    fn a_path_with_dots_is_not_opened() {
        let (_outside, library) = folders();
        assert_eq!(library.resolve("../secret.txt").unwrap(), None);
        assert_eq!(library.resolve("a/../a/film.mp4").unwrap(), None);
    }

    #[test]
    fn a_link_is_not_followed() {
        let (outside, library) = folders();
        symlink(outside.path().join("secret.txt"), library.root().join("link.mp4")).unwrap();
        symlink(outside.path(), library.root().join("folder")).unwrap();
        assert_eq!(library.resolve("link.mp4").unwrap(), None);
        assert_eq!(library.resolve("folder/secret.txt").unwrap(), None);
    }

    #[test]
    fn a_missing_file_and_a_folder_are_not_opened() {
        let (_outside, library) = folders();
        assert_eq!(library.resolve("a").unwrap(), None);
        assert_eq!(library.resolve("gone.mp4").unwrap(), None);
    }
}
