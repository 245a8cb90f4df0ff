//! How long files, functions, comments and names of tests may be.

use crate::files::{self, File};
use crate::{assert_none, lexer};

const FILE_LINES: usize = 350;
const MEDIAN_FILE_LINES: usize = 100;
const FUNCTION_LINES: usize = 25;
const COMMENT_COLUMNS: usize = 100;
const TEST_NAME: usize = 70;

#[test]
fn no_file_has_more_than_350_lines() {
    let long = files::all().into_iter().filter(|file| file.is("rs") || file.is("js")).filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > FILE_LINES).then(|| format!("{}: {lines}", file.path))
    });
    assert_none(&long.collect::<Vec<_>>(), "lines");
}

#[test]
fn half_of_the_sources_have_less_than_100_lines() {
    let files = files::all();
    let lines = files.iter().filter(|file| file.crate_folder().is_some()).map(|file| file.text.lines().count());
    let median = quantile(lines.collect(), 50);
    assert!(median < MEDIAN_FILE_LINES, "the median is {median}");
}

#[test]
fn nine_of_ten_functions_have_at_most_25_lines() {
    let files = files::all();
    let sources = files.iter().filter(|file| file.crate_folder().is_some());
    let lines = sources.flat_map(functions).map(|(_, lines)| lines);
    let ninth = quantile(lines.collect(), 90);
    assert!(ninth <= FUNCTION_LINES, "nine of ten have at most {ninth}");
}

#[test]
fn no_name_of_a_test_is_longer_than_70_characters() {
    let files = files::all();
    let named = files.iter().filter(|file| file.is("rs")).flat_map(|file| {
        let long = test_names(file).into_iter().filter(|(_, name)| name.len() > TEST_NAME);
        long.map(|(line, name)| format!("{}:{line}: {name}: {}", file.path, name.len()))
    });
    assert_none(&named.collect::<Vec<_>>(), "names of tests");
}

#[test]
fn no_comment_goes_beyond_column_100() {
    let files = files::all();
    let wide = files.iter().flat_map(|file| {
        let comments = comments(file);
        let wide = file.text.lines().zip(comments.lines().map(str::to_owned).collect::<Vec<_>>()).enumerate();
        let wide =
            wide.filter(|(_, (line, comment))| !comment.trim().is_empty() && line.chars().count() > COMMENT_COLUMNS);
        // An address cannot be broken.
        let wide = wide.filter(|(_, (line, _))| !line.contains("://"));
        wide.map(|(index, _)| format!("{}:{}", file.path, index + 1)).collect::<Vec<_>>()
    });
    assert_none(&wide.collect::<Vec<_>>(), "columns of comments");
}

/// The value below which or at which this share of a hundred is.
fn quantile(mut values: Vec<usize>, percent: usize) -> usize {
    values.sort_unstable();
    values[(values.len() * percent).div_ceil(100) - 1]
}

fn comments(file: &File) -> String {
    if file.is("rs") || file.is("js") {
        lexer::split(&file.text).1
    } else if file.is("md") || file.is("html") {
        String::new()
    } else {
        let comment = |line: &str| if line.trim_start().starts_with('#') { line } else { "" }.to_owned();
        file.text.lines().map(|line| comment(line) + "\n").collect()
    }
}

/// The name and the number of lines of every function that has a body.
fn functions(file: &File) -> Vec<(String, usize)> {
    let (code, _) = lexer::split(&file.text);
    let starts = code.match_indices("fn ").filter(|(at, _)| !code[..*at].ends_with(is_word));
    let found = starts.filter_map(|(at, _)| {
        let name: String = code[at + 3..].chars().take_while(|char| is_word(*char)).collect();
        let lines = code[at..at + body_end(&code[at..])?].lines().count();
        (!name.is_empty()).then_some((name, lines))
    });
    found.collect()
}

/// Where the first body of the text ends, unless a semicolon comes before it.
fn body_end(code: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, char) in code.char_indices() {
        match char {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' if braces == 1 => return Some(at + 1),
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The functions below a test attribute, and those directly within a macro that runs them on both
/// databases.
fn test_names(file: &File) -> Vec<(usize, String)> {
    let (mut in_macro, mut is_next, mut names) = (false, false, Vec::new());
    for (index, line) in lexer::split(&file.text).0.lines().enumerate() {
        let called = line.split_once("! {").is_some_and(|(name, _)| name.contains("both") && name.chars().all(is_word));
        in_macro = (in_macro || called) && line != "}";
        is_next |= line.trim_start().starts_with("#[test]") || line.trim_start().starts_with("#[tokio::test");
        let Some((before, after)) = line.split_once("fn ") else { continue };
        let is_direct = in_macro && before.trim_start().len() + 4 == before.len();
        if is_next || is_direct {
            names.push((index + 1, after.chars().take_while(|char| is_word(*char)).collect()));
            is_next = false;
        }
    }
    names
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[test]
fn functions_and_names_of_tests_are_found() {
    let text = "fn a(b: [u8; 2]) {\n}\ntrait C { fn d(); }\n#[test]\n#[ignore = \"needs g\"]\nfn e() { \"}\" }\non_both! {\n    async fn f() {\n    }\n}\n";
    let file = File { path: "a.rs".into(), text: text.into() };
    assert_eq!(functions(&file), [("a".into(), 2), ("e".into(), 1), ("f".into(), 2)]);
    assert_eq!(test_names(&file), [(6, "e".into()), (8, "f".into())]);
}
