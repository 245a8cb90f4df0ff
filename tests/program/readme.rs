//! The README's commands work, and its list of settings is complete.

use crate::program::{Program, run};
use std::fs;
use std::path::Path;
use std::process::Command;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The README's section of this name.
fn section(heading: &str) -> String {
    let readme = file("README.md");
    let found = readme.split("\n## ").find(|section| section.starts_with(heading));
    found.expect("the section is there").to_owned()
}

#[test]
#[ignore = "needs curl"]
fn the_tour_with_curl_works_unedited() {
    let mut program = Program::new();
    program.serve();
    let tour = section("A tour with curl");
    let blocks: Vec<_> = tour.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n")).collect();
    assert!(blocks.len() > 3, "the tour is found");
    let script = blocks.join("\n").replace("http://localhost:8000", &program.url(""));
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &script]).current_dir(&program.folder);
    let (done, said) = run(&mut shell, "");
    assert!(done, "{said}");
    for part in [
        "\"title\":\"Sample clip\"",
        "\"applied\":false",
        "\"watch_position\":42",
        "\"resume_at\":42",
        "206 Partial Content",
    ] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
}

#[test]
fn every_setting_is_in_the_readme_and_in_the_example_file() {
    let source = file("src/settings.rs");
    let fields = source.lines().filter_map(|line| line.trim().strip_prefix("/// `"));
    let names: Vec<_> =
        fields.flat_map(|line| line.split('`').step_by(2)).map(|name| name.split('=').next().unwrap()).collect();
    let names: Vec<_> =
        names.into_iter().filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect();
    assert!(names.len() >= 15, "{names:?}");
    let (readme, example) = (section("Settings"), file(".env.example"));
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name {name}");
        assert!(example.contains(&format!("{name}=")), ".env.example does not name {name}");
    }
}
