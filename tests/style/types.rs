//! One name, one type.

use crate::files::{self, File};
use crate::{assert_none, lexer};
use std::collections::BTreeMap;

const KINDS: [&str; 5] = ["struct", "enum", "trait", "type", "union"];
/// Names that the macros of SeaORM ask for, once a table or migration.
const SEA_ORM: [&str; 11] = [
    "Entity",
    "Model",
    "ModelEx",
    "ActiveModel",
    "ActiveModelEx",
    "Column",
    "PrimaryKey",
    "Relation",
    "RelatedEntity",
    "Migration",
    "Migrator",
];

/// Each crate calls its own error so, by the custom of Rust.
const CUSTOMARY: &str = "Error";

struct Definition {
    name: String,
    place: String,
    crate_folder: String,
    is_public: bool,
}

#[test]
fn no_two_public_types_have_one_name() {
    assert_none(&repeated(|definition| definition.is_public.then(|| definition.name.clone())), "public types");
}

#[test]
fn no_two_types_of_one_crate_have_one_name() {
    let in_crate = |definition: &Definition| Some(format!("{}::{}", definition.crate_folder, definition.name));
    assert_none(&repeated(in_crate), "types that other modules of the crate see");
}

fn repeated(key: impl Fn(&Definition) -> Option<String>) -> Vec<String> {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for definition in files::all().iter().flat_map(definitions) {
        if let Some(key) = key(&definition) {
            places.entry(key).or_default().push(definition.place);
        }
    }
    let repeated = places.into_iter().filter(|(_, places)| places.len() > 1);
    repeated.map(|(key, places)| format!("{}: {}", key.trim_start_matches(':'), places.join(", "))).collect()
}

fn definitions(file: &File) -> Vec<Definition> {
    let Some(crate_folder) = file.crate_folder() else { return Vec::new() };
    let (code, _) = lexer::split(&file.text);
    let lines = code.lines().enumerate();
    let found = lines.filter_map(|(index, line)| {
        let (visibility, rest) = line.trim().strip_prefix("pub")?.split_once(' ')?;
        // `pub(in a::b)` has one more space.
        let mut words = rest.split(|char: char| !char.is_alphanumeric() && char != '_').filter(|word| !word.is_empty());
        words
            .find(|word| KINDS.contains(word))
            .filter(|kind| rest.starts_with(kind) || visibility.starts_with("(in"))?;
        let name = words.next()?.to_owned();
        let place = format!("{}:{}", file.path, index + 1);
        Some(Definition { name, place, crate_folder: crate_folder.to_owned(), is_public: visibility.is_empty() })
    });
    let is_free = |definition: &Definition| SEA_ORM.contains(&definition.name.as_str()) || definition.name == CUSTOMARY;
    found.filter(|definition| !is_free(definition)).collect()
}
