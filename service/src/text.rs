//! Rules for text that comes from outside, shared by every input.

use serde::Serialize;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// A field of the input that cannot be taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Its name; empty for the input as a whole.
    #[schema(example = "title")]
    pub field: String,
    /// What is wrong with it.
    #[schema(example = "must not be blank")]
    pub message: String,
}

/// Every broken rule of an input, as a field and a sentence.
pub fn broken_rules(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut broken = Vec::new();
    for (field, kind) in errors.errors() {
        if let ValidationErrorsKind::Field(rules) = kind {
            broken.extend(rules.iter().map(|rule| FieldError {
                // A rule about several fields bears the name of the one to mend.
                field: if field == "__all__" { rule.code.to_string() } else { field.to_string() },
                message: rule.message.as_ref().map_or_else(|| describe(rule), ToString::to_string),
            }));
        }
    }
    broken.sort_by(|a, b| a.field.cmp(&b.field));
    broken
}

/// The validator crate's own rules in words.
fn describe(rule: &ValidationError) -> String {
    let bound = |name| rule.params.get(name).map(ToString::to_string);
    match (&*rule.code, bound("min"), bound("max")) {
        ("length", Some(min), Some(max)) => format!("must have {min} to {max} characters"),
        ("length", None, Some(max)) => format!("must have at most {max} characters"),
        ("range", Some(min), Some(max)) => format!("must be from {min} to {max}"),
        ("range", Some(min), None) => format!("must be at least {min}"),
        ("range", None, Some(max)) => format!("must be at most {max}"),
        ("email", ..) => "must be an e-mail address".into(),
        (code, ..) => format!("breaks the rule {code}"),
    }
}

/// Text that both databases can hold: PostgreSQL refuses U+0000.
pub fn storable(text: &str) -> Result<(), ValidationError> {
    if text.contains('\0') { Err(rule("must not contain U+0000")) } else { Ok(()) }
}

/// Letters, digits and signs of ASCII, without spaces and control characters.
pub fn visible_ascii(text: &str) -> Result<(), ValidationError> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(rule("must be visible ASCII characters"))
    }
}

/// A user name: no `@`, so that it never looks like an e-mail, no control characters, and nothing that cannot be seen at
/// its ends or anywhere, so that two names never look the same for it. Its length is checked apart.
pub fn username(name: &str) -> Result<(), ValidationError> {
    if name.chars().any(|c| c == '@' || c.is_control() || is_invisible(c)) {
        return Err(rule("must not contain @, control or invisible characters"));
    }
    if name.trim() != name {
        return Err(rule("must not begin or end with a space"));
    }
    Ok(())
}

/// Characters of Unicode's category "format" that are met in practice: they join, split or turn the text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}'..='\u{e007f}')
}

/// An e-mail address without white space or control characters, which the general rule for addresses lets pass in places.
pub fn email(address: &str) -> Result<(), ValidationError> {
    if address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(rule("must not contain spaces or control characters"));
    }
    Ok(())
}

/// Text that is there: more than white space, and storable.
pub fn meaningful(text: &str) -> Result<(), ValidationError> {
    storable(text)?;
    if text.trim().is_empty() { Err(rule("must not be blank")) } else { Ok(()) }
}

/// How many characters of a description stand in a list.
const CUT_AFTER: usize = 500;

/// A long text as it stands in a list: its beginning, with an ellipsis for the rest. Signs that belong to the letter before
/// them stay with it or go with it.
pub(crate) fn cut(mut text: String) -> String {
    let Some((most, _)) = text.char_indices().nth(CUT_AFTER) else { return text };
    let begins = text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= most).last().unwrap_or_default();
    // One letter with its signs may be longer than all that is to stay.
    text.truncate(if begins == 0 { most } else { begins });
    text.push('…');
    text
}

/// The form in which names and e-mails are compared.
pub fn key(text: &str) -> String {
    text.to_lowercase()
}

/// A broken rule of ours, in words.
fn rule(message: &'static str) -> ValidationError {
    ValidationError::new("text").with_message(Cow::Borrowed(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_letters() {
        for whole in [String::new(), "a".repeat(500), "🎬".repeat(500)] {
            assert_eq!(cut(whole.clone()), whole);
        }
        assert_eq!(cut("🎬".repeat(501)), format!("{}…", "🎬".repeat(500)));
        // A letter of two parts, and a family of seven: neither is torn.
        assert_eq!(cut(format!("{}e\u{301}{}", "a".repeat(499), "b".repeat(9))), format!("{}…", "a".repeat(499)));
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(cut(format!("{}{family}", "a".repeat(497))), format!("{}…", "a".repeat(497)));
        assert_eq!(cut(format!("a{}", "\u{301}".repeat(9_999))).chars().count(), 501);
    }
}
