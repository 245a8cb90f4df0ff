//! Summaries of videos in the memory of the process.
//!
//! A summary is kept with the revision of all summaries that its statement saw. A list reads the
//! present revision in the statement that reads the entries, and takes from here only what was read
//! at this revision or later. So a list is never older than a change that was committed before,
//! whichever process committed it, and no message between processes is needed.

use super::summary::{VideoSummary, Visibility};
use std::collections::HashMap;
use std::mem::size_of;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The most bytes that summaries take.
const MAX_BYTES: usize = 8 << 20;
/// After this time a summary is read again, for changes that raised no revision: those of plain
/// SQL, and of older versions of the program during an upgrade.
const PERIOD: Duration = Duration::from_secs(30);

/// Summaries of the videos that were listed last. It is bounded.
#[derive(Debug)]
pub(crate) struct SummaryCache {
    slots: RwLock<Slots>,
    created: Instant,
    max_bytes: usize,
}

impl Default for SummaryCache {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl SummaryCache {
    fn new(max_bytes: usize) -> Self {
        Self { slots: RwLock::default(), created: Instant::now(), max_bytes }
    }

    /// The summaries of these videos, in their order, as far as they are known to be right at
    /// `revision`.
    pub(crate) fn find(&self, video_ids: impl Iterator<Item = i64>, revision: i64) -> Vec<Option<VideoSummary>> {
        let period = self.period();
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let find = |video_id| slots.find(video_id).filter(|slot| slot.is_right(revision, period)).map(Slot::use_it);
        video_ids.map(find).collect()
    }

    /// Keeps summaries that were read, each with its video's id and the revision of its statement,
    /// and returns them by the ids.
    pub(crate) fn keep(&self, read: Vec<(i64, i64, VideoSummary)>) -> HashMap<i64, VideoSummary> {
        let period = self.period();
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        for (video_id, revision, summary) in &read {
            slots.keep(Slot::new(*video_id, *revision, period, summary));
            while slots.bytes > self.max_bytes {
                slots.evict_one();
            }
        }
        read.into_iter().map(|(video_id, _, summary)| (video_id, summary)).collect()
    }

    fn period(&self) -> u64 {
        self.created.elapsed().as_secs() / PERIOD.as_secs()
    }
}

/// The slots, and where each video is. When they are full, the hand of a clock goes around and
/// evicts the first one that was not used since it last passed.
#[derive(Debug, Default)]
struct Slots {
    slots: Vec<Slot>,
    indexes: HashMap<i64, u32>,
    bytes: usize,
    hand: usize,
}

impl Slots {
    fn find(&self, video_id: i64) -> Option<&Slot> {
        self.indexes.get(&video_id).and_then(|index| self.slots.get(usize::try_from(*index).ok()?))
    }

    /// Another worker may have kept the result of a later statement.
    fn keep(&mut self, new: Slot) {
        let stored = self.indexes.get(&new.video_id).and_then(|index| usize::try_from(*index).ok());
        match stored.and_then(|index| self.slots.get_mut(index)) {
            Some(stored) if stored.period == new.period && stored.revision > new.revision => {}
            Some(stored) => {
                self.bytes = self.bytes + new.bytes() - stored.bytes();
                *stored = new;
            }
            None => {
                let Ok(index) = u32::try_from(self.slots.len()) else { return };
                self.bytes += new.bytes();
                self.indexes.insert(new.video_id, index);
                self.slots.push(new);
            }
        }
    }

    fn evict_one(&mut self) {
        loop {
            self.hand = if self.hand < self.slots.len() { self.hand } else { 0 };
            let Some(slot) = self.slots.get_mut(self.hand) else { return self.bytes = 0 };
            if !std::mem::take(slot.is_used.get_mut()) {
                break;
            }
            self.hand += 1;
        }
        let evicted = self.slots.swap_remove(self.hand);
        self.bytes -= evicted.bytes();
        self.indexes.remove(&evicted.video_id);
        if let (Some(moved), Ok(index)) = (self.slots.get(self.hand), u32::try_from(self.hand)) {
            self.indexes.insert(moved.video_id, index);
        }
    }
}

/// A summary with its texts in one allocation.
#[derive(Debug)]
struct Slot {
    video_id: i64,
    revision: i64,
    period: u64,
    is_used: AtomicBool,
    has_thumbnail_file: bool,
    visibility: Visibility,
    duration: Option<i32>,
    /// Title, uploader, description and picture, one after the other.
    texts: Box<str>,
    /// Where the title, the uploader and the description end.
    ends: [u32; 3],
    has_description: bool,
    has_thumbnail_path: bool,
}

/// What a slot takes beside its texts, with its place in the map and what the allocator rounds up.
const SLOT_BYTES: usize = size_of::<Slot>() + 2 * size_of::<(i64, u32)>() + 16;

impl Slot {
    fn new(video_id: i64, revision: i64, period: u64, summary: &VideoSummary) -> Self {
        let VideoSummary { visibility, title, description, duration, .. } = summary;
        let parts = [
            title,
            &summary.uploader_username,
            description.as_deref().unwrap_or_default(),
            summary.thumbnail_path.as_deref().unwrap_or_default(),
        ];
        let end = |parts: &[&str]| parts.iter().map(|part| part.len()).sum::<usize>().try_into().unwrap_or(u32::MAX);
        Self {
            video_id,
            revision,
            period,
            is_used: AtomicBool::new(false),
            has_thumbnail_file: summary.has_thumbnail_file,
            visibility: *visibility,
            duration: *duration,
            texts: parts.concat().into(),
            ends: [end(&parts[..1]), end(&parts[..2]), end(&parts[..3])],
            has_description: description.is_some(),
            has_thumbnail_path: summary.thumbnail_path.is_some(),
        }
    }

