//! What the library knows of files already: those of its videos, and those whose videos were deleted.

use super::Library;
use super::inspect::{FileIdentity, FileStamp, ScannedFile, identity};
use crate::Error;
use chrono::{DateTime, Utc};
use entity::{deleted_file, video};
use sea_orm::prelude::*;
use sea_orm::sea_query::{self, IntoCondition};
use sea_orm::{FromQueryResult, QuerySelect, QueryTrait};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that was there once.
#[derive(Debug)]
pub(super) struct KnownFile {
    pub(super) record: FileRecord,
    pub(super) file_path: String,
    pub(super) hash: Option<String>,
    pub(super) size: Option<i64>,
    pub(super) stamp: Option<FileStamp>,
    pub(super) is_missing: bool,
    pub(super) thumbnail_file: Option<String>,
    /// Where that leads.
    pub(super) picture: Option<PathBuf>,
    pub(super) place: FileLocation,
}

/// Where a file is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FileRecord {
    /// A video of this id.
    Video(i64),
    /// A video that an older site marked as deleted.
    MarkedVideo(i64),
    /// A row of the deleted files.
    Deleted(i64),
}

impl FileRecord {
    /// The id of its video, if there is one.
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
        /// Its one true path.
        path: PathBuf,
        identity: FileIdentity,
        /// `None` when the file system does not tell.
        stamp: Option<FileStamp>,
        /// Whether the stored path leads there without a detour, so that it may be opened.
        is_direct: bool,
    },
    /// Not there.
    Gone,
    /// The file system refuses to say.
    Unclear,
}

/// The columns of a video that tell of its file.
#[derive(FromQueryResult)]
struct Row {
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
    /// All of them, the videos that are not deleted first.
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
        let videos: Vec<Row> = videos.into_model().all(db).await?;
        let deleted = deleted_file::Entity::find().all(db).await?;
        let mut known: Vec<_> = videos.into_iter().map(Self::from).chain(deleted.into_iter().map(Self::from)).collect();
        known.sort_by_key(|known| known.record);
        Ok(known)
    }

    /// With the place where it is now. Blocks, as files do.
    pub(super) fn located(self, library: &Library) -> Self {
        let picture = self.thumbnail_file.as_ref().and_then(|picture| library.resolve(picture).ok().flatten());
        let place = locate(library, &self.file_path, self.hash.is_none());
        Self { place, picture: picture.map(|picture| picture.0), ..self }
    }

    /// What is to be stored of the picture that was found beside the file: nothing new, where it is the one it was.
    pub(super) fn thumbnail(&self, file: &ScannedFile) -> Option<String> {
        let (path, stored) = file.picture.as_ref()?;
        if self.picture.as_ref() == Some(path) { self.thumbnail_file.clone() } else { Some(stored.clone()) }
    }

    /// Whether its stored path may be opened as it is.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.place, FileLocation::At { is_direct: true, .. })
    }

    /// Whether its video was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        !matches!(self.record, FileRecord::Video(_))
    }
}

impl From<Row> for KnownFile {
    fn from(row: Row) -> Self {
        let Row { id, file_path, file_size, file_hash, file_modified_at, missing_since, status, thumbnail_file } = row;
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
            place: FileLocation::Unclear,
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
            place: FileLocation::Unclear,
        }
    }
}

/// Where the file of a stored path is. What an older site stored may lead there by links or dots, or count from the
/// working folder, as long as no scan has seen it; it is found, so that the file is known for what it is, but not opened.
fn locate(library: &Library, stored: &str, is_from_elsewhere: bool) -> FileLocation {
    let Ok(direct) = library.direct(stored) else { return FileLocation::Unclear };
    let from_here = is_from_elsewhere.then_some(Path::new(stored));
    let mut place = FileLocation::Gone;
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
            Err(_) => place = FileLocation::Unclear,
        }
    }
    place
}

/// Remembers the files of these videos, which are about to be deleted, so that no scan brings them back.
pub(crate) async fn remember_deleted(db: &impl ConnectionTrait, videos: impl IntoCondition) -> Result<(), Error> {
    use deleted_file::Column;
    let files = video::Entity::find()
        .select_only()
        .columns([video::Column::FilePath, video::Column::FileHash])
        .filter(videos.into_condition())
        .filter(video::Column::FilePath.is_not_null());
    let mut insert = sea_query::Query::insert();
    insert.into_table(deleted_file::Entity).columns([Column::FilePath, Column::FileHash]);
    insert.select_from(files.into_query()).map_err(|error| Error::Internal(error.to_string()))?;
    db.execute(&insert).await?;
    Ok(())
}
