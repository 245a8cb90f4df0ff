//! More SQLAlchemy patterns: many-to-many, statements built as values, upserts, events.
//!
//!     cargo run --example idioms

mod common;

use common::{Stage, create_all, database_url, missing, refusal};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect};

/// An article with tags.
mod article {
    use super::common::now;
    use sea_orm::ActiveValue::Set;
    use sea_orm::entity::prelude::*;

    // snippet: secondary
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "articles")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub title: String,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub updated_at: DateTimeUtc,
        #[sea_orm(has_many, via = "article_tag")]
        pub tags: HasMany<super::tag::Entity>,
    }
    // end

    // snippet: events
    #[async_trait::async_trait]
    impl ActiveModelBehavior for ActiveModel {
        async fn before_save<C: ConnectionTrait>(mut self, _: &C, insert: bool) -> Result<Self, DbErr> {
            if self.title.try_as_ref().is_some_and(String::is_empty) {
                return Err(DbErr::Custom("an article needs a title".into()));
            }
            if !insert && self.is_changed() {
                self.updated_at = Set(now());
            }
            Ok(self)
        }
    }
    // end
}

/// A tag of articles.
mod tag {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tags")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub name: String,
        #[sea_orm(has_many, via = "article_tag")]
        pub articles: HasMany<super::article::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The association table: which article has which tag.
mod article_tag {
    use sea_orm::entity::prelude::*;

    // snippet: association
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "article_tags")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub article_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag_id: i32,
        #[sea_orm(belongs_to, from = "article_id", to = "id", on_delete = "Cascade")]
        pub article: BelongsTo<super::article::Entity>,
        #[sea_orm(belongs_to, from = "tag_id", to = "id", on_delete = "Cascade")]
        pub tag: BelongsTo<super::tag::Entity>,
    }
    // end

    impl ActiveModelBehavior for ActiveModel {}
}

/// How far a reader has read an article.
mod reading {
    use sea_orm::entity::prelude::*;

    // snippet: constraints
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "readings")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique_key = "reader_article")]
        pub reader: String,
        #[sea_orm(unique_key = "reader_article", indexed)]
        pub article_id: i32,
        #[sea_orm(default_value = 1, extra = "CHECK (page > 0)")]
        pub page: i32,
    }
    // end

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// Runs every idiom.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    let db = &stage.db;
    create_all!(db, article, tag, article_tag, reading);

    stage.step("Many-to-many: an article with two tags; SeaORM writes the association rows");
    let (rust, sql) = (tag::ActiveModel::builder().set_name("rust"), tag::ActiveModel::builder().set_name("sql"));
    article::ActiveModel::builder().set_title("One").add_tag(rust).add_tag(sql).save(db).await?;
    stage.sent();
    let article = article::Entity::load().with(tag::Entity).one(db).await?.ok_or_else(missing)?;
    assert!(article.tags.iter().map(|tag| &*tag.name).eq(["rust", "sql"]));
    assert_eq!(stage.sent().len(), 2);

    stage.step("Statements as values: insert, select, update, delete");
    // snippet: statements
    let rows = ["Two", "Three"].map(|title| article::ActiveModel { title: Set(title.into()), ..Default::default() });
    let added: Vec<article::Model> = article::Entity::insert_many(rows).exec_with_returning(db).await?;

    let titles = article::Entity::find()
        .select_only()
        .column(article::Column::Title)
        .filter(article::COLUMN.title.starts_with("T").or(article::COLUMN.id.eq(1)))
        .order_by_asc(article::COLUMN.title)
        .limit(2);
    let titles: Vec<String> = titles.into_tuple().all(db).await?;

    let change = article::Entity::update_many().col_expr(article::Column::Title, Expr::value("II"));
    let changed = change.filter(article::COLUMN.title.eq("Two")).exec(db).await?.rows_affected;

    let removal = article::Entity::delete_many().filter(article::COLUMN.title.is_in(["II", "Three"]));
    let removed = removal.exec(db).await?.rows_affected;
    // end
    assert_eq!((added.len(), changed, removed), (2, 1, 2));
    assert_eq!(titles, ["One", "Three"]);
    assert_eq!(stage.sent().len(), 4);

    stage.step("Upsert: the row is returned, whether it was new or not");
    for page in [3, 7] {
        let article_id = article.id;
        // snippet: upsert
        let reading = reading::ActiveModel {
            reader: Set("ann".into()),
            article_id: Set(article_id),
            page: Set(page),
            ..Default::default()
        };
        let on_conflict = OnConflict::columns([reading::Column::Reader, reading::Column::ArticleId])
            .update_column(reading::Column::Page)
            .to_owned();
        let row = reading::Entity::insert(reading).on_conflict(on_conflict).exec_with_returning(db).await?;
        // end
        assert_eq!((row.id, row.page), (1, page));
    }
    assert_eq!(stage.sent().len(), 2);

    stage.step("One event sets updated_at; another refuses the change, and nothing is sent");
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    // snippet: update
    let mut change = article::Entity::find_by_id(article.id).one(db).await?.ok_or_else(missing)?.into_active_model();
    change.title = Set("Uno".to_owned());
    let changed = change.update(db).await?;
    // end
    assert!(changed.updated_at > article.updated_at);
    assert!(stage.sent()[1].starts_with(r#"UPDATE "articles" SET "title" = "#));
    let untitled = article::ActiveModel::builder().set_title("").insert(db).await;
    assert!(refusal(untitled).contains("needs a title") && stage.sent().is_empty());
    Ok(())
}
