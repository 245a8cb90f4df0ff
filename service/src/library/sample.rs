//! The sample clip, which can be played after the first start.

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

/// Creates the media folder with the clip, if the folder does not exist. Returns whether it did.
///
/// # Errors
/// The folder cannot be created or written.
pub fn write(library: &Library) -> io::Result<bool> {
    if library.root().exists() {
        return Ok(false);
    }
    fs::create_dir_all(library.root())?;
    fs::write(library.root().join(SAMPLE_NAME), CLIP)?;
    fs::write(library.root().join(PICTURE_NAME), PICTURE)?;
    Ok(true)
}

/// Registers the clip for the account `owner_id`, if it is in the media folder.
///
/// # Errors
/// Database errors.
pub async fn register(db: &Database, library: &Library, owner_id: i64, now: DateTime<Utc>) -> Result<(), Error> {
    let clip = library.root().join(SAMPLE_NAME);
    if clip.is_file() { register_file(db, library, &clip, owner_id, now).await } else { Ok(()) }
}
