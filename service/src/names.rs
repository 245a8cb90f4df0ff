//! The rules of user names, and when two names are too similar.
//!
//! A name is stored in Unicode's form NFKC. It has two unique keys: the folded name, which ignores
//! case at a sign-in, and the skeleton (Unicode Technical Standard 39), which is the same for names
//! that look alike.

use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark, is_nfc};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_script::Script;
use unicode_security::mixed_script::AugmentedScriptSet;
use unicode_security::skeleton as prototypes;

/// The number of characters of a name.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=100;
/// The characters that fit into the columns of the keys.
const KEY_LENGTH: usize = 255;
/// The most combining marks on one letter; more would cover other lines (UTS 39, 5.4).
const MAX_MARKS: usize = 4;
/// Characters of other categories that are blank or placeholders.
const BLANK: [char; 8] =
    ['\u{2800}', '\u{303f}', '\u{fffc}', '\u{fffd}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{1d159}'];

/// The form in which a name is stored.
pub(crate) fn normalize(name: &str) -> String {
    name.nfkc().collect()
}

/// The form in which titles, e-mails and passwords are stored and compared.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The form in which names are compared at a sign-in; it ignores case and how letters were typed.
///
/// The step to upper case joins letters with two lower-case forms, such as the two sigmas, and ß
/// with ss.
pub(crate) fn fold(name: &str) -> String {
    let lower = name.nfkc().flat_map(char::to_lowercase);
    lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// The skeleton of a name, which names that look alike share, ignoring case.
///
/// The capital I looks like l and folds to i, so the three are the same here.
pub(crate) fn skeleton(name: &str) -> String {
    let look: String = prototypes(&normalize(name)).collect();
    let folded: String = prototypes(&fold(&look)).collect();
    fold(&folded).replace('i', "l")
}

/// Whether the character is invisible: ignorable, a formatting character, blank or unassigned.
pub(crate) fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate, Unassigned};
    let is_ignorable = || prototypes(c.encode_utf8(&mut [0; 4])).next().is_none();
    match c.general_category() {
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate | Unassigned => true,
        GeneralCategory::SpaceSeparator => c != ' ',
        _ => BLANK.contains(&c) || is_ignorable(),
    }
}

/// Checks a user name.
pub(crate) fn check(name: &str) -> Result<(), &'static str> {
    let stored = normalize(name);
    if !LENGTH.contains(&stored.chars().count()) {
        return Err("must have 3 to 100 characters");
    }
    // Both forms are checked: normalization turns many kinds of blanks into a space.
    if stored.contains('@') || name.chars().chain(stored.chars()).any(is_invisible) {
        return Err("must not contain @, control, invisible or blank characters");
    }
    if stored.trim() != stored || stored.contains("  ") {
        return Err("must not begin or end with a space, nor have two in a row");
    }
    if has_loose_marks(&stored) {
        return Err("must not have accents without a letter, or too many on one");
    }
    if !is_of_one_script(&stored) {
        return Err("must be written in one script, not in letters of several");
    }
    if fold(&stored).chars().count() > KEY_LENGTH || skeleton(&stored).chars().count() > KEY_LENGTH {
        return Err("is too long");
    }
    Ok(())
}

/// Whether a combining mark has no letter, is repeated, or is one of too many.
fn has_loose_marks(name: &str) -> bool {
    let (mut before, mut marks) = (' ', 0);
    for c in name.nfd() {
        if is_combining_mark(c) {
            marks += 1;
            if before == ' ' || before == c || marks > MAX_MARKS {
                return true;
            }
        } else {
            marks = 0;
        }
        before = c;
    }
    false
}

