//! Rules for text that comes from outside, shared by every input.

use crate::auth::is_common;
use crate::names;
use serde::{Deserialize, Deserializer, Serialize};
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

/// A user name, by the rules of [`crate::names`]: its length counts in the form in which it is stored.
pub fn username(name: &str) -> Result<(), ValidationError> {
    names::check(name).map_err(rule)
}

/// An e-mail address without characters that nobody can see, which the general rule for addresses lets pass in places.
pub fn email(address: &str) -> Result<(), ValidationError> {
    if address.chars().any(|c| c == ' ' || names::is_unseen(c)) {
        return Err(rule("must not contain spaces, control or invisible characters"));
    }
    Ok(())
}

/// A password as somebody types it to sign in. Its length counts in the form in which it is hashed.
pub fn password(password: &str) -> Result<(), ValidationError> {
    storable(password)?;
    match names::nfc(password).chars().count() {
        1..=100 => Ok(()),
        _ => Err(rule("must have 1 to 100 characters")),
    }
}

/// A password that somebody chooses.
pub fn new_password(password: &str) -> Result<(), ValidationError> {
    storable(password)?;
    if !(8..=100).contains(&names::nfc(password).chars().count()) {
        return Err(rule("must have 8 to 100 characters"));
    }
    if is_common(password) {
        Err(rule("is one of the 10,000 most common passwords: choose another one"))
    } else {
        Ok(())
    }
}

/// Reads a text in Unicode's form NFC, so that it is one text however its letters were typed.
pub(crate) fn nfc<'de, D: Deserializer<'de>>(field: D) -> Result<String, D::Error> {
    String::deserialize(field).map(in_nfc)
}

/// As [`nfc`], of a text that may be missing.
pub(crate) fn nfc_or_null<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Ok(Option::deserialize(field)?.map(in_nfc))
}

/// As [`nfc_or_null`], and tells a field that is `null` from one that is absent.
pub(crate) fn nfc_double_option<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    nfc_or_null(field).map(Some)
}

fn in_nfc(text: String) -> String {
    match names::nfc(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(composed) => composed,
    }
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
    // No more bytes, no more characters; nearly all are short.
    if text.len() <= CUT_AFTER {
        return text;
    }
    let Some((most, _)) = text.char_indices().nth(CUT_AFTER) else { return text };
    let begins = text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= most).last().unwrap_or_default();
    // One letter with its signs may be longer than all that is to stay.
    text.truncate(if begins == 0 { most } else { begins });
    text.push('…');
    text
}

/// The form in which e-mails are compared. Letters that only look alike stay apart, because mail tells them apart.
pub(crate) fn email_key(address: &str) -> String {
    names::nfc(address).to_lowercase()
}

/// The form in which what somebody signs in with is compared: a user name or an e-mail.
pub(crate) fn login_key(login: &str) -> String {
    if login.contains('@') { email_key(login) } else { names::fold(login) }
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
