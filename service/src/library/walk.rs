//! Listing a folder: the files that may be videos, and the pictures beside them.

use super::report::FileNote;
use crate::Error;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization;
use walkdir::{DirEntry, WalkDir};

/// The file extensions of videos, in any case.
const VIDEO_EXTENSIONS: [&str; 5] = ["mp4", "m4v", "mov", "webm", "mkv"];
/// The file extensions of pictures, in any case; the first one that exists is used.
const PICTURE_EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// The content of a folder and its subfolders.
#[derive(Debug, Default)]
pub(super) struct FolderWalk {
    /// Files with the extension of a video, sorted by name.
    pub(super) files: Vec<PathBuf>,
    /// Links, which are not followed: they may lead anywhere, also into the same folder.
    pub(super) links: Vec<FileNote>,
    /// Files and folders that could not be read.
    pub(super) problems: Vec<FileNote>,
}

/// Lists the files below `folder`, which may itself be a link. Links below it are not followed, and
/// hidden files are skipped.
pub(super) fn walk(folder: &Path) -> Result<FolderWalk, Error> {
    let invalid = |error| Error::Invalid { field: "DIR".into(), message: format!("{}: {error}", folder.display()) };
    let folder = folder.canonicalize().map_err(invalid)?;
    let mut walk = FolderWalk::default();
    let hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| !hidden(entry)) {
        match entry {
            Ok(entry) if entry.path_is_symlink() => walk.links.extend(link(entry.path())),
            Ok(entry) if entry.file_type().is_file() && has_extension(entry.path(), &VIDEO_EXTENSIONS) => {
                walk.files.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) => walk.problems.push(FileNote {
                path: error.path().unwrap_or(Path::new("")).to_owned(),
                text: error.io_error().map_or_else(|| error.to_string(), ToString::to_string),
            }),
        }
    }
    Ok(walk)
}

/// The remark on a link that may lead to videos: to a folder, to nothing, or with the name of a
/// video.
fn link(path: &Path) -> Option<FileNote> {
    let is_folder = path.metadata().map(|metadata| metadata.is_dir());
    if !has_extension(path, &VIDEO_EXTENSIONS) && !is_folder.unwrap_or(true) {
        return None;
    }
    let target = fs::read_link(path).unwrap_or_default();
    let text = format!("is a link to {}, which is not followed; scan what it names", target.display());
    Some(FileNote { path: path.to_owned(), text })
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Finds the pictures beside videos; it reads each folder once.
#[derive(Debug, Default)]
pub(super) struct PictureFinder {
    folders: HashMap<PathBuf, FolderContents>,
}

#[derive(Debug, Default)]
struct FolderContents {
    pictures: Vec<PathBuf>,
    /// The names of its videos without extension.
    stems: Vec<String>,
}

impl PictureFinder {
    /// The picture with the same name as this video. The name may differ in case or composition of
    /// letters, unless it is exactly the name of another video.
    pub(super) fn beside(&mut self, video: &Path) -> Option<PathBuf> {
        let folder = video.parent()?;
        let FolderContents { pictures, stems } =
            self.folders.entry(folder.to_owned()).or_insert_with(|| read_folder(folder));
        let stem = stem(video)?;
        let same = |other: &str| *other == stem;
        let alike = |other: &str| fold(other) == fold(&stem) && !stems.iter().any(|stem| stem == other);
        let rank =
            |picture: &&PathBuf| PICTURE_EXTENSIONS.iter().position(|extension| has_extension(picture, &[extension]));
        let best = |fits: &dyn Fn(&str) -> bool| {
            let fitting = pictures.iter().filter(|picture| self::stem(picture).is_some_and(|stem| fits(&stem)));
            fitting.min_by_key(rank).cloned()
        };
        best(&same).or_else(|| best(&alike))
    }
}

/// Reads a folder. It skips links, because they would not be opened.
fn read_folder(folder: &Path) -> FolderContents {
    let mut found = FolderContents::default();
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if has_extension(&path, &PICTURE_EXTENSIONS) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            found.pictures.push(path);
        } else if has_extension(&path, &VIDEO_EXTENSIONS) {
            found.stems.extend(stem(&path));
        }
    }
    found
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_str()?.to_owned())
}

fn fold(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase()
}

/// The title of a video by its stored path: the file name without extension, at most 255
/// characters. If that has no visible character, it is the name of the folder.
pub(super) fn title(stored: &str) -> String {
    let path = Path::new(stored);
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let names = [path.file_stem().and_then(|stem| stem.to_str()), folder];
    let mut titles = names.into_iter().flatten().map(|name| {
        let name: String = name.nfc().map(|c| if c.is_control() { ' ' } else { c }).collect();
        name.trim().chars().take(255).collect::<String>().trim_end().to_owned()
    });
    titles.find(|title| title.chars().any(is_visible)).unwrap_or_else(|| "Untitled".into())
}

/// Whether a character is visible and no separator.
fn is_visible(c: char) -> bool {
    let is_gap = c.is_whitespace() || c.is_control() || matches!(c, '_' | '-' | '.' | '~');
    // Fillers, joiners and direction marks.
    let is_invisible = matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}');
    !is_gap && !is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_name_of_the_file_or_of_its_folder() {
        for (stored, expected) in [
            ("Harbour at dawn.mp4", "Harbour at dawn"),
            ("a/b/ Deep .mp4", "Deep"),
            ("🦀.mp4", "🦀"),
            ("!!!.mp4", "!!!"),
            ("tab\tand\nline.mp4", "tab and line"),
            ("Cafe\u{301}.mp4", "Café"),
            (" .mp4", "Untitled"),
            ("__.mp4", "Untitled"),
            ("\u{3164}\u{200b}.mp4", "Untitled"),
            ("Holiday 2019/ .mp4", "Holiday 2019"),
            ("/srv/films/- -.mp4", "films"),
            ("__/--.mp4", "Untitled"),
        ] {
            assert_eq!(title(stored), expected, "{stored:?}");
        }
        assert_eq!(title(&format!("{}.mp4", "é".repeat(300))).chars().count(), 255);
    }
}
