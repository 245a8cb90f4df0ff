//! Every snippet in `docs/from-sqlalchemy.md` is code that the tests run.
//!
//! A line above a block links its file and names the part: `[a.rs](../examples/a.rs): <!-- part
//! -->`. In the file, the part is between the comments `snippet: part` and `end`. Without a name,
//! the lines of the block are somewhere in the file.

use std::path::{Path, PathBuf};
use std::process::Command;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The lines without their common indentation.
fn dedented<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> String {
    let indents = lines.clone().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len());
    let indent = indents.min().unwrap_or(0);
    lines.map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n").collect()
}

/// The part of a file between its two comments.
fn part(source: &str, name: &str) -> Option<String> {
    let is = |line: &str, comment: &str| {
        line.trim().trim_start_matches(['/', '#', ' ']) == comment && line.trim() != comment
    };
    let opening = format!("snippet: {name}");
    assert!(source.lines().filter(|line| is(line, &opening)).count() < 2, "{name} is there twice");
    let inside = source.lines().skip_while(|line| !is(line, &opening)).skip(1);
    inside.clone().next()?;
    assert!(inside.clone().any(|line| is(line, "end")), "{name} has no end");
    Some(dedented(inside.take_while(|line| !is(line, "end"))))
}

/// The page with each snippet as it is in its file.
fn current(page: &str) -> String {
    let mut current = String::new();
    let mut lines = page.lines().peekable();
    let mut above = "";
    while let Some(line) = lines.next() {
        current += line;
        current += "\n";
        if ["```rust", "```python"].contains(&line) {
            let shown = std::iter::from_fn(|| lines.next_if(|line| *line != "```")).map(|line| line.to_owned() + "\n");
            current += &snippet(above, shown.collect());
        }
        above = line;
    }
    current
}

/// The code that the line above a snippet names.
fn snippet(above: &str, shown: String) -> String {
    let named = above.split_once("](../").and_then(|(_, link)| link.split_once(')'));
    let (file, rest) = named.unwrap_or_else(|| panic!("no file is named above {shown}"));
    let source = std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    match rest.split_once("<!-- ").and_then(|(_, name)| name.strip_suffix(" -->")) {
        Some(name) => part(&source, name).unwrap_or_else(|| panic!("{file} has no snippet {name}")),
        None => {
            let lines: Vec<&str> = source.lines().collect();
            let mut places = lines.windows(shown.lines().count());
            assert!(places.any(|place| dedented(place.iter().copied()) == shown), "{file} does not say\n{shown}");
            shown
        }
    }
}

/// With `UPDATE_DOCS=1` it rewrites the page.
#[test]
fn the_page_shows_what_is_run() {
    let file = path("docs/from-sqlalchemy.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let current = current(&page);
    assert!(current.matches("```rust").count() > 30, "the snippets are found");
    if std::env::var_os("UPDATE_DOCS").is_some_and(|wish| wish == "1") {
        std::fs::write(&file, &current).unwrap();
    }
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page == current, "the examples have changed: run this test with UPDATE_DOCS=1 and look at the difference");
}

#[test]
fn every_link_has_a_target() {
    let page = std::fs::read_to_string(path("docs/from-sqlalchemy.md")).unwrap();
    let links: Vec<_> = page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 30);
    for link in links.into_iter().filter(|link| !link.starts_with('#')) {
        assert!(path("docs").join(link).exists(), "{link}");
    }
}

/// A snippet that the page does not show is an unused comment.
#[test]
fn every_snippet_is_shown() {
    let page = std::fs::read_to_string(path("docs/from-sqlalchemy.md")).unwrap();
    let mut folders = vec![path("examples")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let file = entry.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
            let source = std::fs::read(&entry).unwrap();
            for name in String::from_utf8_lossy(&source).lines().filter_map(|line| line.split_once(" snippet: ")) {
                let shown = format!("](../{file}): <!-- {} -->", name.1);
                assert!(page.contains(&shown), "the page shows no {} of {file}", name.1);
            }
        }
    }
}

#[test]
#[ignore = "needs Python with Alembic and SQLAlchemy"]
fn sqlalchemy_does_what_the_page_says() {
    let python = std::env::var("PLAYHEAD_TEST_PYTHON")
        .expect("PLAYHEAD_TEST_PYTHON names a Python with migration/tests/alembic/requirements.txt");
    let mut run = Command::new(python);
    let run = run.args(["-B", "-W", "error"]).arg(path("examples/sqlalchemy/patterns.py")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}
