//! What a scan writes for each file. It reads each row again, because another scan may have changed
//! it.

use super::container::ContainerInfo;
use super::inspect::ScannedFile;
use super::known::{FileRecord, KnownFile};
use super::report::ScanReport;
use super::walk::title;
use crate::Error;
use crate::progress::ProgressRules;
use crate::storage::{Event, Transaction};
use crate::video::recompute_completed;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{deleted_file, video};
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, IntoActiveModel};

/// A file that was changed so shortly before the scan may be written to again without a new stamp.
const SETTLING_TIME: TimeDelta = TimeDelta::seconds(2);

/// What is the same for all files of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanContext<'a> {
    /// The owner of new videos.
    pub(super) owner_id: i64,
    /// Whether deleted videos are registered again.
    pub(super) restore: bool,
    pub(super) rules: &'a ProgressRules,
    pub(super) now: DateTime<Utc>,
}

impl ScanContext<'_> {
    /// Adds a video for a file, and returns its id.
    pub(super) async fn insert(
        &self,
        tx: &Transaction,
        file: &ScannedFile,
        container: ContainerInfo,
        report: &mut ScanReport,
    ) -> Result<i64, Error> {
        // One microsecond apart, so that an index has them in this order.
        let created_at = self.now + TimeDelta::microseconds(report.added.try_into().unwrap_or(0));
        let ContainerInfo { duration, width, height } = container;
        let row = video::ActiveModel {
            user_id: Set(self.owner_id),
            title: Set(title(&file.stored)),
            file_path: Set(Some(file.stored.clone())),
            file_size: Set(Some(file.stamp.size)),
            file_hash: Set(Some(file.hash.clone())),
            file_modified_at: Set(self.settled_time(file)),
            duration: Set(duration),
            width: Set(width),
            height: Set(height),
            thumbnail_file: Set(file.picture.as_ref().map(|(_, stored)| stored.clone())),
            status: Set(video::Status::Ready),
            created_at: Set(created_at),
            updated_at: Set(created_at),
            published_at: Set(Some(created_at)),
            ..Default::default()
        };
        let inserted = video::Entity::insert(row).exec(tx).await?;
        report.added += 1;
        tx.record(Event::VideoCreated { video_id: inserted.last_insert_id, user_id: self.owner_id });
        Ok(inserted.last_insert_id)
    }

    /// Updates the video of a known file. Values that the container does not have stay unchanged,
    /// and so does everything when the container was read before: values that people have set are
    /// kept.
    pub(super) async fn update(
        &self,
        tx: &Transaction,
        (id, known): (i64, &KnownFile),
        (file, container): (&ScannedFile, Option<ContainerInfo>),
        has_moved: bool,
        report: &mut ScanReport,
    ) -> Result<(), Error> {
        let row = video::Entity::find_by_id(id).one(tx).await?;
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
        let is_updated = row.is_changed();
        if is_updated {
            row.updated_at = Set(self.now);
            tx.record(Event::VideoChanged { video_id: id });
        }
        if has_moved || !known.is_direct() {
            row.file_path.set_if_not_equals(Some(file.stored.clone()));
        }
        row.file_hash.set_if_not_equals(Some(file.hash.clone()));
        row.file_modified_at.set_if_not_equals(self.settled_time(file));
        if row.is_changed() {
            let new_duration = row.duration.is_set();
            let row = row.update(tx).await?;
            if new_duration {
                recompute_completed(tx, id, row.duration, self.rules, self.now).await?;
            }
        }
        match () {
            () if has_moved => {
                report.moved += 1;
                report.note(&file.path, format!("moved here from {}; it keeps its history", known.file_path));
            }
            () if was_missing => report.returned += 1,
            () if is_updated => report.updated += 1,
            () => report.unchanged += 1,
        }
        Ok(())
    }

    /// Skips a file whose video was deleted, and stores its path of now.
    pub(super) async fn skip(
        &self,
        tx: &Transaction,
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
                .exec(tx)
                .await?;
        }
        Ok(())
    }

    /// Stores whether the file of a video that the scan did not find is missing.
    pub(super) async fn update_absent(
        &self,
        tx: &Transaction,
        id: i64,
        file_path: &String,
        &AbsentFile { is_missing, ref picture }: &AbsentFile,
        report: &mut ScanReport,
    ) -> Result<(), Error> {
        let row = video::Entity::find_by_id(id).one(tx).await?;
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
            row.update(tx).await?;
            tx.record(Event::VideoChanged { video_id: id });
        }
        Ok(())
    }

    /// The time of the last change of a file, if it is long enough ago that a later change gets
    /// another time.
    fn settled_time(&self, file: &ScannedFile) -> Option<DateTime<Utc>> {
        Some(file.stamp.modified_at).filter(|time| *time + SETTLING_TIME < self.now)
    }
}

/// A known file that a scan did not find.
#[derive(Debug)]
pub(super) struct AbsentFile {
    pub(super) is_missing: bool,
    pub(super) picture: Option<String>,
}
