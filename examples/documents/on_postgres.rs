//! With pgvector: the database computes distances, and an index finds the nearest.

use super::common::{create_table, texts};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::BinOper;
use sea_orm::{ActiveValue::Set, ExprTrait, QueryOrder, QuerySelect, QueryTrait};

// snippet: vector
mod document {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "documents")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "Text")]
        pub content: String,
        #[sea_orm(column_type = "Vector(Some(1536))")]
        pub embedding: PgVector,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// `documents.embedding <=> vector`
fn distance(to: Vec<f32>) -> Expr {
    let cosine_distance = BinOper::Custom("<=>");
    document::Column::Embedding.into_expr().binary(cosine_distance, PgVector::from(to))
}
// end

pub async fn store(db: &impl ConnectionTrait, documents: Vec<(String, Vec<f32>)>) -> Result<(), DbErr> {
    let extension = db.execute_unprepared("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public").await;
    extension.map_err(|error| DbErr::Custom(format!("{error}; install pgvector, or build it as .ci/run does")))?;
    create_table(db, document::Entity).await?;
    let index = "CREATE INDEX documents_embedding ON documents USING hnsw (embedding vector_cosine_ops)";
    db.execute_unprepared(index).await?;

    let rows = documents.into_iter().map(|(content, vector)| document::ActiveModel {
        content: Set(content),
        embedding: Set(vector.into()),
        ..Default::default()
    });
    document::Entity::insert_many(rows).exec(db).await?;
    Ok(())
}

/// Selects documents with their distance, the nearest first.
pub fn nearest(to: Vec<f32>, count: u64) -> Select<document::Entity> {
    // snippet: nearest
    document::Entity::find()
        .select_only()
        .column(document::Column::Content)
        .column_as(distance(to), "distance")
        .order_by_asc(Expr::col("distance"))
        .limit(count)
    // end
}

/// The plan of the query when PostgreSQL may not scan the whole table.
pub async fn scan(db: &impl ConnectionTrait, to: Vec<f32>, count: u64) -> Result<String, DbErr> {
    db.execute_unprepared("SET LOCAL enable_seqscan = off").await?;
    let mut statement = nearest(to, count).build(db.get_database_backend());
    statement.sql.insert_str(0, "EXPLAIN (COSTS OFF) ");
    Ok(texts(db, statement).await?.into_iter().filter(|line| line.contains("Scan")).collect())
}
