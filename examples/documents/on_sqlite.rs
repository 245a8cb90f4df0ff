//! Without an extension: every vector is read and compared, which is exact, and fast enough for
//! thousands of them.

use super::common::create_table;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

mod document {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "documents")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "Text")]
        pub content: String,
        /// The numbers in sequence, four bytes each.
        pub embedding: Vec<u8>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub async fn store(db: &impl ConnectionTrait, documents: Vec<(String, Vec<f32>)>) -> Result<(), DbErr> {
    create_table(db, document::Entity).await?;
    let rows = documents.into_iter().map(|(content, vector)| document::ActiveModel {
        content: Set(content),
        embedding: Set(vector.into_iter().flat_map(f32::to_le_bytes).collect()),
        ..Default::default()
    });
    document::Entity::insert_many(rows).exec(db).await?;
    Ok(())
}

pub async fn nearest(db: &impl ConnectionTrait, to: Vec<f32>, count: u64) -> Result<Vec<(String, f64)>, DbErr> {
    let documents = document::Entity::find().all(db).await?.into_iter();
    let mut measured: Vec<_> =
        documents.map(|document| (document.content, cosine_distance(&document.embedding, &to))).collect();
    measured.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    Ok(measured.into_iter().zip(0..count).map(|(document, _)| document).collect())
}

/// One minus the cosine of the angle between two vectors, like pgvector's `<=>`.
fn cosine_distance(bytes: &[u8], other: &[f32]) -> f64 {
    let numbers = bytes.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number));
    let (mut product, mut square, mut other_square) = (0.0, 0.0, 0.0);
    for (one, other) in numbers.zip(other) {
        let (one, other) = (f64::from(one), f64::from(*other));
        product += one * other;
        square += one * one;
        other_square += other * other;
    }
    1.0 - product / (square * other_square).sqrt()
}
