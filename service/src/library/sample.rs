//! The sample clip: something to play for whoever starts Playhead for the first time.

use super::{Library, scan::register_file};
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use std::fs;
use std::io;

/// The name of the clip in the media folder.
pub const SAMPLE_NAME: &str = "Sample clip.webm";
const PICTURE_NAME: &str = "Sample clip.jpg";
const CLIP: &[u8] = include_bytes!("../../sample/Sample clip.webm");
const PICTURE: &[u8] = include_bytes!("../../sample/Sample clip.jpg");

/// Makes the media folder with the clip in it, when there is no such folder yet. True when it did.
///
/// # Errors
/// The folder cannot be made or written.
pub fn write(library: &Library) -> io::Result<bool> {
    if library.root().exists() {
        return Ok(false);
    }
    fs::create_dir_all(library.root())?;
    fs::write(library.root().join(SAMPLE_NAME), CLIP)?;
    fs::write(library.root().join(PICTURE_NAME), PICTURE)?;
    Ok(true)
}

/// Registers the clip for the account `owner_id`, when it lies in the media folder.
///
/// # Errors
/// Those of the database.
pub async fn register(db: &Database, library: &Library, owner_id: i64, now: DateTime<Utc>) -> Result<(), Error> {
    let clip = library.root().join(SAMPLE_NAME);
    if clip.is_file() { register_file(db, library, &clip, owner_id, now).await } else { Ok(()) }
}
