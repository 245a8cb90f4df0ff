//! `playhead scan`: registers the video files of a folder.

use crate::database;
use crate::output::{print_line, print_note};
use crate::settings::Settings;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use migration::environment::expand_home;
use service::library::{self, Library, ScanProgress, ScanReport, ScanRequest};
use service::time::Clock;
use service::{Error, user};
use std::path::PathBuf;

/// Registers the files below `dir`, or below the media folder.
pub(crate) async fn run(
    settings: &Settings,
    dir: Option<PathBuf>,
    owner: Option<String>,
    restore: bool,
) -> Result<(), String> {
    let dir = dir.map(|dir| expand_home(&dir).map_err(|error| format!("{}: {error}", dir.display()))).transpose()?;
    let db = database::open(settings).await?;
    let library = Library::new(&settings.media_dir);
    let owner = user::find_scan_owner(db.reader(), owner.as_deref()).await.map_err(|error| match (error, &owner) {
        (Error::UserNotFound, Some(name)) => format!("--owner {name}: there is no such user"),
        (Error::UserNotFound, None) => {
            "the videos need an owner, and there is no administrator yet: sign up on the page, or run \
             `playhead user create NAME EMAIL --admin`"
                .into()
        }
        (other, _) => other.to_string(),
    })?;
    let dir = dir.unwrap_or_else(|| settings.media_dir.clone());

    // Only drawn on a terminal.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent} %, {eta} left") {
        bar.set_style(style);
    }
    let watch = |ScanProgress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let folder = ScanRequest { path: &dir, restore };
    let report = library::scan(&db, &library, folder, owner.id, &settings.rules, Clock::System.now(), watch).await;
    bar.finish_and_clear();
    db.close().await;
    let report = report.map_err(|error| error.to_string())?;
    for note in &report.notes {
        print_note(format_args!("{}: {}", note.path.display(), note.text));
    }
    for problem in &report.problems {
        print_note(format_args!("skipped: {}: {}", problem.path.display(), problem.text));
    }
    print_line(format_args!("{}: {}", dir.display(), summary(&report)));
    Ok(())
}

/// The result of a scan in one line, without zeros after the first four counts.
fn summary(report: &ScanReport) -> String {
    let mut summary = format!(
        "{} added, {} updated, {} unchanged, {} skipped",
        report.added,
        report.updated,
        report.unchanged,
        report.problems.len()
    );
    for (count, what) in [
        (report.moved, "moved"),
        (report.returned, "returned"),
        (report.missing, "missing"),
        (report.deleted, "skipped, because the video was deleted (use --restore)"),
        (report.links, if report.links == 1 { "link not followed" } else { "links not followed" }),
    ] {
        if count > 0 {
            summary.push_str(&format!(", {count} {what}"));
        }
    }
    summary
}
