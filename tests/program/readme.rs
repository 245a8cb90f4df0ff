//! What the README says a newcomer can type.

use crate::program::{Program, run};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The blocks of a language in the README's section `heading`.
fn blocks(heading: &str, language: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|section| section.starts_with(heading)).expect("the section is there");
    let fenced = section.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(&format!("{language}\n"))).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs curl"]
fn the_tour_with_curl_works_unedited() {
    let mut program = Program::new();
    program.serve();
    let tour = blocks("A tour", "sh").replace("http://localhost:8000", &program.url(""));
    assert!(tour.matches("curl").count() > 5, "the tour is found");
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &tour]).current_dir(&program.folder);
    let (done, said) = run(&mut shell, "");
    assert!(done, "{said}");
    for part in ["\"title\":\"Sample clip\"", "\"watch_position\":42", "\"resume_at\":42", "206 Partial Content"] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
}

#[test]
fn every_setting_is_in_the_readme_and_in_the_example_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = fs::read_to_string(root.join("src/settings.rs")).unwrap();
    let source = settings.split("#[cfg(test)]").next().unwrap();
    let readme = blocks_of_settings(&fs::read_to_string(root.join("README.md")).unwrap());
    let example = fs::read_to_string(root.join(".env.example")).unwrap();
    let words = source.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    let mut names: Vec<_> = words.filter(|word| word.contains('_') && word.len() > 6).collect();
    names.retain(|name| *name != "SECRET_BYTES" && *name != "DEFAULT_URL");
    names.sort_unstable();
    names.dedup();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name {name}");
        assert!(example.contains(&format!("{name}=")), ".env.example does not name {name}");
    }
}

fn blocks_of_settings(readme: &str) -> &str {
    readme.split("\n## ").find(|section| section.starts_with("Settings")).expect("the section is there")
}
