//! Why `revision` wrote nothing.

use std::path::PathBuf;

/// Why no migration was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevisionRefusal {
    /// There is nothing to name it after.
    #[error("say with -m what it does, in words that can name a file")]
    Nameless,
    /// The project does not say where its sources are.
    #[error("name the folder of the migrations with --dir")]
    NoFolder,
    /// This program was built elsewhere.
    #[error("the sources of the migrations are not in {}: run this in the repository, or name the folder with --dir", .0.display())]
    NoSources(PathBuf),
    /// The list of the migrations does not look as it should.
    #[error("{} lists no migration after which this one could stand: add it by hand", .0.display())]
    NoList(PathBuf),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is pending would be written a second time.
    #[error("the database lacks {}: run `up` first, or the new migration would repeat them", .0.join(", "))]
    Pending(Vec<String>),
}
