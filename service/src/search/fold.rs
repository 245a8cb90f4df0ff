//! The folded form of texts, in which the search compares them on both databases.

use chrono::{DateTime, Utc};
use icu_casemap::CaseMapper;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

/// The most letters of a gram.
const MAX_GRAM: usize = 3;
/// The most grams that one search looks up in the index; the texts themselves are compared anyway.
const MAX_QUERY_GRAMS: usize = 12;
/// The bits of a place that hold the id; the time is above them.
const ID_BITS: u32 = 20;
/// The largest time of a place, in milliseconds before and after 1970.
const TIME_LIMIT: i64 = 1 << 42;

/// The text with the full case folding of Unicode, in NFC: two texts that are canonical caseless
/// matches (The Unicode Standard, 3.13) have the same form.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed: String = text.nfd().collect();
    CaseMapper::new().fold_string(&decomposed).nfc().collect()
}

/// The grams of these folded texts: every run of one to three letters, as a number. Two grams may
/// share a number, so the index may find too much, but never too little.
pub(super) fn grams_of(texts: [&str; 3]) -> BTreeSet<i32> {
    let mut grams = BTreeSet::new();
    for text in texts {
        let letters: Vec<char> = text.chars().collect();
        for length in 1..=MAX_GRAM {
            grams.extend(letters.windows(length).map(gram));
        }
    }
    grams
}

/// The longest grams of a folded text; every text that contains it has them.
pub(super) fn query_grams(text: &str) -> Vec<i32> {
    let letters: Vec<char> = text.chars().collect();
    let grams: BTreeSet<i32> = letters.windows(letters.len().clamp(1, MAX_GRAM)).map(gram).collect();
    let step = grams.len().div_ceil(MAX_QUERY_GRAMS).max(1);
    grams.into_iter().step_by(step).collect()
}

/// FNV-1a. It must not change, because the numbers are stored.
fn gram(letters: &[char]) -> i32 {
    let hash = letters
        .iter()
        .flat_map(|letter| u32::from(*letter).to_le_bytes())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

/// A number that orders videos by age, the newest last: by the millisecond, then by the id.
pub(super) fn place(created_at: DateTime<Utc>, id: i64) -> i64 {
    let millis = created_at.timestamp_millis().clamp(-TIME_LIMIT, TIME_LIMIT - 1);
    (millis << ID_BITS) | (id & ((1 << ID_BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_only_by_case_or_composition_fold_to_one() {
        for (one, other) in [
            ("HARBOUR", "harbour"),
            ("Ärger", "a\u{308}RGER"),
            ("Straße", "STRASSE"),
            ("ẞ", "ss"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("\u{212b}", "å"),
            ("ﬁlm", "FILM"),
            ("ПРИВЕТ", "привет"),
            ("\u{10400}", "\u{10428}"),
            ("İ", "i\u{307}"),
            ("\u{1fb3}", "ΑΙ"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("ä"), fold("a"));
    }

    #[test]
    fn a_folded_text_folds_to_itself() {
        for text in ["Ärger", "STRASSE", "ΣΊΣΥΦΟΣ", "İ", "한국어", "\u{345}\u{301}", "ŉ", "ΐ"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }

    #[test]
    fn a_text_has_every_gram_of_each_of_its_parts() {
        let text = fold("Der Bär, 한국어 — 100%");
        let grams = grams_of([&text, "", ""]);
        let letters: Vec<char> = text.chars().collect();
        for from in 0..letters.len() {
            for to in from + 1..=letters.len() {
                let part: String = letters[from..to].iter().collect();
                let wanted = query_grams(&part);
                assert!(!wanted.is_empty() && wanted.len() <= MAX_QUERY_GRAMS);
                assert!(wanted.iter().all(|gram| grams.contains(gram)), "{part}");
            }
        }
    }

    #[test]
    fn places_are_ordered_by_time_and_then_by_id() {
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        let places =
            [place(at(-5), 9), place(at(1), 1), place(at(1), 2), place(at(2), 1), place(DateTime::<Utc>::MAX_UTC, 1)];
        assert!(places.is_sorted(), "{places:?}");
    }
}
