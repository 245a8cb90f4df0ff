//! The words that plainer ones have replaced. "Stands for" is no such word.
//!
//! `phrases.txt` is checked in every text, names included: `took_back` and `tookBack` are "took
//! back". `names.txt` is checked in the code of Rust and JavaScript and between backticks, whole
//! identifiers only.

use crate::files::{self, File};
use crate::{assert_none, lexer};
use std::collections::{BTreeSet, HashMap};

const PHRASES: &str = include_str!("phrases.txt");
const NAMES: &str = include_str!("names.txt");
/// Texts that must say the old words.
const EXEMPT: [&str; 1] = ["tests/style/"];

#[test]
#[ignore = "until the renames have landed"]
fn no_text_says_a_banned_phrase() {
    let mut rules = HashMap::<String, Vec<(Vec<String>, &str)>>::new();
    for [phrases, better] in rows::<2>(PHRASES) {
        for phrase in phrases.split(", ") {
            let words: Vec<_> = tokens(phrase).into_iter().map(|token| token.word).collect();
            rules.entry(words[0].clone()).or_default().push((words, better));
        }
    }
    let findings = checked().iter().flat_map(|file| phrases_in(file, &rules)).collect::<Vec<_>>();
    assert_none(&findings, "phrases");
}

#[test]
#[ignore = "until the renames have landed"]
fn no_code_uses_a_banned_name() {
    let mut rules = HashMap::<&str, Vec<(&str, &str)>>::new();
    for [scope, names, better] in rows::<3>(NAMES) {
        for name in names.split(", ") {
            rules.entry(name).or_default().push((scope, better));
        }
    }
    let findings = checked().iter().flat_map(|file| names_in(file, &rules)).collect::<Vec<_>>();
    assert_none(&findings, "names");
}

fn checked() -> Vec<File> {
    let is_exempt = |path: &str| EXEMPT.iter().any(|exempt| path.starts_with(exempt));
    files::all().into_iter().filter(|file| !is_exempt(&file.path)).collect()
}

/// The columns of a table, without its comments.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        columns.try_into().unwrap_or_else(|_| panic!("{line:?} has not {N} columns"))
    })
}

fn phrases_in(file: &File, rules: &HashMap<String, Vec<(Vec<String>, &str)>>) -> Vec<String> {
    let mut findings = BTreeSet::new();
    let mut look = |text: &str, in_path: bool| {
        let tokens = tokens(text);
        for (at, token) in tokens.iter().enumerate() {
            for (words, better) in rules.get(&token.word).into_iter().flatten() {
                let said = tokens[at..].iter().zip(words).filter(|(token, word)| token.word == **word).count();
                let joined = tokens.iter().skip(at + 1).take(words.len() - 1).all(|token| token.follows);
                let is_idiom = words.last().is_some_and(|word| word.starts_with("stand"))
                    && tokens.get(at + words.len()).is_some_and(|token| token.follows && token.word == "for");
                if said == words.len() && joined && !is_idiom {
                    let line = if in_path { 0 } else { token.line };
                    findings.insert((line, format!("{}:{line}: \"{}\": {better}", file.path, words.join(" "))));
                }
            }
        }
    };
    look(&file.path, true);
    look(&without_quoted_names(&file.text), false);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// The text without strings of one identifier: names of JSON fields and CSS classes stay as they
/// are.
fn without_quoted_names(text: &str) -> String {
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_lowercase() || char == '_');
    let shown = |part: &str| if is_name(part) { ".".to_owned() } else { part.to_owned() };
    let line = |line: &str| line.split('"').map(shown).collect::<Vec<_>>().join("\"");
    text.lines().map(|text| line(text) + "\n").collect()
}

struct Token {
    word: String,
    /// From 1.
    line: usize,
    /// Whether only spaces, the start of a comment's next line, or nothing is between it and the
    /// word before.
    follows: bool,
}

/// The words of a text in lower case. Identifiers are as many words as they are made of.
fn tokens(text: &str) -> Vec<Token> {
    let (mut found, mut word, mut between, mut line) = (Vec::new(), String::new(), String::new(), 1);
    let mut last = ' ';
    for char in text.chars().chain(['\n']) {
        let is_part = char.is_alphanumeric() || (char == '\'' && last.is_alphanumeric());
        let is_hump = char.is_uppercase() && last.is_lowercase();
        if (!is_part || is_hump) && !word.is_empty() {
            let word = std::mem::take(&mut word);
            let word = word.trim_end_matches('\'').to_lowercase();
            found.push(Token { word, line, follows: joins(&between) });
            between.clear();
        }
        if is_part {
            word.push(char);
        } else {
            between.push(char);
        }
        line += usize::from(char == '\n');
        last = char;
    }
    found
}

fn joins(between: &str) -> bool {
    match between.split_once('\n') {
        None => between.chars().all(|char| matches!(char, ' ' | '_' | '-')),
        Some((_, next)) => between.matches('\n').count() == 1 && next.chars().all(|char| " /!*#>".contains(char)),
    }
}

fn names_in(file: &File, rules: &HashMap<&str, Vec<(&str, &str)>>) -> Vec<String> {
    let (code, comments) = lexer::split(&file.text);
    let (code, prose) = match (file.is("rs") || file.is("js"), file.is("md")) {
        (true, _) => (code, comments),
        (_, true) => (String::new(), file.text.clone()),
        _ => return Vec::new(),
    };
    let quoted = quoted(&prose);
    let used = lexer::identifiers(&code).chain(lexer::identifiers(&quoted));
    let findings = used.flat_map(|(line, name)| {
        let rules = rules
            .get(name)
            .into_iter()
            .flatten()
            .filter(|(scope, _)| scope.split(", ").any(|scope| scope == "*" || file.path.starts_with(scope)));
        rules.map(move |(_, better)| (line, format!("{}:{line}: {name}: {better}", file.path)))
    });
    findings.collect::<BTreeSet<_>>().into_iter().map(|(_, finding)| finding).collect()
}

/// The text between two backticks of a line, with the lines as they were.
fn quoted(prose: &str) -> String {
    let line = |line: &str| line.split('`').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
    prose.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn a_phrase_is_found_across_lines_and_in_names() {
    let words = |text: &str| tokens(text).iter().map(|token| (token.word.clone(), token.follows)).collect::<Vec<_>>();
    let both = |a: &str, b: &str| vec![(a.to_owned(), true), (b.to_owned(), true)];
    assert_eq!(words("took\n    /// back"), both("took", "back"));
    assert_eq!(words("tookBack"), both("took", "back"));
    assert_eq!(words("half-made"), both("half", "made"));
    assert!(!words("took. Back")[1].1);
    assert_eq!(words(&without_quoted_names("[\"took_back\"]")), []);
}
