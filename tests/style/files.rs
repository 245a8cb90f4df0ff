//! The files of the repository that people write.

use std::fs;
use std::path::Path;

/// Cargo starts a test in the folder of its package.
const ROOT: &str = ".";
const WRITTEN: [&str; 14] =
    ["rs", "js", "mjs", "ts", "html", "css", "sh", "py", "toml", "md", "yaml", "lua", "sql", "ini"];
const WRITTEN_TOO: [&str; 5] = ["openapi.json", ".ci/run", "bench/run", "bench/growth", ".env.example"];
/// Folders that programs fill.
const MADE: [&str; 6] = ["target", "node_modules", "dist", "generated", "__pycache__", "venv"];

pub struct File {
    /// From the root of the repository, with `/` between folders.
    pub path: String,
    pub text: String,
}

impl File {
    pub fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
    }

    /// The folder of the crate of which this is a source, `None` for tests, examples and pages.
    pub fn crate_folder(&self) -> Option<&str> {
        let folder = if self.path.starts_with("src/") { "" } else { self.path.split_once("/src/")?.0 };
        let is_member = Path::new(ROOT).join(folder).join("Cargo.toml").exists();
        (self.is("rs") && is_member && !self.path.contains("tests/") && !self.path.contains("examples/"))
            .then_some(folder)
    }
}

/// All written files, sorted by path.
pub fn all() -> Vec<File> {
    let mut files = Vec::new();
    walk(Path::new(ROOT), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == ".ci/run"), "the walk misses files");
    files
}

fn walk(folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_str().unwrap();
        let relative = path.strip_prefix(ROOT).unwrap().to_str().unwrap().replace('\\', "/");
        if entry.file_type().unwrap().is_dir() {
            let is_hidden = name.starts_with('.') && name != ".ci";
            if !is_hidden && !MADE.contains(&name) {
                walk(&path, files);
            }
        } else if is_written(&relative) {
            files.push(File { path: relative, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn is_written(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, end)| end);
    WRITTEN_TOO.contains(&path) || extension.is_some_and(|end| WRITTEN.contains(&end))
}
