//! `playhead scan`: every video file below a folder becomes a video, and stays that video wherever it is moved.

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
use crate::{Database, Error, search};
use chrono::{DateTime, Utc};
use entity::{deleted_file, video};
use sea_orm::prelude::*;
use sea_orm::{DatabaseTransaction, QuerySelect};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Files registered in one transaction; each one costs a wait for the disk.
const BATCH: usize = 50;

/// What to scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanRequest<'a> {
    /// The folder.
    pub path: &'a Path,
    /// Whether files whose video was deleted are registered again.
    pub restore: bool,
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for ScanRequest<'a> {
    fn from(path: &'a P) -> Self {
        Self { path: path.as_ref(), restore: false }
    }
}

/// Registers every video file below `folder` for the account `owner_id`, and tells `watch` how far it is.
///
/// A file that is known already, by its place or by its content, stays the video that it is; a broken one is passed over. Videos
/// whose file is gone, wherever it lay, are marked, and those whose file is back are no longer.
///
/// # Errors
/// [`Error::Invalid`] when the folder is none; those of the database.
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
    let intake = ScanContext { owner_id, restore, rules, now };
    let mut scan = Scan { db, library, intake, before: SeenVideos::default(), report, watch };
    let compared = scan.take_in(walked.files).await?;
    scan.note_absences(compared).await?;
    let report = scan.report;
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
    let internal = |reason: String| Error::Internal(format!("{}: {reason}", path.display()));
    let path = path.canonicalize().map_err(|error| internal(error.to_string()))?;
    let intake = ScanContext { owner_id, restore: true, rules: &ProgressRules::default(), now };
    let mut scan =
        Scan { db, library, intake, before: SeenVideos::default(), report: ScanReport::default(), watch: |_| {} };
    scan.take_in(vec![path]).await?;
    scan.report.problems.pop().map_or(Ok(()), |problem| Err(internal(problem.text)))
}

/// A scan on its way.
struct Scan<'a, W> {
    db: &'a Database,
    library: &'a Library,
    intake: ScanContext<'a>,
    before: SeenVideos,
    report: ScanReport,
    watch: W,
}

/// What was found of what is known.
struct Comparison {
    known: Arc<Vec<KnownFile>>,
    found: Arc<Vec<ScannedFile>>,
    matches: Matches,
}

