//! The command line of the migrations alone; `playhead migrate` is the same.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    sea_orm_revisions::cli::main(&migration::PROJECT).await
}
