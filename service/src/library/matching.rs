//! Matches found files with known ones. One file is one video, whatever its names; two copies are
//! two videos.

use super::inspect::{FileIdentity, ScannedFile, hash_of};
use super::known::{FileLocation, KnownFile};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What a found file is. The numbers are indexes in the list of known files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// The known file with the same content, if its content is known.
    Same(usize),
    /// A known file that was at another path.
    Moved(usize),
    /// The known file with other content.
    Changed(usize),
    /// An unknown file.
    New,
    /// A second name of the file at this path.
    OtherName(PathBuf),
}

/// The matches of all files.
#[derive(Debug)]
pub(super) struct Matches {
    /// One match for each found file.
    pub(super) of_found: Vec<Match>,
    /// Whether each known file was found.
    pub(super) is_found: Vec<bool>,
    /// Pairs of known files that are the same file.
    pub(super) duplicates: Vec<(usize, usize)>,
}

/// Matches the found files with the known ones. Content is compared before names: when two files
/// exchange their names, each keeps its video. Blocking.
pub(super) fn compare(known: &[KnownFile], found: &[ScannedFile]) -> Matches {
    let mut matcher = Matcher {
        known,
        found,
        by_path: HashMap::new(),
        by_content: HashMap::new(),
        by_size: HashMap::new(),
        by_identity: HashMap::new(),
        found_by_path: found.iter().map(|file| (file.path.as_path(), file)).collect(),
        of_found: vec![None; found.len()],
        is_found: vec![false; known.len()],
        duplicates: Vec::new(),
    };
    for (n, known) in known.iter().enumerate() {
        if let FileLocation::At { path, identity, .. } = &known.location {
            matcher.by_path.entry(path).or_default().push(n);
            matcher.by_identity.entry(*identity).or_default().push(n);
        }
        match (&known.hash, known.size) {
            (Some(hash), _) => matcher.by_content.entry(hash).or_default().push(n),
            (None, Some(size)) => matcher.by_size.entry(size).or_default().push(n),
            (None, None) => {}
        }
    }
    matcher.match_by_path();
    matcher.match_by_identity();
    let same_name =
        |known: &KnownFile, found: &ScannedFile| Path::new(&known.file_path).file_name() == found.path.file_name();
    matcher.match_moved(same_name);
    // An older version stored no hash; such a file is matched by its name and size.
    matcher.match_moved(|known, _| known.hash.is_some());
    matcher.match_rest()
}

struct Matcher<'a> {
    known: &'a [KnownFile],
    found: &'a [ScannedFile],
    by_path: HashMap<&'a Path, Vec<usize>>,
    by_content: HashMap<&'a str, Vec<usize>>,
    /// Files whose content is unknown.
    by_size: HashMap<i64, Vec<usize>>,
    by_identity: HashMap<FileIdentity, Vec<usize>>,
    found_by_path: HashMap<&'a Path, &'a ScannedFile>,
    of_found: Vec<Option<Match>>,
    is_found: Vec<bool>,
    duplicates: Vec<(usize, usize)>,
}

impl Matcher<'_> {
    /// Matches files with the same path and content.
    fn match_by_path(&mut self) {
        for (n, file) in self.found.iter().enumerate() {
            let mut first = None;
            for &known in self.by_path.get(file.path.as_path()).into_iter().flatten() {
                if self.known[known].hash.as_ref().is_some_and(|hash| *hash != file.hash) {
                    continue;
                }
                self.is_found[known] = true;
                match first {
                    None => first = Some(known),
                    Some(first) if !self.known[known].is_deleted() => self.duplicates.push((known, first)),
                    Some(_) => {}
                }
            }
            self.of_found[n] = first.map(Match::Same);
        }
    }

    /// Matches other names of a known file: a hard link, or a name in another case on a file system
    /// that ignores case.
    fn match_by_identity(&mut self) {
        for (n, file) in self.found.iter().enumerate() {
            if self.of_found[n].is_some() {
                continue;
            }
            let others = self.by_identity.get(&file.identity).into_iter().flatten();
            let mut others = others.filter_map(|&known| match &self.known[known].location {
                FileLocation::At { path, .. } if *path != file.path => Some((known, path)),
                _ => None,
            });
            let Some((known, path)) = others.next() else { continue };
            let is_found = self.is_found[known] || self.found_by_path.contains_key(path.as_path());
            let is_same = self.known[known].hash.as_ref().is_none_or(|hash| *hash == file.hash);
            self.of_found[n] = Some(match (is_found, is_same) {
                (true, _) => Match::OtherName(path.clone()),
                (false, true) => Match::Same(known),
                (false, false) => Match::Changed(known),
            });
            self.is_found[known] = true;
        }
    }

    /// Matches files that were moved: the same content, which is no longer at the old path.
    fn match_moved(&mut self, fits: impl Fn(&KnownFile, &ScannedFile) -> bool) {
        for (n, file) in self.found.iter().enumerate() {
            if self.of_found[n].is_some() {
                continue;
            }
            let by_content = self.by_content.get(file.hash.as_str()).into_iter().flatten();
            let by_size = self.by_size.get(&file.stamp.size).into_iter().flatten();
            let mut candidates: Vec<usize> = by_content
                .chain(by_size)
                .copied()
                .filter(|&known| !self.is_found[known] && fits(&self.known[known], file))
                .filter(|&known| !self.still_holds(&self.known[known], &file.hash))
                .collect();
            // Moving a file does not change its modification time.
            candidates.sort_by_key(|&known| {
                let known = &self.known[known];
                (known.stamp.is_none_or(|stamp| stamp != file.stamp), known.record)
            });
            if let Some(&known) = candidates.first() {
                self.is_found[known] = true;
                self.of_found[n] = Some(Match::Moved(known));
            }
        }
    }

    /// Whether a known file still exists with this content.
    fn still_holds(&self, known: &KnownFile, hash: &str) -> bool {
        match &known.location {
            FileLocation::Missing => false,
            FileLocation::Unknown => true,
            FileLocation::At { path, stamp, .. } => match self.found_by_path.get(path.as_path()) {
                Some(found) => found.hash == hash,
                None if stamp.is_some() && known.stamp == *stamp => true,
                None => hash_of(path).is_ok_and(|now| now == hash),
            },
        }
    }

    /// Matches files with changed content; the remaining ones are new.
    fn match_rest(mut self) -> Matches {
        let mut new: HashMap<FileIdentity, &Path> = HashMap::new();
        let mut of_found = Vec::with_capacity(self.found.len());
        for (n, file) in self.found.iter().enumerate() {
            let mut at_its_path = self.by_path.get(file.path.as_path()).into_iter().flatten().copied();
            let changed = at_its_path.find(|&known| !self.is_found[known] && !self.known[known].is_deleted());
            of_found.push(match (self.of_found[n].take(), changed, new.get(&file.identity)) {
                (Some(known), ..) => known,
                (None, Some(known), _) => {
                    self.is_found[known] = true;
                    Match::Changed(known)
                }
                (None, None, Some(first)) => Match::OtherName((*first).to_owned()),
                (None, None, None) => {
                    new.insert(file.identity, &file.path);
                    Match::New
                }
            });
        }
        Matches { of_found, is_found: self.is_found, duplicates: self.duplicates }
    }
}
