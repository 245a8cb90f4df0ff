//! The tables of the `camshafts` example as a project with migrations of its own.
//!
//!     export DATABASE_URL=sqlite://cams.db
//!     cargo run --example camshaft_project -- upgrade head

#[allow(dead_code, reason = "the queries are for the other example")]
#[path = "../../camshafts/cam.rs"]
pub(crate) mod cam;
#[path = "../../common/mod.rs"]
pub(crate) mod common;
pub(crate) mod migrations;
#[path = "../../camshafts/project.rs"]
pub(crate) mod project;
pub(crate) mod user;

use sea_orm::{DbBackend, Schema};
use sea_orm_revisions::entities::EntityTables;
use sea_orm_revisions::{Project, cli};
use std::process::ExitCode;

pub(crate) const PROJECT: Project = Project {
    sources: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/camshaft_project/src/migrations")),
    ..Project::new("camshafts", migrations::chain, tables)
};

/// What `check` and `revision --autogenerate` compare a database with.
fn tables(backend: DbBackend) -> EntityTables {
    Schema::new(backend).builder().register(user::Entity).register(project::Entity).register(cam::Entity).into()
}

#[tokio::main]
async fn main() -> ExitCode {
    cli::main(&PROJECT).await
}
