//! What tells one file from another: where it lies, and what is in it.

use super::Library;
use super::walk::PictureFinder;
use chrono::{DateTime, SubsecRound, Utc};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How much is read at the beginning, in the middle and at the end of a file to know it again.
const SAMPLE: u64 = 64 * 1024;

/// Which file of which disk it is, under whatever name.
pub(super) type FileIdentity = (u64, u64);

/// A video file as it lies there.
#[derive(Debug)]
pub(super) struct ScannedFile {
    /// Its one true path.
    pub(super) path: PathBuf,
    /// What is stored of that.
    pub(super) stored: String,
    pub(super) identity: FileIdentity,
    pub(super) stamp: FileStamp,
    /// Of its content.
    pub(super) hash: String,
    /// The picture beside it, and what is stored of its path.
    pub(super) picture: Option<(PathBuf, String)>,
}

/// What changes when somebody writes to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileStamp {
    pub(super) size: i64,
    pub(super) modified_at: DateTime<Utc>,
}

impl FileStamp {
    pub(super) fn of(metadata: &Metadata) -> io::Result<Self> {
        let size = i64::try_from(metadata.len()).map_err(io::Error::other)?;
        // No finer than a database keeps it.
        Ok(Self { size, modified_at: DateTime::<Utc>::from(metadata.modified()?).trunc_subsecs(6) })
    }
}

pub(super) fn identity(metadata: &Metadata) -> FileIdentity {
    (metadata.dev(), metadata.ino())
}

/// Looks at one file. `known_hash` gives the hash that a file with this stamp had when it was scanned last.
pub(super) fn inspect(
    library: &Library,
    path: &Path,
    pictures: &mut PictureFinder,
    known_hash: impl Fn(FileStamp) -> Option<String>,
) -> Result<ScannedFile, String> {
    let stored = library.stored(path).ok_or("its name is not Unicode; rename it")?;
    if stored.chars().count() > 500 {
        return Err("its path has more than 500 characters".into());
    }
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    let stamp = FileStamp::of(&metadata).map_err(|error| error.to_string())?;
    let hash = match known_hash(stamp) {
        Some(hash) => hash,
        None => hash_of(path).map_err(|error| format!("the file cannot be read: {error}"))?,
    };
    let picture = pictures.beside(path).and_then(|picture| Some((picture.clone(), library.stored(&picture)?)));
    let found = ScannedFile { path: path.to_owned(), stored, identity: identity(&metadata), stamp, hash, picture };
    found.refuse_if_written()?;
    Ok(found)
}

impl ScannedFile {
    /// Fails when somebody wrote to the file since it was looked at.
    pub(super) fn refuse_if_written(&self) -> Result<(), String> {
        let now = fs::metadata(&self.path).and_then(|metadata| FileStamp::of(&metadata));
        if now.map_err(|error| error.to_string())? == self.stamp {
            Ok(())
        } else {
            Err("it is still being written; scan again when it is complete".into())
        }
    }
}

/// A hash of the size, the beginning, the middle and the end of a file: two films that share all of them are one.
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
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_is_written_to_meanwhile_is_left_for_the_next_scan() {
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
    fn a_hash_tells_the_beginning_the_middle_the_end_and_the_size() {
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
