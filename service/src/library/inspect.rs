//! Looking at a file: its identity, size, time of change and content.

use super::Library;
use super::walk::PictureFinder;
use chrono::{DateTime, SubsecRound, Utc};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes that are hashed at the start, in the middle and at the end of a file.
const SAMPLE: u64 = 64 * 1024;

/// The device and inode of a file, which are the same for all its names.
pub(super) type FileIdentity = (u64, u64);

/// A video file that a scan found.
#[derive(Debug)]
pub(super) struct ScannedFile {
    /// Its canonical path.
    pub(super) path: PathBuf,
    /// The path to store.
    pub(super) stored: String,
    pub(super) identity: FileIdentity,
    pub(super) stamp: FileStamp,
    /// The hash of its content.
    pub(super) hash: String,
    /// The picture beside it, and the path to store.
    pub(super) picture: Option<(PathBuf, String)>,
}

/// The size and time of change of a file, which differ after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileStamp {
    pub(super) size: i64,
    pub(super) modified_at: DateTime<Utc>,
}

impl FileStamp {
    pub(super) fn of(metadata: &Metadata) -> io::Result<Self> {
        let size = i64::try_from(metadata.len()).map_err(io::Error::other)?;
        // Databases store microseconds.
        Ok(Self { size, modified_at: DateTime::<Utc>::from(metadata.modified()?).trunc_subsecs(6) })
    }
}

pub(super) fn identity(metadata: &Metadata) -> FileIdentity {
    (metadata.dev(), metadata.ino())
}

/// Looks at one file. `known_hash` returns the hash that the last scan found with this stamp.
pub(super) fn inspect(
    library: &Library,
    path: &Path,
    pictures: &mut PictureFinder,
    known_hash: impl Fn(FileStamp) -> Option<String>,
) -> Result<ScannedFile, String> {
    let stored = library.stored_path(path).ok_or("its name is not Unicode; rename it")?;
    if stored.chars().count() > 500 {
        return Err("its path has more than 500 characters".into());
    }
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    let stamp = FileStamp::of(&metadata).map_err(|error| error.to_string())?;
    let hash = match known_hash(stamp) {
        Some(hash) => hash,
        None => hash_of(path).map_err(|error| format!("the file cannot be read: {error}"))?,
    };
    let picture = pictures.beside(path).and_then(|picture| Some((picture.clone(), library.stored_path(&picture)?)));
    let found = ScannedFile { path: path.to_owned(), stored, identity: identity(&metadata), stamp, hash, picture };
    found.refuse_if_written()?;
    Ok(found)
}

impl ScannedFile {
    /// Fails when the file was written to after it was inspected.
    pub(super) fn refuse_if_written(&self) -> Result<(), String> {
        let now = fs::metadata(&self.path).and_then(|metadata| FileStamp::of(&metadata));
        if now.map_err(|error| error.to_string())? == self.stamp {
            Ok(())
        } else {
            Err("it is still being written; scan again when it is complete".into())
        }
    }
}

/// A hash of the size, the start, the middle and the end of a file. Files with the same hash are
/// taken for the same video.
pub(super) fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut hash = Sha256::new();
    hash.update(size.to_be_bytes());
    for begin in [0, size.saturating_sub(SAMPLE) / 2, size.saturating_sub(SAMPLE)] {
        file.seek(SeekFrom::Start(begin))?;
        let mut sample = Vec::new();
        file.by_ref().take(SAMPLE).read_to_end(&mut sample)?;
        hash.update(&sample);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_is_being_written_is_left_for_the_next_scan() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = root.join("film.mp4");
        fs::write(&path, "the first part").unwrap();
        let found = inspect(&Library::new(&root), &path, &mut PictureFinder::default(), |_| None).unwrap();
        assert_eq!(found.refuse_if_written(), Ok(()));
        File::options().append(true).open(&path).unwrap().write_all(b" and more").unwrap();
        assert!(found.refuse_if_written().unwrap_err().contains("still being written"));
    }

    #[test]
    fn the_hash_depends_on_start_middle_end_and_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        let mut bytes = vec![0_u8; 1_000_000];
        let mut hash = |change: &dyn Fn(&mut Vec<u8>)| {
            change(&mut bytes);
            fs::write(&path, &bytes).unwrap();
            hash_of(&path).unwrap()
        };
        let at = |place: usize| move |bytes: &mut Vec<u8>| bytes[place] = 1;
        let hashes = [hash(&|_| {}), hash(&at(0)), hash(&at(500_000)), hash(&at(999_999)), hash(&|b| b.push(1))];
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        assert_eq!(hash(&|_| {}), hashes[4]);
    }
}
