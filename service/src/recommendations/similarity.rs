//! Which videos are related, in plain numbers.

use super::completions::Completions;
use super::{MAX_RELATED, MIN_VIEWERS};

/// The number of common viewers at which the shrinkage halves a score.
const SHRINKAGE: f64 = 3.0;
/// How strongly popular videos are damped; 0.5 would be the cosine.
const DAMPING: f64 = 0.7;

/// A video that is related to another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RelatedVideo {
    /// Its id.
    pub(super) id: i64,
    /// The viewers who completed both.
    pub(super) viewers: u32,
    /// The score of the pair.
    pub(super) score: f64,
}

/// A video and its related ones, the best one first.
#[derive(Clone, Debug)]
pub(super) struct VideoRelations {
    pub(super) video_id: i64,
    pub(super) related: Vec<RelatedVideo>,
}

/// Counts the pairs of one video after the other. It holds one number for each video, and no table
/// of pairs: the viewers of the video are found, and their videos are counted.
#[derive(Debug)]
pub(super) struct PairCounter {
    completions: Completions,
    /// The viewers of all videos, one video after the other.
    viewers: Vec<u32>,
    /// Where the viewers of each video end.
    ends: Vec<usize>,
    /// The common viewers of the current video and each other one.
    counts: Vec<u32>,
    /// The videos whose count is not 0.
    counted: Vec<u32>,
}

impl PairCounter {
    pub(super) fn new(completions: Completions) -> Self {
        let mut ends = vec![0; completions.videos.len()];
        let viewers = || 0..u32::try_from(completions.viewers()).unwrap_or(u32::MAX);
        viewers().flat_map(|viewer| completions.of_viewer(viewer)).for_each(|video| ends[*video as usize] += 1);
        let mut total = 0;
        for end in &mut ends {
            // Where the viewers of the video begin; it moves to their end as they are added.
            (*end, total) = (total, total + *end);
        }
        let mut viewers_of_videos = vec![0; total];
        for viewer in viewers() {
            for video in completions.of_viewer(viewer) {
                let end = &mut ends[*video as usize];
                viewers_of_videos[*end] = viewer;
                *end += 1;
            }
        }
        let counts = vec![0; completions.videos.len()];
        Self { completions, viewers: viewers_of_videos, ends, counts, counted: Vec::new() }
    }

    /// The ids of the videos, by index.
    pub(super) fn videos(&self) -> &[i64] {
        &self.completions.videos
    }

    /// The best related videos of the video with this index, the best one first.
    pub(super) fn related_to(&mut self, video: usize) -> Vec<RelatedVideo> {
        for viewer in self.viewers_of(video) {
            for other in self.completions.of_viewer(self.viewers[viewer]) {
                let count = &mut self.counts[*other as usize];
                if *count == 0 {
                    self.counted.push(*other);
                }
                *count += 1;
            }
        }
        let own = self.viewers_of(video).len();
        let mut related = Vec::new();
        for other in std::mem::take(&mut self.counted) {
            let other = other as usize;
            let viewers = std::mem::take(&mut self.counts[other]);
            if viewers >= MIN_VIEWERS && other != video {
                let score = score(viewers, own, self.viewers_of(other).len());
                related.push(RelatedVideo { id: self.videos()[other], viewers, score });
            }
        }
        related.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        related.truncate(MAX_RELATED);
        related
    }

    /// Where in `viewers` those of a video are.
    fn viewers_of(&self, video: usize) -> std::ops::Range<usize> {
        let start = video.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[video]
    }
}

/// The formula of the module [`super`].
fn score(common: u32, viewers: usize, viewers_of_other: usize) -> f64 {
    let common = f64::from(common);
    // Numbers of viewers are far below 2^52.
    let overlap = common / ((viewers as f64) * (viewers_of_other as f64)).powf(DAMPING);
    overlap * common / (common + SHRINKAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(viewers: &[&[i64]]) -> PairCounter {
        let mut completions = Completions::default();
        viewers.iter().for_each(|videos| completions.add_viewer(videos.iter().copied()));
        PairCounter::new(completions)
    }

    #[test]
    fn a_pair_of_fewer_than_three_viewers_is_not_related() {
        let mut counter = counter(&[&[10, 20, 30], &[10, 20, 30], &[30, 20], &[], &[40]]);
        assert_eq!(counter.videos(), [10, 20, 30, 40]);
        let ids = |related: Vec<RelatedVideo>| related.iter().map(|video| video.id).collect::<Vec<_>>();
        let related: Vec<_> = (0..4).map(|video| ids(counter.related_to(video))).collect();
        assert_eq!(related, [vec![], vec![30], vec![20], vec![]]);
    }

    #[test]
    fn a_score_is_damped_and_the_same_in_both_directions() {
        let both: &[i64] = &[1, 2];
        let mut counter = counter(&[both, both, both, both, &[2, 3], &[2], &[2], &[2], &[2]]);
        let expected = RelatedVideo { id: 2, viewers: 4, score: 4.0 / f64::powf(36.0, 0.7) * 4.0 / 7.0 };
        assert_eq!(counter.related_to(0), [expected]);
        assert_eq!(counter.related_to(1), [RelatedVideo { id: 1, ..expected }]);
        assert_eq!(counter.related_to(0), [expected], "the counts are reset");
    }

    #[test]
    fn a_popular_video_is_less_related_than_a_video_of_the_same_taste() {
        let fans: &[i64] = &[1, 2, 100];
        let mut counter = counter(&[fans, fans, fans, fans, &[100], &[100], &[100], &[100], &[100], &[100], &[100]]);
        let related = counter.related_to(0);
        assert_eq!((related[0].id, related[1].id), (2, 100));
        assert!(related[0].score > 1.5 * related[1].score);
    }

    #[test]
    fn only_the_best_are_kept() {
        let many: Vec<i64> = (0..120).collect();
        let mut counter = counter(&[&many, &many, &many]);
        assert_eq!(counter.related_to(7).len(), MAX_RELATED);
    }
}
