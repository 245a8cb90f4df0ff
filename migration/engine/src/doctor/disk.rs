//! Whether there is room for a backup and for a rebuilt table.

use super::{Diagnosis, text};
use crate::Error;
use sea_orm_migration::sea_orm::DatabaseConnection;
use std::path::Path;

const MEBIBYTE: u64 = 1 << 20;

pub(super) async fn examine(db: &DatabaseConnection, file: &Path, diagnosis: &mut Diagnosis) -> Result<(), Error> {
    let size = text(db, "SELECT CAST(page_count * page_size AS TEXT) FROM pragma_page_count, pragma_page_size").await?;
    let size: u64 = size.parse().unwrap_or_default();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let sizes = |free: u64| format!("{} MiB of data, {} MiB free", size.div_ceil(MEBIBYTE), free / MEBIBYTE);
    match rustix::fs::statvfs(folder).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)) {
        // The backup, the journal of the rebuild and the rebuilt tables each need as much space as
        // the data.
        Ok(free) if free < 3 * size + 16 * MEBIBYTE => {
            diagnosis.add_problem(sizes(free), "free some space: a migration needs three times the size of the data");
        }
        Ok(free) => diagnosis.add_ok(sizes(free)),
        Err(error) => diagnosis.add_ok(format!("the free space is not known ({error})")),
    }
    Ok(())
}