impl<W: FnMut(ScanProgress)> Scan<'_, W> {
    /// Looks at all files, finds out what they are, and then registers them.
    async fn take_in(&mut self, files: Vec<PathBuf>) -> Result<Comparison, Error> {
        let total = 2 * files.len();
        let known = KnownFile::read(self.db.reader()).await?;
        self.before.newest = known.iter().filter_map(|known| known.record.video()).max().unwrap_or_default();
        let library = self.library.clone();
        let located = blocking(move || known.into_iter().map(|known| known.located(&library)).collect::<Vec<_>>());
        let known = Arc::new(located.await?);
        let found = Arc::new(self.look(files, &known, total).await?);
        let (all, these) = (known.clone(), found.clone());
        let compared = Comparison { matches: blocking(move || compare(&all, &these)).await?, known, found };
        for &(double, first) in &compared.matches.doubles {
            let [double, first] = [double, first].map(|n| &compared.known[n]);
            if let (Some(first), Some(id)) = (first.record.video(), double.record.video()) {
                let text = format!("is video {first} and once more video {id}; delete one of them");
                self.report.note(&double.file_path, text);
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

    async fn look(
        &mut self,
        files: Vec<PathBuf>,
        known: &[KnownFile],
        total: usize,
    ) -> Result<Vec<ScannedFile>, Error> {
        let hashes = known.iter().filter_map(|known| match (&known.place, known.stamp, &known.hash) {
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
        let mut steps = Vec::new();
        for n in batch {
            let file = &compared.found[n];
            let step = ScanAction::of(&compared.matches.of_found[n], &compared.known, self.intake.restore);
            if let ScanAction::OtherName(path) = step {
                self.report.links += 1;
                self.report.note(&file.path, format!("is another name of {}", path.display()));
            } else if step.changes_nothing(file) {
                self.report.unchanged += 1;
            } else if !step.needs_container() {
                steps.push((step, file, None));
            } else {
                let found = compared.found.clone();
                let read = blocking(move || {
                    let container = container::read(&found[n].path).map_err(|error| error.to_string())?;
                    found[n].refuse_if_written()?;
                    Ok::<_, String>(container)
                });
                match read.await? {
                    Ok(container) => steps.push((step, file, Some(container))),
                    Err(reason) => self.report.problem(&file.path, reason),
                }
            }
        }
        if steps.is_empty() {
            return Ok(());
        }
        // Exclusive, so that two scans at once do not both register a file.
        let (_turn, transaction) = self.db.exclusive("videos").await?;
        for (step, file, container) in steps {
            self.take(&transaction, step, (file, container)).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn take(
        &mut self,
        db: &DatabaseTransaction,
        step: ScanAction<'_>,
        (file, container): (&ScannedFile, Option<ContainerInfo>),
    ) -> Result<(), Error> {
        let (intake, report) = (self.intake, &mut self.report);
        match step {
            ScanAction::Insert { deleted } => {
                if is_registered_meanwhile(db, file, &self.before).await? {
                    report.unchanged += 1;
                    return Ok(());
                }
                if let Some(id) = deleted {
                    deleted_file::Entity::delete_by_id(id).exec(db).await?;
                }
                let id = intake.insert(db, file, container.unwrap_or_default(), report).await?;
                self.before.inserted.insert(id);
                Ok(())
            }
            ScanAction::Update { id, known, has_moved, .. } => {
                intake.update(db, (id, known), (file, container), has_moved, report).await
            }
            ScanAction::LeaveOut(known) => intake.leave_out(db, known, file, report).await,
            ScanAction::OtherName(_) => Ok(()),
        }
    }

    /// Marks the videos whose files are gone, wherever they lay, and those no longer whose files are back.
    async fn note_absences(&mut self, Comparison { known, matches, .. }: Comparison) -> Result<(), Error> {
        let library = self.library.clone();
        let absences = blocking(move || {
            let mut pictures = PictureFinder::default();
            let others = known.iter().zip(matches.is_found).filter(|(_, is_found)| !is_found);
            let absences = others.filter_map(|(known, _)| {
                let FileRecord::Video(id) = known.record else { return None };
                let path = match &known.place {
                    FileLocation::At { path, is_direct: true, .. } => Some(path),
                    FileLocation::At { .. } | FileLocation::Gone => None,
                    FileLocation::Unclear => return None,
                };
                let picture = known.thumbnail_file.clone().filter(|_| known.picture.is_some());
                let beside = || library.stored(&pictures.beside(path?)?);
                let absence = AbsentFile { is_missing: path.is_none(), picture: picture.or_else(beside) };
                Some((id, known.file_path.clone(), absence, known.is_missing, known.thumbnail_file.clone()))
            });
            absences.collect::<Vec<_>>()
        });
        let absences = absences.await?;
        self.report.missing = absences.iter().filter(|(_, _, absence, ..)| absence.is_missing).count();
        let changed = absences.into_iter().filter(|(_, _, absence, was_missing, picture)| {
            absence.is_missing != *was_missing || absence.picture != *picture
        });
        let changed: Vec<_> = changed.collect();
        for batch in changed.chunks(BATCH) {
            let (_turn, transaction) = self.db.begin().await?;
            for (id, file_path, absence, ..) in batch {
                self.intake.note_absence(&transaction, *id, file_path, absence, &mut self.report).await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}

/// Whether another scan registered this file since the known ones were read, perhaps as one of another media folder.
async fn is_registered_meanwhile(
    db: &DatabaseTransaction,
    file: &ScannedFile,
    before: &SeenVideos,
) -> Result<bool, Error> {
    use video::Column;
    let rows = video::Entity::find().select_only().columns([Column::Id, Column::FilePath]);
    let rows = rows.filter(Column::Id.gt(before.newest)).filter(Column::FileHash.eq(&file.hash));
    let rows: Vec<(i64, String)> = rows.into_tuple().all(db).await?;
    Ok(rows.iter().any(|(id, path)| !before.inserted.contains(id) && file.path.ends_with(path)))
}

/// The videos that are no news to a scan.
#[derive(Default)]
struct SeenVideos {
    /// The newest one at its start.
    newest: i64,
    /// Its own ones.
    inserted: HashSet<i64>,
}

/// Runs what waits for files away from the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|error| Error::Internal(format!("looking at files: {error}")))
}
