//! Documents with embeddings: the five nearest to a question.
//!
//!     cargo run --example documents

#[path = "../common/mod.rs"]
mod common;
mod on_postgres;
mod on_sqlite;

use common::{Stage, database_url};
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseBackend, TransactionTrait};

/// The number of dimensions that common embedding models return.
const DIMENSIONS: usize = 1536;

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// Stores documents around a circle and finds the nearest to a direction.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    // On PostgreSQL everything is rolled back at the end, the extension too.
    let db = &stage.db.begin().await?;

    stage.step("Store 36 documents, 10 degrees apart");
    let documents = (0..360).step_by(10).map(|degrees| (format!("at {degrees}°"), direction(degrees))).collect();
    match db.get_database_backend() {
        DatabaseBackend::Postgres => on_postgres::store(db, documents).await?,
        _ => on_sqlite::store(db, documents).await?,
    }

    stage.step("The five nearest to 42 degrees");
    let found = nearest(db, direction(42), 5).await?;
    for (content, distance) in &found {
        println!("   {content}: cosine distance {distance:.4}");
    }
    assert!(found.iter().map(|(content, _)| &**content).eq(["at 40°", "at 50°", "at 30°", "at 60°", "at 20°"]));
    for ((_, distance), apart) in found.iter().zip([2.0_f64, 8.0, 12.0, 18.0, 22.0]) {
        assert!((distance - (1.0 - apart.to_radians().cos())).abs() < 1e-6);
    }
    assert_eq!(stage.sent().len(), 1);

    if db.get_database_backend() == DatabaseBackend::Postgres {
        stage.step("PostgreSQL finds them by the index; for so small a table it must be forced to");
        let scan = on_postgres::scan(db, direction(42), 5).await?;
        println!("   {scan}");
        assert!(scan.contains("Index Scan using documents_embedding"));
    }
    Ok(())
}

/// The documents nearest to a vector by cosine distance, the nearest first.
async fn nearest(db: &impl ConnectionTrait, to: Vec<f32>, count: u64) -> Result<Vec<(String, f64)>, DbErr> {
    match db.get_database_backend() {
        DatabaseBackend::Postgres => on_postgres::nearest(to, count).into_tuple().all(db).await,
        _ => on_sqlite::nearest(db, to, count).await,
    }
}

/// A vector that stands for an angle, so that a reader can check the distances.
fn direction(degrees: u16) -> Vec<f32> {
    let (y, x) = f32::from(degrees).to_radians().sin_cos();
    let mut vector = vec![0.0; DIMENSIONS];
    vector[..2].copy_from_slice(&[x, y]);
    vector
}
