//! `playhead scan`: every video file below a folder becomes a video, and stays that video wherever
//! it is moved.

use super::Library;
use super::action::ScanAction;
use super::container::{self, ContainerInfo};
use super::inspect::{FileStamp, ScannedFile, inspect};
use super::known::{FileLocation, FileRecord, KnownFile};
use super::matching::{Matches, compare};
use super::register::{AbsentFile, ScanContext};
use super::report::{ScanProgress, ScanReport};
use super::walk::{PictureFinder, walk};
use crate::progress::ProgressRules;
use crate::storage::Transaction;
use crate::{Database, Error, search};
use chrono::{DateTime, Utc};
use entity::{deleted_file, video};
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Files that one transaction registers; each transaction waits for the disk.
const BATCH: usize = 50;

/// A folder to scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanRequest<'a> {
    /// The folder.
    pub path: &'a Path,
    /// Whether files of deleted videos are registered again.
    pub restore: bool,
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for ScanRequest<'a> {
    fn from(path: &'a P) -> Self {
        Self { path: path.as_ref(), restore: false }
    }
}

/// Registers every video file below `folder` for the account `owner_id`, and reports its progress
/// to `watch`. It writes in many short transactions of its own.
///
/// A known file, by its path or content, stays the same video; a broken one is skipped. All videos
/// whose file does not exist are marked as missing, wherever it was.
///
/// # Errors
/// [`Error::Invalid`] when the folder cannot be read; database errors.
pub async fn scan(
    db: &Database,
    library: &Library,
    folder: impl Into<ScanRequest<'_>>,
    owner_id: i64,
    rules: &ProgressRules,
    now: DateTime<Utc>,
    watch: impl FnMut(ScanProgress),
) -> Result<ScanReport, Error> {
    let ScanRequest { path, restore } = folder.into();
    let path = path.to_owned();
    let walked = blocking(move || walk(&path)).await??;
    let report =
        ScanReport { links: walked.links.len(), notes: walked.links, problems: walked.problems, ..Default::default() };
    let context = ScanContext { owner_id, restore, rules, now };
    let mut scan = Scan { db, library, context, seen: SeenVideos::default(), report, watch };
    let compared = scan.process(walked.files).await?;
    scan.update_absent_files(compared).await?;
    let report = scan.report;
    search::index_pending(db).await?;
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
    let internal = |reason: String| Error::Internal(format!("{}: {reason}", path.display()));
    let path = path.canonicalize().map_err(|error| internal(error.to_string()))?;
    let context = ScanContext { owner_id, restore: true, rules: &ProgressRules::default(), now };
    let mut scan =
        Scan { db, library, context, seen: SeenVideos::default(), report: ScanReport::default(), watch: |_| {} };
    scan.process(vec![path]).await?;
    scan.report.problems.pop().map_or(Ok(()), |problem| Err(internal(problem.text)))
}

/// A running scan.
struct Scan<'a, W> {
    db: &'a Database,
    library: &'a Library,
    context: ScanContext<'a>,
    seen: SeenVideos,
    report: ScanReport,
    watch: W,
}

/// The known files, the found files, and their matches.
struct Comparison {
    known: Arc<Vec<KnownFile>>,
    found: Arc<Vec<ScannedFile>>,
    matches: Matches,
}

