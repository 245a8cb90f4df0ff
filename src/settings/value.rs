//! One setting: its name and its text, and how numbers, switches and words are parsed.

use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;

pub(super) struct Value {
    name: &'static str,
    text: Option<String>,
}

impl Value {
    /// An empty value counts as not set.
    ///
    /// # Errors
    /// The value is not Unicode.
    pub(super) fn new(name: &'static str, value: Option<OsString>) -> Result<Self, String> {
        let text = value.map(OsString::into_string).transpose();
        let text = text.map_err(|_| format!("{name}: the value is not Unicode; set another one"))?;
        Ok(Self { name, text: text.filter(|text| !text.is_empty()) })
    }

    pub(super) fn text(self) -> Option<String> {
        self.text
    }

    pub(super) fn number<T>(self, default: T, min: T, max: T) -> Result<T, String>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Self { name, text } = self;
        let Some(text) = text else { return Ok(default) };
        match text.parse() {
            Ok(number) if number >= min && number <= max => Ok(number),
            _ => Err(format!("{name}={text}: must be a whole number from {min} to {max}; the default is {default}")),
        }
    }

    /// A number without a default.
    pub(super) fn number_or_none<T>(self, min: T, max: T) -> Result<Option<T>, String>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Self { name, text } = self;
        let Some(text) = text else { return Ok(None) };
        match text.parse() {
            Ok(number) if number >= min && number <= max => Ok(Some(number)),
            _ => Err(format!("{name}={text}: must be a whole number from {min} to {max}; the default is none")),
        }
    }

    pub(super) fn flag(self, default: bool) -> Result<bool, String> {
        let Self { name, text } = self;
        match text.as_deref() {
            None => Ok(default),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(text) => Err(format!("{name}={text}: must be true or false; the default is {default}")),
        }
    }

    /// The index of the value in `words`; the first one is the default.
    pub(super) fn word(self, words: &[&str]) -> Result<usize, String> {
        let Self { name, text } = self;
        let Some(text) = text else { return Ok(0) };
        let index = words.iter().position(|word| text.eq_ignore_ascii_case(word));
        index.ok_or_else(|| format!("{name}={text}: must be {}; the default is {}", words.join(" or "), words[0]))
    }
}