/// Whether all letters are of one script, or of a combination for Chinese, Japanese or Korean with
/// Latin (UTS 39, 5.2: highly restrictive). Digits and punctuation belong to every script.
fn is_of_one_script(name: &str) -> bool {
    let (mut all, mut beside_latin) = (AugmentedScriptSet::default(), AugmentedScriptSet::default());
    for script in name.chars().map(AugmentedScriptSet::for_char) {
        all.intersect_with(script);
        if !script.base.contains_script(Script::Latin) {
            beside_latin.intersect_with(script);
        }
    }
    !all.is_empty() || beside_latin.hanb || beside_latin.jpan || beside_latin.kore
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_languages_are_accepted() {
        for name in [
            "ann",
            "Änn O'Neil",
            "ann_b-2",
            "Zoë",
            "José María",
            "Łukasz",
            "Đặng Thị Hương",
            "Ὀδυσσεύς",
            "Μαρία",
            "Мария",
            "Ольга-2",
            "山田太郎",
            "やまだタロウ",
            "山田Taro",
            "김철수",
            "김철수 Kim",
            "王小明",
            "محمد علي",
            "שרה כהן",
            "आदित्य",
            "สมชาย",
            "தமிழ்",
            "ខេមរា",
            "🎬🎬🎬",
            "100",
            "Ирина 7",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn invisible_characters_are_refused() {
        let invisible = "\u{3164}\u{034f}\u{fe0f}\u{fe00}\u{2800}\u{200b}\u{200d}\u{202e}\u{2066}\u{e0041}\u{a0}\u{3000}\u{2003}\u{1680}\u{115f}\
            \u{1160}\u{ffa0}\u{17b4}\u{180b}\u{180e}\u{2060}\u{2064}\u{feff}\u{ad}\u{61c}\u{fff9}\u{fffc}\u{1d159}\u{1d173}\u{e0100}\u{e000}\
            \u{378}\u{2028}\u{85}\u{7f}\u{206a}\u{13441}\u{16fe4}\u{303f}";
        for c in invisible.chars() {
            for name in [format!("an{c}n"), format!("{c}ann"), format!("ann{c}"), c.to_string().repeat(4)] {
                assert!(check(&name).is_err(), "{:04x} in {name}", u32::from(c));
            }
        }
    }

    #[test]
    fn letters_of_two_scripts_are_refused() {
        for name in
            ["p\u{430}ypal", "αnn", "аnn", "Мarija", "ann김μ", "山田Мария", "ann٣", "ひらがな한글", "ⲁnna", "ꓮnna"]
        {
            assert_eq!(check(name), Err("must be written in one script, not in letters of several"), "{name}");
        }
    }

    #[test]
    fn stray_accents_and_spaces_are_refused() {
        for name in [
            "\u{301}nn",
            "a \u{301}nn",
            "a\u{307}\u{307}nn",
            "q\u{301}\u{302}\u{303}\u{304}\u{305}q",
            "a  nn",
            " ann",
            "ann ",
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["＠nn", "an＠", "ab", "\u{e9}\u{e9}".repeat(51).as_str(), "a\u{308}b"] {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert_eq!(check(&"e\u{301}".repeat(100)), Ok(()), "counted as it is stored");
    }

    #[test]
    fn a_name_folds_to_one_form_however_it_was_typed() {
        for (one, other) in [
            ("Änn", "A\u{308}nn"),
            ("ann", "ＡＮＮ"),
            ("Straße", "STRASSE"),
            ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("ﬁnn", "FINN"),
            ("𝐚𝐧𝐧", "Ann"),
            ("Ann", "aNN"),
            ("ⅷ1", "VIII1"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
            assert_eq!(fold(&fold(one)), fold(one), "{one}");
        }
        assert_ne!(fold("Ärger"), fold("Arger"));
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for (one, other) in [
            ("paypal", "раураӏ"),
            ("paypal", "paypaI"),
            ("PayPal", "paypa1"),
            ("bob", "ВОВ"),
            ("coco", "сосо"),
            ("modern", "modem"),
            ("root", "r00t"),
            ("ADMlN", "admin"),
            ("ADMIN", "admin"),
            ("anna", "аnnа"),
            ("ΑΝΝΑ", "ANNA"),
            ("ann", "a\u{34f}nn"),
            ("lee|", "leel"),
            ("Änn", "a\u{308}NN"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
        }
        for (one, other) in [("ann", "anna"), ("Ärger", "Arger"), ("bob", "dod"), ("ann1", "ann2"), ("user5", "users6")]
        {
            assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
        }
    }
}
