//! What a scan writes, each file by itself: it looks again at what it changes, because another scan may have been faster.

use super::container::ContainerInfo;
use super::inspect::ScannedFile;
use super::known::{FileRecord, KnownFile};
use super::report::ScanReport;
use super::walk::title;
use crate::Error;
use crate::progress::{ProgressRules, recompute_completed};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{deleted_file, video};
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, IntoActiveModel};

/// A file that was written to so short a time before the scan may be written to again without a trace in its stamp.
const RESTING: TimeDelta = TimeDelta::seconds(2);

/// What all files of a scan have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanContext<'a> {
    /// Whose videos they become.
    pub(super) owner_id: i64,
    /// Whether videos that were deleted come back.
    pub(super) restore: bool,
    pub(super) rules: &'a ProgressRules,
    pub(super) now: DateTime<Utc>,
}

impl ScanContext<'_> {
    /// Makes a video of a file, and gives back its id.
    pub(super) async fn insert(
        &self,
        db: &DatabaseTransaction,
        file: &ScannedFile,
        container: ContainerInfo,
        report: &mut ScanReport,
    ) -> Result<i64, Error> {
        // A microsecond apart, so that the library has one order and an index can hold it.
        let moment = self.now + TimeDelta::microseconds(report.added.try_into().unwrap_or(0));
        let ContainerInfo { duration, width, height } = container;
        let row = video::ActiveModel {
            user_id: Set(self.owner_id),
            title: Set(title(&file.stored)),
            file_path: Set(Some(file.stored.clone())),
            file_size: Set(Some(file.stamp.size)),
            file_hash: Set(Some(file.hash.clone())),
            file_modified_at: Set(self.resting(file)),
            duration: Set(duration),
            width: Set(width),
            height: Set(height),
            thumbnail_file: Set(file.picture.as_ref().map(|(_, stored)| stored.clone())),
            status: Set(video::Status::Ready),
            created_at: Set(moment),
            updated_at: Set(moment),
            published_at: Set(Some(moment)),
            ..Default::default()
        };
        let inserted = video::Entity::insert(row).exec(db).await?;
        report.added += 1;
        Ok(inserted.last_insert_id)
    }

    /// Brings the video of a known file up to date. What the container does not say is no news, and neither is a container
    /// that was read before: what was set by hand stays.
    pub(super) async fn update(
        &self,
        db: &DatabaseTransaction,
        (id, known): (i64, &KnownFile),
        (file, container): (&ScannedFile, Option<ContainerInfo>),
        has_moved: bool,
        report: &mut ScanReport,
    ) -> Result<(), Error> {
        let row = video::Entity::find_by_id(id).one(db).await?;
        let Some(row) = row.filter(|row| row.file_path.as_ref() == Some(&known.file_path)) else {
            report.unchanged += 1;
            return Ok(());
        };
        let was_missing = row.missing_since.is_some();
        let is_named_after_file = row.title == title(&known.file_path);
        let mut row = row.into_active_model();
        if has_moved && is_named_after_file {
            row.title.set_if_not_equals(title(&file.stored));
        }
        row.file_size.set_if_not_equals(Some(file.stamp.size));
        let ContainerInfo { duration, width, height } = container.unwrap_or_default();
        for (column, value) in [(&mut row.duration, duration), (&mut row.width, width), (&mut row.height, height)] {
            if value.is_some() {
                column.set_if_not_equals(value);
            }
        }
        row.thumbnail_file.set_if_not_equals(known.thumbnail(file));
        row.missing_since.set_if_not_equals(None);
        if known.is_deleted() {
            row.status = Set(video::Status::Ready);
        }
        let is_news = row.is_changed();
        if is_news {
            row.updated_at = Set(self.now);
        }
        if has_moved || !known.is_direct() {
            row.file_path.set_if_not_equals(Some(file.stored.clone()));
        }
        row.file_hash.set_if_not_equals(Some(file.hash.clone()));
        row.file_modified_at.set_if_not_equals(self.resting(file));
        if row.is_changed() {
            let new_duration = row.duration.is_set();
            let row = row.update(db).await?;
            if new_duration {
                recompute_completed(db, id, row.duration, self.rules).await?;
            }
        }
        match () {
            () if has_moved => {
                report.moved += 1;
                report.note(&file.path, format!("moved here from {}; it keeps its history", known.file_path));
            }
            () if was_missing => report.returned += 1,
            () if is_news => report.updated += 1,
            () => report.unchanged += 1,
        }
        Ok(())
    }

    /// Leaves a file out whose video was deleted, and remembers where it lies now.
    pub(super) async fn leave_out(
        &self,
        db: &DatabaseTransaction,
        known: &KnownFile,
        file: &ScannedFile,
        report: &mut ScanReport,
    ) -> Result<(), Error> {
        report.deleted += 1;
        report.note(&file.path, "its video was deleted; --restore registers it again");
        if let FileRecord::Deleted(id) = known.record {
            deleted_file::Entity::update_many()
                .col_expr(deleted_file::Column::FilePath, Expr::value(file.stored.clone()))
                .col_expr(deleted_file::Column::FileHash, Expr::value(file.hash.clone()))
                .filter(deleted_file::Column::Id.eq(id))
                .exec(db)
                .await?;
        }
        Ok(())
    }

    /// Says of a video whose file is not among those found whether it can be watched.
    pub(super) async fn note_absence(
        &self,
        db: &DatabaseTransaction,
        id: i64,
        file_path: &String,
        &AbsentFile { is_missing, ref picture }: &AbsentFile,
        report: &mut ScanReport,
    ) -> Result<(), Error> {
        let row = video::Entity::find_by_id(id).one(db).await?;
        let Some(row) = row.filter(|row| row.file_path.as_ref() == Some(file_path)) else { return Ok(()) };
        let (was_missing, mut row) = (row.missing_since.is_some(), row.into_active_model());
        if is_missing != was_missing {
            row.missing_since = Set(is_missing.then_some(self.now));
            if is_missing {
                report.note(file_path, format!("is missing; video {id} keeps its history until the file is back"));
            } else {
                report.returned += 1;
            }
        }
        row.thumbnail_file.set_if_not_equals(picture.clone());
        if row.is_changed() {
            row.updated_at = Set(self.now);
            row.update(db).await?;
        }
        Ok(())
    }

    /// When the file was changed last, if that is long enough ago to tell by it whether it was changed again.
    fn resting(&self, file: &ScannedFile) -> Option<DateTime<Utc>> {
        Some(file.stamp.modified_at).filter(|moment| *moment + RESTING < self.now)
    }
}

/// How it stands with a file that a scan did not come across.
#[derive(Debug)]
pub(super) struct AbsentFile {
    pub(super) is_missing: bool,
    pub(super) picture: Option<String>,
}
