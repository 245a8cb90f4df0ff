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
fn every_setting_is_in_the_help_the_readme_and_the_example_file() {
    let program = Program::new();
    let secrets = [
        ("JWT_SECRET", "hunter2"),
        ("DATABASE_URL", "postgres://ann:hunter2@db/x"),
        ("REDIS_URL", "redis://:hunter2@r"),
    ];
    let files = [("JWT_SECRET_FILE", "hunter2"), ("DATABASE_URL_FILE", "hunter2"), ("REDIS_URL_FILE", "hunter2")];
    for flag in ["--help", "-h"] {
        let (done, help) = run(program.command(&[flag]).envs(secrets).envs(files), "");
        assert!(done && !help.contains("hunter2"), "{help}");
        let names = help.split("[env: ").skip(1).filter_map(|text| text.split(['=', ']']).next());
        let names: Vec<_> = names.map(str::to_owned).collect();
        check_names(&names);
    }
}

fn check_names(names: &[String]) {
    assert_eq!(names.len(), 32, "{names:?}");
    let (readme, example) = (section("Settings"), file(".env.example"));
    for name in names {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name {name}");
        assert!(example.contains(&format!("{name}=")), ".env.example does not name {name}");
    }
}