impl<W: FnMut(ScanProgress)> Scan<'_, W> {
    /// Inspects all files, matches them with the known ones, and registers them.
    async fn process(&mut self, files: Vec<PathBuf>) -> Result<Comparison, Error> {
        let total = 2 * files.len();
        let known = KnownFile::read(self.db.reader()).await?;
        self.seen.newest_id = known.iter().filter_map(|known| known.record.video()).max().unwrap_or_default();
        let library = self.library.clone();
        let located = blocking(move || known.into_iter().map(|known| known.located(&library)).collect::<Vec<_>>());
        let known = Arc::new(located.await?);
        let found = Arc::new(self.inspect(files, &known, total).await?);
        let (all, these) = (known.clone(), found.clone());
        let compared = Comparison { matches: blocking(move || compare(&all, &these)).await?, known, found };
        for &(duplicate, first) in &compared.matches.duplicates {
            let [duplicate, first] = [duplicate, first].map(|n| &compared.known[n]);
            if let (Some(first), Some(id)) = (first.record.video(), duplicate.record.video()) {
                let text = format!("is video {first} and also video {id}; delete one of them");
                self.report.note(&duplicate.file_path, text);
            }
        }
        let mut done = total - compared.found.len();
        for begin in (0..compared.found.len()).step_by(BATCH) {
            let batch = begin..compared.found.len().min(begin + BATCH);
            done += batch.len();
            self.register(&compared, batch).await?;
            (self.watch)(ScanProgress { done, total });
        }
        Ok(compared)
    }

    async fn inspect(
        &mut self,
        files: Vec<PathBuf>,
        known: &[KnownFile],
        total: usize,
    ) -> Result<Vec<ScannedFile>, Error> {
        let hashes = known.iter().filter_map(|known| match (&known.location, known.stamp, &known.hash) {
            (FileLocation::At { path, .. }, Some(stamp), Some(hash)) => Some(((path.clone(), stamp), hash.clone())),
            _ => None,
        });
        let hashes: Arc<HashMap<(PathBuf, FileStamp), String>> = Arc::new(hashes.collect());
        let (mut found, mut pictures, mut done) = (Vec::new(), PictureFinder::default(), 0);
        for batch in files.chunks(BATCH) {
            let (library, batch, hashes) = (self.library.clone(), batch.to_owned(), hashes.clone());
            let looks = blocking(move || {
                let look = |path: PathBuf| {
                    let known_hash = |stamp| hashes.get(&(path.clone(), stamp)).cloned();
                    (inspect(&library, &path, &mut pictures, known_hash), path)
                };
                (batch.into_iter().map(look).collect::<Vec<_>>(), pictures)
            });
            let looks = looks.await?;
            pictures = looks.1;
            for (look, path) in looks.0 {
                match look {
                    Ok(file) => found.push(file),
                    Err(reason) => self.report.problem(path, reason),
                }
                done += 1;
            }
            (self.watch)(ScanProgress { done, total });
        }
        Ok(found)
    }

    /// Registers some of the files in one transaction.
    async fn register(&mut self, compared: &Comparison, batch: Range<usize>) -> Result<(), Error> {
        let mut actions = Vec::new();
        for n in batch {
            let file = &compared.found[n];
            let action = ScanAction::of(&compared.matches.of_found[n], &compared.known, self.context.restore);
            if let ScanAction::OtherName(path) = action {
                self.report.links += 1;
                self.report.note(&file.path, format!("is another name of {}", path.display()));
            } else if action.changes_nothing(file) {
                self.report.unchanged += 1;
            } else if !action.needs_container() {
                actions.push((action, file, None));
            } else {
                let found = compared.found.clone();
                let read = blocking(move || {
                    let container = container::read(&found[n].path).map_err(|error| error.to_string())?;
                    found[n].refuse_if_written()?;
                    Ok::<_, String>(container)
                });
                match read.await? {
                    Ok(container) => actions.push((action, file, Some(container))),
                    Err(reason) => self.report.problem(&file.path, reason),
                }
            }
        }
        if actions.is_empty() {
            return Ok(());
        }
        let db = self.db;
        db.transaction(async |tx| {
            // Locked, so that two scans at once do not both register a file.
            tx.lock_table(video::Entity).await?;
            for (action, file, container) in actions {
                self.apply(tx, action, (file, container)).await?;
            }
            Ok(())
        })
        .await
    }

    async fn apply(
        &mut self,
        tx: &Transaction,
        action: ScanAction<'_>,
        (file, container): (&ScannedFile, Option<ContainerInfo>),
    ) -> Result<(), Error> {
        let (context, report) = (self.context, &mut self.report);
        match action {
            ScanAction::Insert { deleted } => {
                if was_registered_meanwhile(tx, file, &self.seen).await? {
                    report.unchanged += 1;
                    return Ok(());
                }
                if let Some(id) = deleted {
                    deleted_file::Entity::delete_by_id(id).exec(tx).await?;
                }
                let id = context.insert(tx, file, container.unwrap_or_default(), report).await?;
                self.seen.inserted.insert(id);
                Ok(())
            }
            ScanAction::Update { id, known, has_moved, .. } => {
                context.update(tx, (id, known), (file, container), has_moved, report).await
            }
            ScanAction::Skip(known) => context.skip(tx, known, file, report).await,
            ScanAction::OtherName(_) => Ok(()),
        }
    }

    /// Marks the videos whose files are missing, and unmarks those whose files are back.
    async fn update_absent_files(&mut self, Comparison { known, matches, .. }: Comparison) -> Result<(), Error> {
        let library = self.library.clone();
        let absent = blocking(move || {
            let mut pictures = PictureFinder::default();
            let others = known.iter().zip(matches.is_found).filter(|(_, is_found)| !is_found);
            let absent = others.filter_map(|(known, _)| {
                let FileRecord::Video(id) = known.record else { return None };
                let path = match &known.location {
                    FileLocation::At { path, is_direct: true, .. } => Some(path),
                    FileLocation::At { .. } | FileLocation::Missing => None,
                    FileLocation::Unknown => return None,
                };
                let picture = known.thumbnail_file.clone().filter(|_| known.picture.is_some());
                let beside = || library.stored_path(&pictures.beside(path?)?);
                let absent = AbsentFile { is_missing: path.is_none(), picture: picture.or_else(beside) };
                Some((id, known.file_path.clone(), absent, known.is_missing, known.thumbnail_file.clone()))
            });
            absent.collect::<Vec<_>>()
        });
        let absent = absent.await?;
        self.report.missing = absent.iter().filter(|(_, _, absent, ..)| absent.is_missing).count();
        let changed = absent.into_iter().filter(|(_, _, absent, was_missing, picture)| {
            absent.is_missing != *was_missing || absent.picture != *picture
        });
        let changed: Vec<_> = changed.collect();
        for batch in changed.chunks(BATCH) {
            let (context, report) = (self.context, &mut self.report);
            let update = async |tx: &Transaction| {
                for (id, file_path, absent, ..) in batch {
                    context.update_absent(tx, *id, file_path, absent, report).await?;
                }
                Ok(())
            };
            self.db.transaction(update).await?;
        }
        Ok(())
    }
}

/// Whether another scan, perhaps of another media folder, registered this file after the known ones
/// were read.
async fn was_registered_meanwhile(tx: &Transaction, file: &ScannedFile, seen: &SeenVideos) -> Result<bool, Error> {
    use video::Column;
    let rows = video::Entity::find().select_only().columns([Column::Id, Column::FilePath]);
    let rows = rows.filter(Column::Id.gt(seen.newest_id)).filter(Column::FileHash.eq(&file.hash));
    let rows: Vec<(i64, String)> = rows.into_tuple().all(tx).await?;
    Ok(rows.iter().any(|(id, path)| !seen.inserted.contains(id) && file.path.ends_with(path)))
}

/// The videos that are known to a scan.
#[derive(Default)]
struct SeenVideos {
    /// The largest id at its start.
    newest_id: i64,
    /// The ids that it has inserted.
    inserted: HashSet<i64>,
}

/// Runs blocking work on files outside of the async runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|error| Error::Internal(format!("reading files: {error}")))
}
