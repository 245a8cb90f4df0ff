//! With pgvector: the database calculates, and an index finds.

use super::common::create_table;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::BinOper;
use sea_orm::{ActiveValue::Set, ExprTrait, QueryOrder, QuerySelect, QueryTrait, Statement};

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

pub async fn create(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let known = "SELECT name FROM pg_available_extensions WHERE name = 'vector'";
    if db.query_one_raw(Statement::from_string(db.get_database_backend(), known)).await?.is_none() {
        let mend = "this PostgreSQL has no pgvector; install its package, or build it as .ci/run does";
        return Err(DbErr::Custom(mend.into()));
    }
    db.execute_unprepared("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public").await?;
    create_table(db, document::Entity).await?;
    let index = "CREATE INDEX documents_embedding ON documents USING hnsw (embedding vector_cosine_ops)";
    db.execute_unprepared(index).await?;
    Ok(())
}

pub async fn store(db: &impl ConnectionTrait, documents: Vec<(String, Vec<f32>)>) -> Result<(), DbErr> {
    let rows = documents.into_iter().map(|(content, vector)| document::ActiveModel {
        content: Set(content),
        embedding: Set(vector.into()),
        ..Default::default()
    });
    document::Entity::insert_many(rows).exec(db).await?;
    Ok(())
}

fn query(to: Vec<f32>, count: u64) -> Select<document::Entity> {
    // snippet: nearest
    document::Entity::find()
        .select_only()
        .column(document::Column::Content)
        .column_as(distance(to), "distance")
        .order_by_asc(Expr::col("distance"))
        .limit(count)
    // end
}

pub async fn nearest(db: &impl ConnectionTrait, to: Vec<f32>, count: u64) -> Result<Vec<(String, f64)>, DbErr> {
    query(to, count).into_tuple().all(db).await
}

/// How the database would go about it if it could not read the whole table.
pub async fn plan(db: &impl ConnectionTrait, to: Vec<f32>) -> Result<String, DbErr> {
    db.execute_unprepared("SET LOCAL enable_seqscan = off").await?;
    let mut statement = query(to, 5).build(db.get_database_backend());
    statement.sql.insert_str(0, "EXPLAIN ");
    let lines = db.query_all_raw(statement).await?;
    let lines: Vec<String> = lines.iter().map(|line| line.try_get_by_index(0)).collect::<Result<_, _>>()?;
    lines
        .iter()
        .find(|line| line.contains("Scan"))
        .map(|line| line.trim().to_owned())
        .ok_or_else(|| DbErr::Custom(lines.join("\n")))
}
