//! The files that the database knows: those of its videos, and those whose videos were deleted.

use super::Library;
use super::inspect::{FileIdentity, FileStamp, ScannedFile, identity};
use crate::Error;
use chrono::{DateTime, Utc};
use entity::{deleted_file, video};
use sea_orm::prelude::*;
use sea_orm::{FromQueryResult, QuerySelect};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that an earlier scan found.
#[derive(Debug)]
pub(super) struct KnownFile {
    pub(super) record: FileRecord,
    pub(super) file_path: String,
    pub(super) hash: Option<String>,
    pub(super) size: Option<i64>,
    pub(super) stamp: Option<FileStamp>,
    pub(super) is_missing: bool,
    pub(super) thumbnail_file: Option<String>,
    /// The path of that file, if it may be opened.
    pub(super) picture: Option<PathBuf>,
    pub(super) location: FileLocation,
}

/// The row that knows a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FileRecord {
    /// A video of this id.
    Video(i64),
    /// A video that an older site marked as deleted.
    MarkedVideo(i64),
    /// A row of the table `deleted_files`.
    Deleted(i64),
}

impl FileRecord {
    /// The id of the video, if there is one.
    pub(super) fn video(self) -> Option<i64> {
        match self {
            Self::Video(id) | Self::MarkedVideo(id) => Some(id),
            Self::Deleted(_) => None,
        }
    }
}

/// Where a known file is now.
#[derive(Debug)]
pub(super) enum FileLocation {
    /// A regular file.
    At {
        /// Its canonical path.
        path: PathBuf,
        identity: FileIdentity,
        /// `None` when the file system does not provide it.
        stamp: Option<FileStamp>,
        /// Whether the stored path is the canonical one, so that it may be opened.
        is_direct: bool,
    },
    /// It does not exist.
    Missing,
    /// The file system returned an error.
    Unknown,
}

/// The columns of a video that describe its file.
#[derive(FromQueryResult)]
struct FileRow {
    id: i64,
    file_path: String,
    file_size: Option<i64>,
    file_hash: Option<String>,
    file_modified_at: Option<DateTime<Utc>>,
    missing_since: Option<DateTime<Utc>>,
    status: video::Status,
    thumbnail_file: Option<String>,
}

impl KnownFile {
    /// Reads all known files; those of videos that are not deleted come first.
    pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Vec<Self>, Error> {
        use video::Column;
        let columns = [
            Column::Id,
            Column::FilePath,
            Column::FileSize,
            Column::FileHash,
            Column::FileModifiedAt,
            Column::MissingSince,
            Column::Status,
            Column::ThumbnailFile,
        ];
        let videos = video::Entity::find().select_only().columns(columns).filter(Column::FilePath.is_not_null());
        let videos: Vec<FileRow> = videos.into_model().all(db).await?;
        let deleted = deleted_file::Entity::find().all(db).await?;
        let mut known: Vec<_> = videos.into_iter().map(Self::from).chain(deleted.into_iter().map(Self::from)).collect();
        known.sort_by_key(|known| known.record);
        Ok(known)
    }

    /// Sets the location where the file is now. Blocking.
    pub(super) fn located(self, library: &Library) -> Self {
        let picture = self.thumbnail_file.as_ref().and_then(|picture| library.resolve(picture).ok().flatten());
        let location = locate(library, &self.file_path, self.hash.is_none());
        Self { location, picture: picture.map(|picture| picture.0), ..self }
    }

    /// The path to store of the picture that was found beside the file; the old one, if it is the
    /// same picture.
    pub(super) fn thumbnail(&self, file: &ScannedFile) -> Option<String> {
        let (path, stored) = file.picture.as_ref()?;
        if self.picture.as_ref() == Some(path) { self.thumbnail_file.clone() } else { Some(stored.clone()) }
    }

    /// Whether its stored path may be opened.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.location, FileLocation::At { is_direct: true, .. })
    }

    /// Whether its video was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        !matches!(self.record, FileRecord::Video(_))
    }
}

impl From<FileRow> for KnownFile {
    fn from(row: FileRow) -> Self {
        let FileRow { id, file_path, file_size, file_hash, file_modified_at, missing_since, status, thumbnail_file } =
            row;
        let is_deleted = status == video::Status::Deleted;
        Self {
            record: if is_deleted { FileRecord::MarkedVideo(id) } else { FileRecord::Video(id) },
            file_path,
            hash: file_hash,
            size: file_size,
            stamp: file_size.zip(file_modified_at).map(|(size, modified_at)| FileStamp { size, modified_at }),
            is_missing: missing_since.is_some(),
            thumbnail_file,
            picture: None,
            location: FileLocation::Unknown,
        }
    }
}

impl From<deleted_file::Model> for KnownFile {
    fn from(row: deleted_file::Model) -> Self {
        let deleted_file::Model { id, file_path, file_hash } = row;
        Self {
            record: FileRecord::Deleted(id),
            file_path,
            hash: file_hash,
            size: None,
            stamp: None,
            is_missing: false,
            thumbnail_file: None,
            picture: None,
            location: FileLocation::Unknown,
        }
    }
}

/// Finds the file of a stored path. A path that an older site stored, and no scan has seen yet, may
/// contain links or dots or be relative to the working folder. Such a file is found but never
/// opened.
fn locate(library: &Library, stored: &str, is_from_elsewhere: bool) -> FileLocation {
    let Ok(direct) = library.absolute_path(stored) else { return FileLocation::Unknown };
    let from_here = is_from_elsewhere.then_some(Path::new(stored));
    let mut location = FileLocation::Missing;
    for named in direct.as_deref().into_iter().chain(from_here) {
        let real = fs::canonicalize(named).and_then(|real| Ok((real.metadata()?, real)));
        match real {
            Ok((metadata, path)) if metadata.is_file() => {
                let is_direct = direct.as_ref() == Some(&path);
                return FileLocation::At {
                    path,
                    identity: identity(&metadata),
                    stamp: FileStamp::of(&metadata).ok(),
                    is_direct,
                };
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(_) => location = FileLocation::Unknown,
        }
    }
    location
}
