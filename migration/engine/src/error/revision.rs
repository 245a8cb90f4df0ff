//! Why `revision` wrote nothing.

use std::path::PathBuf;

/// Why no migration was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevisionRefusal {
    /// The message has no letters to name the file after.
    #[error("describe the migration with -m, in letters that can name a file")]
    Nameless,
    /// The project does not say where its sources are.
    #[error("pass the folder of the migrations with --dir")]
    NoFolder,
    /// The folder does not exist here: the program was built elsewhere.
    #[error("the sources of the migrations are not in {}: run this in the repository, or pass the folder with --dir", .0.display())]
    NoSources(PathBuf),
    /// The list of the migrations is empty, or has another form.
    #[error(
        "{} has no list of migrations that `revision` can extend: write the list as `vec![]`, or \
         as one `mod NAME;` and one `Box::new(NAME::Migration)` for each migration",
        .0.display()
    )]
    NoList(PathBuf),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// A new migration would repeat the pending ones.
    #[error("the database lacks {}: run `up` first, or the new migration would repeat them", .0.join(", "))]
    Pending(Vec<String>),
}
