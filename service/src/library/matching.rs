//! Which found file is which known one. One file is one video, whatever its names; two copies are two.

use super::inspect::{FileIdentity, ScannedFile, hash_of};
use super::known::{FileLocation, KnownFile};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What a found file is. Numbers count in the list of known files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// The known file, with the content that it had, as far as that is known.
    Same(usize),
    /// A known file that lay elsewhere.
    Moved(usize),
    /// The known file, with other content.
    Changed(usize),
    /// A file that nobody knows.
    New,
    /// Another name for a file that is known or found by this one.
    OtherName(PathBuf),
}

/// All matches.
#[derive(Debug)]
pub(super) struct Matches {
    /// One for each found file.
    pub(super) of_found: Vec<Match>,
    /// Whether a known file was found.
    pub(super) is_found: Vec<bool>,
    /// Known files that are a second record of another one's file: both numbers.
    pub(super) doubles: Vec<(usize, usize)>,
}

/// Compares what was found with what is known. Content goes before names: of two films that exchange their names, each keeps
/// its video. Blocks, as files do.
pub(super) fn compare(known: &[KnownFile], found: &[ScannedFile]) -> Matches {
    let mut search = Search {
        known,
        found,
        by_path: HashMap::new(),
        by_content: HashMap::new(),
        by_size: HashMap::new(),
        by_identity: HashMap::new(),
        found_by_path: found.iter().map(|file| (file.path.as_path(), file)).collect(),
        of_found: vec![None; found.len()],
        is_found: vec![false; known.len()],
        doubles: Vec::new(),
    };
    for (n, known) in known.iter().enumerate() {
        if let FileLocation::At { path, identity, .. } = &known.place {
            search.by_path.entry(path).or_default().push(n);
            search.by_identity.entry(*identity).or_default().push(n);
        }
        match (&known.hash, known.size) {
            (Some(hash), _) => search.by_content.entry(hash).or_default().push(n),
            (None, Some(size)) => search.by_size.entry(size).or_default().push(n),
            (None, None) => {}
        }
    }
    search.same_path_and_content();
    search.same_file();
    let same_name =
        |known: &KnownFile, found: &ScannedFile| Path::new(&known.file_path).file_name() == found.path.file_name();
    search.moved(same_name);
    // What an older scan registered is known by its name and its size alone.
    search.moved(|known, _| known.hash.is_some());
    search.rest()
}

struct Search<'a> {
    known: &'a [KnownFile],
    found: &'a [ScannedFile],
    by_path: HashMap<&'a Path, Vec<usize>>,
    by_content: HashMap<&'a str, Vec<usize>>,
    /// Those whose content is not known.
    by_size: HashMap<i64, Vec<usize>>,
    by_identity: HashMap<FileIdentity, Vec<usize>>,
    found_by_path: HashMap<&'a Path, &'a ScannedFile>,
    of_found: Vec<Option<Match>>,
    is_found: Vec<bool>,
    doubles: Vec<(usize, usize)>,
}

impl Search<'_> {
    /// What lies where it lay.
    fn same_path_and_content(&mut self) {
        for (n, file) in self.found.iter().enumerate() {
            let mut first = None;
            for &known in self.by_path.get(file.path.as_path()).into_iter().flatten() {
                if self.known[known].hash.as_ref().is_some_and(|hash| *hash != file.hash) {
                    continue;
                }
                self.is_found[known] = true;
                match first {
                    None => first = Some(known),
                    Some(first) if !self.known[known].is_deleted() => self.doubles.push((known, first)),
                    Some(_) => {}
                }
            }
            self.of_found[n] = first.map(Match::Same);
        }
    }

    /// What is known under another name of the same file: a hard link, or a name in other letters where these do not count.
    fn same_file(&mut self) {
        for (n, file) in self.found.iter().enumerate() {
            if self.of_found[n].is_some() {
                continue;
            }
            let others = self.by_identity.get(&file.identity).into_iter().flatten();
            let mut others = others.filter_map(|&known| match &self.known[known].place {
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

    /// What lies elsewhere now: the same content, which is where it was no longer.
    fn moved(&mut self, fits: impl Fn(&KnownFile, &ScannedFile) -> bool) {
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
            // Moving a file leaves the moment of its last change as it is.
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

    /// Whether a known file is still there with this content.
    fn still_holds(&self, known: &KnownFile, hash: &str) -> bool {
        match &known.place {
            FileLocation::Gone => false,
            FileLocation::Unclear => true,
            FileLocation::At { path, stamp, .. } => match self.found_by_path.get(path.as_path()) {
                Some(found) => found.hash == hash,
                None if stamp.is_some() && known.stamp == *stamp => true,
                None => hash_of(path).is_ok_and(|now| now == hash),
            },
        }
    }

    /// What has other content than before, and what is new.
    fn rest(mut self) -> Matches {
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
        Matches { of_found, is_found: self.is_found, doubles: self.doubles }
    }
}
