//! The form in which the search compares texts, the same for what is sought and what is stored, whatever the database.

use chrono::{DateTime, Utc};
use icu_casemap::CaseMapper;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

/// Letters in a gram at most.
const LONGEST: usize = 3;
/// Grams that one search asks the index for at most; the texts themselves decide about the rest.
const ASKED: usize = 12;
/// How far the moment of a place lies above the id, in bits.
const ID_BITS: u32 = 20;
/// The moments that a place can tell apart, in milliseconds before and after 1970.
const LAST_MOMENT: i64 = 1 << 42;

/// The text without its case, by the full folding of Unicode, and in NFC: two texts that are canonical caseless matches
/// (The Unicode Standard, 3.13) have one form.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed: String = text.nfd().collect();
    CaseMapper::new().fold_string(&decomposed).nfc().collect()
}

/// Every run of one to three letters in these folded texts, each as a number. Two runs may share a number, so an index of them finds
/// too much and never too little.
pub(super) fn grams_of(texts: [&str; 3]) -> BTreeSet<i32> {
    let mut grams = BTreeSet::new();
    for text in texts {
        let letters: Vec<char> = text.chars().collect();
        for length in 1..=LONGEST {
            grams.extend(letters.windows(length).map(gram));
        }
    }
    grams
}

/// The grams that every text has which contains this folded one: the longest there are.
pub(super) fn sought(text: &str) -> Vec<i32> {
    let letters: Vec<char> = text.chars().collect();
    let grams: BTreeSet<i32> = letters.windows(letters.len().clamp(1, LONGEST)).map(gram).collect();
    let step = grams.len().div_ceil(ASKED).max(1);
    grams.into_iter().step_by(step).collect()
}

/// FNV-1a, which stays what it is: the numbers are stored.
fn gram(letters: &[char]) -> i32 {
    let hash = letters
        .iter()
        .flat_map(|letter| u32::from(*letter).to_le_bytes())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

/// A number that orders videos as the library does, the newest last: by the millisecond, then by the id.
pub(super) fn place(created_at: DateTime<Utc>, id: i64) -> i64 {
    let moment = created_at.timestamp_millis().clamp(-LAST_MOMENT, LAST_MOMENT - 1);
    (moment << ID_BITS) | (id & ((1 << ID_BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_by_case_or_composition_alone_fold_to_one() {
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
                let sought = sought(&part);
                assert!(!sought.is_empty() && sought.len() <= ASKED);
                assert!(sought.iter().all(|gram| grams.contains(gram)), "{part}");
            }
        }
    }

    #[test]
    fn places_have_the_order_of_the_moments_and_then_of_the_ids() {
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        let places =
            [place(at(-5), 9), place(at(1), 1), place(at(1), 2), place(at(2), 1), place(DateTime::<Utc>::MAX_UTC, 1)];
        assert!(places.is_sorted(), "{places:?}");
    }
}
