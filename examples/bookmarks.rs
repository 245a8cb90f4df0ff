//! Bookmarks of pages, by a user, an anonymous user, or nobody: optional relations, and times that
//! the database sets.
//!
//!     cargo run --example bookmarks

mod common;

use common::{Stage, create_all, database_url};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, EntityLoaderTrait, IntoActiveModel, JoinType, QueryOrder, QuerySelect};

/// A page that can be bookmarked.
mod page {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "pages")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub page_id: i32,
        pub url: String,
        #[sea_orm(has_many)]
        pub bookmarks: HasMany<super::bookmark::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A user with a name.
mod user {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub user_id: i32,
        pub name: String,
        #[sea_orm(has_many)]
        pub bookmarks: HasMany<super::bookmark::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A user without a name.
mod anonymous_user {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "anonymous_users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub anonymous_user_id: i32,
        #[sea_orm(has_many)]
        pub bookmarks: HasMany<super::bookmark::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A bookmark of a page.
mod bookmark {
    use sea_orm::entity::prelude::*;

    // snippet: optional relations
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "bookmarks")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub bookmark_id: i32,
        pub page_id: i32,
        pub user_id: Option<i32>,
        pub anonymous_user_id: Option<i32>,
        #[sea_orm(default_value = 1)]
        pub state: i16,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub created_at: DateTimeUtc,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub updated_at: DateTimeUtc,
        #[sea_orm(column_type = "String(StringLen::N(255))")]
        pub title: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub notes: String,
        #[sea_orm(belongs_to, from = "page_id", to = "page_id")]
        pub page: BelongsTo<super::page::Entity>,
        #[sea_orm(belongs_to, from = "user_id", to = "user_id")]
        pub user: BelongsTo<Option<super::user::Entity>>,
        #[sea_orm(belongs_to, from = "anonymous_user_id", to = "anonymous_user_id")]
        pub anonymous_user: BelongsTo<Option<super::anonymous_user::Entity>>,
    }
    // end

    super::common::before_save!(onupdate: [updated_at]);
}

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// Writes three bookmarks, reads their users' names, and checks their times.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    let db = &stage.db;
    create_all!(db, page, user, anonymous_user, bookmark);

    stage.step("Ann bookmarks a page; all three rows are new");
    let page = page::ActiveModel::builder().set_url("https://example.org");
    let ann = user::ActiveModel::builder().set_name("Ann");
    let by_ann = bookmark::ActiveModel::builder().set_notes("read on").set_page(page).set_user(ann);
    let by_ann = by_ann.insert(db).await?;
    assert_eq!(stage.sent().len(), 3);

    stage.step("An anonymous user and nobody bookmark it too; both have no user");
    let unknown = anonymous_user::ActiveModel::builder();
    let unsigned = bookmark::ActiveModel::builder().set_notes("").set_page_id(by_ann.page_id);
    let by_unknown = unsigned.clone().set_anonymous_user(unknown).insert(db).await?;
    let by_nobody = unsigned.insert(db).await?;
    assert_eq!((by_unknown.user_id, by_unknown.anonymous_user_id, by_nobody.user_id), (None, Some(1), None));
    assert_eq!(stage.sent().len(), 3);

    stage.step("The user's name through the relation: whole rows, including bookmarks without a user");
    // snippet: name by relation
    let bookmarks = bookmark::Entity::load().with(user::Entity).order_by_id_asc().all(db).await?;
    for bookmark in &bookmarks {
        let name = bookmark.user.as_ref().map(|user| &*user.name);
        println!("   bookmark {} by {}", bookmark.bookmark_id, name.unwrap_or("somebody without a name"));
    }
    // end
    assert_eq!(bookmarks.iter().filter(|bookmark| bookmark.user.as_ref().is_none()).count(), 2);
    let sent = stage.sent();
    assert!(sent.len() == 1 && sent[0].contains(" LEFT JOIN "));

    stage.step("The same by an explicit join: two columns, and only of bookmarks that have a user");
    // snippet: name by join
    let names: Vec<(i32, String)> = bookmark::Entity::find()
        .select_only()
        .column(bookmark::Column::BookmarkId)
        .column(user::Column::Name)
        .join(JoinType::InnerJoin, bookmark::Relation::User.def())
        .into_tuple()
        .all(db)
        .await?;
    // end
    println!("   {names:?}");
    assert_eq!(names, [(by_ann.bookmark_id, "Ann".to_owned())]);
    let sent = stage.sent();
    assert!(sent.len() == 1 && sent[0].contains(" INNER JOIN "));

    stage.step("The database set the times and the state, and the INSERT returned them");
    println!("   state {}, created {}", by_ann.state, by_ann.created_at);
    assert!(by_ann.state == 1 && by_ann.created_at == by_ann.updated_at);
    assert!(by_ann.created_at.timestamp_subsec_micros() % 1000 == 0, "milliseconds");

    stage.step("They compare correctly with times that the program binds");
    let created = bookmark::COLUMN.created_at;
    let hour = chrono::Duration::hours(1);
    let since = bookmark::Entity::find().filter(created.gt(common::now() - hour)).count(db).await?;
    let until = bookmark::Entity::find().filter(created.lt(common::now() + hour)).count(db).await?;
    let exactly = bookmark::Entity::find().filter(created.eq(by_ann.created_at)).count(db).await?;
    assert!((since, until) == (3, 3) && exactly >= 1);
    let mut old = by_nobody.into_active_model();
    old.created_at = Set(common::now() - hour);
    let old = old.update(db).await?;
    let oldest = bookmark::Entity::find().order_by_asc(created).one(db).await?;
    assert_eq!(oldest.map(|bookmark| bookmark.bookmark_id), Some(old.bookmark_id));

    stage.step("A change sets updated_at and keeps created_at");
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let before = by_ann.updated_at;
    let mut by_ann = by_ann.into_active_model();
    by_ann.title = Set(Some("Example".to_owned()));
    let by_ann = by_ann.update(db).await?;
    assert!(by_ann.updated_at > before && by_ann.created_at == before);
    assert!(stage.sent()[0].contains(r#""updated_at" = "#));

    stage.step("An update without changes sends nothing");
    by_ann.into_active_model().update(db).await?;
    assert!(stage.sent().is_empty());

    stage.step("An update of many rows is SQL that no hook sees, so it sets the time itself");
    // snippet: update many
    let archive = bookmark::Entity::update_many()
        .col_expr(bookmark::Column::State, Expr::value(2))
        .col_expr(bookmark::Column::UpdatedAt, Expr::value(common::now()))
        .filter(bookmark::COLUMN.title.is_null());
    let archived = archive.exec(db).await?.rows_affected;
    // end
    assert_eq!((archived, stage.sent().len()), (2, 1));
    Ok(())
}