    fn is_right(&self, revision: i64, period: u64) -> bool {
        self.revision >= revision && self.period == period
    }

    fn use_it(&self) -> VideoSummary {
        if !self.is_used.load(Ordering::Relaxed) {
            self.is_used.store(true, Ordering::Relaxed);
        }
        let [title, uploader, description] = self.ends.map(|end| usize::try_from(end).unwrap_or(usize::MAX));
        let text = |from: usize, to: usize| self.texts.get(from..to).unwrap_or_default().to_owned();
        VideoSummary {
            visibility: self.visibility,
            title: text(0, title),
            uploader_username: text(title, uploader),
            description: self.has_description.then(|| text(uploader, description)),
            duration: self.duration,
            thumbnail_path: self.has_thumbnail_path.then(|| text(description, self.texts.len())),
            has_thumbnail_file: self.has_thumbnail_file,
        }
    }

    fn bytes(&self) -> usize {
        SLOT_BYTES + self.texts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(title: &str) -> VideoSummary {
        VideoSummary {
            visibility: Visibility { uploader_id: 7, is_ready: true, is_deleted: false },
            title: title.to_owned(),
            description: Some("é".to_owned()),
            duration: Some(60),
            thumbnail_path: None,
            has_thumbnail_file: true,
            uploader_username: "ann".to_owned(),
        }
    }

    fn find(cache: &SummaryCache, video_id: i64, revision: i64) -> Option<VideoSummary> {
        cache.find([video_id].into_iter(), revision).pop().unwrap()
    }

    #[test]
    fn a_summary_is_found_as_it_was_kept() {
        let cache = SummaryCache::default();
        let bare = VideoSummary { description: None, thumbnail_path: Some(String::new()), ..summary("") };
        cache.keep(vec![(1, 0, summary("one")), (2, 0, bare.clone())]);
        assert_eq!(find(&cache, 1, 0), Some(summary("one")));
        assert_eq!(find(&cache, 2, 0), Some(bare));
        assert_eq!(find(&cache, 3, 0), None);
    }

    #[test]
    fn a_summary_of_an_older_revision_is_not_found() {
        let cache = SummaryCache::default();
        cache.keep(vec![(1, 4, summary("old"))]);
        assert_eq!(find(&cache, 1, 5), None);
        cache.keep(vec![(1, 6, summary("new"))]);
        cache.keep(vec![(1, 5, summary("late"))]);
        assert_eq!(find(&cache, 1, 5), Some(summary("new")));
    }

    #[test]
    fn a_summary_is_read_again_after_a_while() {
        let mut cache = SummaryCache::default();
        cache.keep(vec![(1, 4, summary("old"))]);
        cache.created -= PERIOD;
        assert_eq!(find(&cache, 1, 4), None);
        // A database that was restored from a backup may have a lower revision.
        cache.keep(vec![(1, 3, summary("restored"))]);
        assert_eq!(find(&cache, 1, 3), Some(summary("restored")));
    }

    #[test]
    fn the_least_used_summaries_make_room_for_new_ones() {
        let cache = SummaryCache::new(10 * (SLOT_BYTES + 20));
        for video_id in 1..=1_000 {
            cache.keep(vec![(video_id, 0, summary("a title"))]);
            find(&cache, 1, 0).expect("the video that every list has stays");
        }
        let slots = cache.slots.read().unwrap();
        assert!(slots.bytes <= cache.max_bytes && (8..=12).contains(&slots.slots.len()), "{}", slots.slots.len());
        assert_eq!(slots.bytes, slots.slots.iter().map(Slot::bytes).sum::<usize>());
        for (index, slot) in slots.slots.iter().enumerate() {
            assert_eq!(slots.indexes[&slot.video_id] as usize, index);
        }
        assert_eq!(slots.indexes.len(), slots.slots.len());
    }
}
