//! Rules for text inputs.

use crate::common_passwords::is_common;
use crate::names;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// An invalid field of the input.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// The name of the field; empty for the whole input.
    #[schema(example = "title")]
    pub field: String,
    /// What is wrong with the value.
    #[schema(example = "must not be blank")]
    pub message: String,
}

/// The invalid fields of an input, sorted by name.
pub fn broken_rules(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut broken = Vec::new();
    for (field, kind) in errors.errors() {
        if let ValidationErrorsKind::Field(rules) = kind {
            broken.extend(rules.iter().map(|rule| FieldError {
                // A rule about several fields has the name of the field to fix.
                field: if field == "__all__" { rule.code.to_string() } else { field.to_string() },
                message: rule.message.as_ref().map_or_else(|| describe(rule), ToString::to_string),
            }));
        }
    }
    broken.sort_by(|a, b| a.field.cmp(&b.field));
    broken
}

/// The message of a rule of the validator crate.
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

/// Checks that both databases can store the text: PostgreSQL refuses U+0000.
pub fn storable(text: &str) -> Result<(), ValidationError> {
    if text.contains('\0') { Err(rule("must not contain U+0000")) } else { Ok(()) }
}

/// Checks for visible ASCII characters, without spaces.
pub fn visible_ascii(text: &str) -> Result<(), ValidationError> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(rule("must be visible ASCII characters"))
    }
}

/// Checks a user name by the rules of [`crate::names`].
pub fn username(name: &str) -> Result<(), ValidationError> {
    names::check(name).map_err(rule)
}

/// Checks an e-mail address for invisible characters, which the rule of the validator crate
/// accepts.
pub fn email(address: &str) -> Result<(), ValidationError> {
    if address.chars().any(|c| c == ' ' || names::is_invisible(c)) {
        return Err(rule("must not contain spaces, control or invisible characters"));
    }
    Ok(())
}

/// Checks a password of a sign-in. Its length counts in NFC, the form that is hashed.
pub fn password(password: &str) -> Result<(), ValidationError> {
    storable(password)?;
    match names::nfc(password).chars().count() {
        1..=100 => Ok(()),
        _ => Err(rule("must have 1 to 100 characters")),
    }
}

/// Checks a new password.
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

/// Reads a text and converts it to NFC, so that it does not depend on how letters were typed.
pub(crate) fn nfc<'de, D: Deserializer<'de>>(field: D) -> Result<String, D::Error> {
    String::deserialize(field).map(in_nfc)
}

/// Like [`nfc`], for an optional text.
pub(crate) fn nfc_or_null<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Ok(Option::deserialize(field)?.map(in_nfc))
}

/// Like [`nfc_or_null`], with `Some(None)` for `null` and `None` for an absent field.
pub(crate) fn nfc_double_option<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    nfc_or_null(field).map(Some)
}

/// Reads `null` as `Some(None)`; an absent field is `None`. Without this both are `None`.
pub(crate) fn double_option<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

fn in_nfc(text: String) -> String {
    match names::nfc(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(composed) => composed,
    }
}

/// Checks that a text is storable and not only white space.
pub fn not_blank(text: &str) -> Result<(), ValidationError> {
    storable(text)?;
    if text.trim().is_empty() { Err(rule("must not be blank")) } else { Ok(()) }
}

/// The most characters of a description in a list.
const MAX_IN_LIST: usize = 500;

/// Shortens a long text and adds an ellipsis. Combining characters are not separated from their
/// letter.
pub(crate) fn shorten(mut text: String) -> String {
    // A text has at most as many characters as bytes; most are short.
    if text.len() <= MAX_IN_LIST {
        return text;
    }
    let Some((end, _)) = text.char_indices().nth(MAX_IN_LIST) else { return text };
    let start = text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= end).last().unwrap_or_default();
    // One letter with its combining characters may be longer than the limit.
    text.truncate(if start == 0 { end } else { start });
    text.push('…');
    text
}

/// The form in which e-mails are compared. Letters that look alike stay different, as in mail.
pub(crate) fn email_key(address: &str) -> String {
    names::nfc(address).to_lowercase()
}

/// The form in which the user name or e-mail of a sign-in is compared.
pub(crate) fn login_key(login: &str) -> String {
    if login.contains('@') { email_key(login) } else { names::fold(login) }
}

/// An error of our own rules.
fn rule(message: &'static str) -> ValidationError {
    ValidationError::new("text").with_message(Cow::Borrowed(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_shortened_between_letters() {
        for whole in [String::new(), "a".repeat(500), "🎬".repeat(500)] {
            assert_eq!(shorten(whole.clone()), whole);
        }
        assert_eq!(shorten("🎬".repeat(501)), format!("{}…", "🎬".repeat(500)));
        // A letter of two characters and an emoji of seven are not separated.
        assert_eq!(shorten(format!("{}e\u{301}{}", "a".repeat(499), "b".repeat(9))), format!("{}…", "a".repeat(499)));
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(shorten(format!("{}{family}", "a".repeat(497))), format!("{}…", "a".repeat(497)));
        assert_eq!(shorten(format!("a{}", "\u{301}".repeat(9_999))).chars().count(), 501);
    }
}
