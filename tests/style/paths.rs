//! The files that pages name.

use crate::assert_none;
use crate::files;

/// The folder in which a page may name a file of its time.
const DATED: &str = "docs/decisions/";

#[test]
fn every_source_file_that_a_page_names_exists() {
    let files = files::all();
    let pages = files.iter().filter(|file| file.is("md") && !file.path.starts_with(DATED));
    let findings = pages.flat_map(|page| {
        let exists = |file: &&str| files.iter().any(|known| format!("/{}", known.path).ends_with(&format!("/{file}")));
        let lines = page.text.lines().enumerate();
        lines.flat_map(move |(index, line)| {
            let missing = line.split('`').skip(1).step_by(2).filter_map(source_file);
            let missing = missing.filter(|file| !exists(file));
            missing.map(move |file| format!("{}:{}: {file}", page.path, index + 1)).collect::<Vec<_>>()
        })
    });
    assert_none(&findings.collect::<Vec<_>>(), "files that are missing");
}

/// The path of `src/a.rs` or `src/a.rs::function`, and nothing of `a.rs` or `src/*.rs`.
fn source_file(quoted: &str) -> Option<&str> {
    let path = quoted.split("::").next()?;
    let is_path = path.contains('/') && !path.contains(['*', ' ', '…', '<', '{', '(']);
    (is_path && (path.ends_with(".rs") || path.ends_with(".js"))).then_some(path)
}
