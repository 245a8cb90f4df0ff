//! `playhead scan`: every video file below a folder becomes a video.

use super::{Library, container};
use crate::progress::{Rules, judge_again};
use crate::{Database, Error, search};
use chrono::{DateTime, TimeDelta, Utc};
use entity::video;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, IntoActiveModel};
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;
use walkdir::WalkDir;

/// The endings of file names that are taken for videos, whatever the case.
const VIDEO_ENDINGS: [&str; 5] = ["mp4", "m4v", "mov", "webm", "mkv"];
/// The endings of pictures that may lie beside a video, the first one found is taken.
const PICTURE_ENDINGS: [&str; 3] = ["jpg", "png", "webp"];
/// Files registered in one transaction; each one costs a wait for the disk.
const BATCH: usize = 50;

/// What a scan did.
#[derive(Debug, Default)]
pub struct Report {
    /// Videos that are new.
    pub added: usize,
    /// Videos whose file or picture changed.
    pub updated: usize,
    /// Videos that were there already.
    pub unchanged: usize,
    /// Files that were passed over.
    pub problems: Vec<Problem>,
}

/// A file that was passed over.
#[derive(Debug)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Files looked at.
    pub done: usize,
    /// Files found.
    pub total: usize,
}

/// A video file as it lies there.
struct Found {
    title: String,
    file_path: String,
    file_size: i64,
    thumbnail_file: Option<String>,
    container: container::Container,
}

/// Registers every video file below `folder` for the account `owner_id`, and tells `watch` how far it is.
/// A file that is registered already is not registered again; a broken one is passed over.
///
/// # Errors
/// [`Error::Invalid`] when the folder is none; those of the database.
pub async fn scan(
    db: &Database,
    library: &Library,
    folder: &Path,
    owner_id: i64,
    rules: &Rules,
    now: DateTime<Utc>,
    mut watch: impl FnMut(Progress),
) -> Result<Report, Error> {
    let (files, problems) = walk(folder)?;
    let mut report = Report { problems, ..Default::default() };
    let total = files.len();
    let mut done = 0;
    for batch in files.chunks(BATCH) {
        let mut found = Vec::with_capacity(batch.len());
        for path in batch {
            let (library, file) = (library.clone(), path.clone());
            let look = spawn_blocking(move || look_at(&library, &file)).await;
            match look.unwrap_or_else(|_| Err("reading it failed unexpectedly".into())) {
                Ok(file) => found.push(file),
                Err(reason) => report.problems.push(Problem { path: path.clone(), reason }),
            }
            done += 1;
            watch(Progress { done, total });
        }
        // Exclusive, so that two scans at once do not both register a file.
        let (_turn, transaction) = db.exclusive("videos").await?;
        for file in found {
            // A microsecond apart, so that the library has one order and an index can hold it.
            let moment = now + TimeDelta::microseconds(report.added.try_into().unwrap_or(0));
            register(&transaction, file, owner_id, rules, moment, &mut report).await?;
        }
        transaction.commit().await?;
    }
    search::catch_up(db).await?;
    Ok(report)
}

/// Registers one file for the account `owner_id`, unless it is registered already.
pub(super) async fn register_file(
    db: &Database,
    library: &Library,
    path: &Path,
    owner_id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let path = path.canonicalize().map_err(|error| Error::Internal(format!("{}: {error}", path.display())))?;
    let file = look_at(library, &path).map_err(|reason| Error::Internal(format!("{}: {reason}", path.display())))?;
    let (_turn, transaction) = db.exclusive("videos").await?;
    register(&transaction, file, owner_id, &Rules::default(), now, &mut Report::default()).await?;
    transaction.commit().await?;
    Ok(())
}

/// The video files below `folder` in the order of their names. Links are not followed, hidden files are left alone.
fn walk(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Problem>), Error> {
    let folder = folder
        .canonicalize()
        .map_err(|error| Error::Invalid { field: "DIR".into(), message: format!("{}: {error}", folder.display()) })?;
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    let hidden =
        |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| !hidden(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && has_ending(entry.path(), &VIDEO_ENDINGS) => {
                files.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) => problems.push(Problem {
                path: error.path().unwrap_or(Path::new("")).to_owned(),
                reason: error.io_error().map_or_else(|| error.to_string(), ToString::to_string),
            }),
        }
    }
    Ok((files, problems))
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn look_at(library: &Library, path: &Path) -> Result<Found, String> {
    let file_path = library.stored(path).ok_or("its name is not Unicode")?;
    if file_path.chars().count() > 500 {
        return Err("its path has more than 500 characters".into());
    }
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    Ok(Found {
        container: container::read(path).map_err(|error| error.to_string())?,
        title: title(path),
        file_size: i64::try_from(metadata.len()).map_err(|error| error.to_string())?,
        thumbnail_file: picture_beside(path).and_then(|picture| library.stored(&picture)),
        file_path,
    })
}

/// The file name without its ending, in the 255 characters that a title may have.
fn title(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.chars().map(|c| if c.is_control() { ' ' } else { c }).take(255).collect()
}

/// The picture of the same name. A link is not taken, because it would not be opened either.
fn picture_beside(video: &Path) -> Option<PathBuf> {
    let candidates = PICTURE_ENDINGS.iter().map(|ending| video.with_extension(ending));
    candidates.into_iter().find(|picture| picture.symlink_metadata().is_ok_and(|metadata| metadata.is_file()))
}

async fn register(
    db: &DatabaseTransaction,
    file: Found,
    owner_id: i64,
    rules: &Rules,
    now: DateTime<Utc>,
    report: &mut Report,
) -> Result<(), Error> {
    let Found { title, file_path, file_size, thumbnail_file, container } = file;
    let known = video::Entity::find().filter(video::Column::FilePath.eq(&file_path)).one(db).await?;
    let is_new = known.is_none();
    let mut row = known.map_or_else(
        || video::ActiveModel {
            user_id: Set(owner_id),
            title: Set(title),
            file_path: Set(Some(file_path)),
            status: Set(video::Status::Ready),
            created_at: Set(now),
            published_at: Set(Some(now)),
            ..Default::default()
        },
        IntoActiveModel::into_active_model,
    );
    row.file_size.set_if_not_equals(Some(file_size));
    row.duration.set_if_not_equals(container.duration);
    row.width.set_if_not_equals(container.width);
    row.height.set_if_not_equals(container.height);
    row.thumbnail_file.set_if_not_equals(thumbnail_file);
    if !row.is_changed() {
        report.unchanged += 1;
        return Ok(());
    }
    row.updated_at = Set(now);
    if is_new {
        video::Entity::insert(row).exec_without_returning(db).await?;
        report.added += 1;
    } else {
        let new_duration = row.duration.is_set();
        let row = row.update(db).await?;
        if new_duration {
            judge_again(db, row.id, row.duration, rules).await?;
        }
        report.updated += 1;
    }
    Ok(())
}
