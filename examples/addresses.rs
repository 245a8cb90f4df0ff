//! Users and their addresses, with relations on both sides: ways to load them, their statements,
//! and cascading deletes.
//!
//!     cargo run --example addresses

mod common;

use common::{Stage, create_all, database_url};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, EntityLoaderTrait, IntoActiveModel, LoaderTrait, QueryOrder};

/// The parent side.
mod user {
    // snippet: declarative
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
        #[sea_orm(has_many)]
        pub addresses: HasMany<super::address::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
    // end
}

/// The child side.
mod address {
    use sea_orm::entity::prelude::*;

    // snippet: relationship
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "addresses")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub email: String,
        pub user_id: i32,
        #[sea_orm(belongs_to, from = "user_id", to = "id")]
        pub user: BelongsTo<super::user::Entity>,
    }
    // end

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// Loads three users with two addresses each in every way.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    let db = &stage.db;
    create_all!(db, user, address);

    stage.step("Save a user with two addresses; SeaORM fills in the foreign keys");
    for name in ["ann", "bob", "cid"] {
        // snippet: save graph
        let home = address::ActiveModel::builder().set_email(format!("{name}@home.example"));
        let work = address::ActiveModel::builder().set_email(format!("{name}@work.example"));
        user::ActiveModel::builder().set_name(name).add_address(home).add_address(work).save(db).await?;
        // end
    }
    assert_eq!(stage.sent().len(), 9, "one INSERT for each row");

    stage.step("Nothing is loaded implicitly");
    // snippet: unloaded
    let ann = user::Entity::load().order_by_id_asc().one(db).await?;
    assert!(ann.is_some_and(|ann| ann.name == "ann" && ann.addresses.is_unloaded()));
    // end
    assert_eq!(stage.sent().len(), 1);

    stage.step("lazy: one statement for each call. In a loop that is one for each user, and you see it in the code");
    // snippet: lazy
    let mut emails = Vec::new();
    for user in user::Entity::find().order_by_asc(user::COLUMN.id).all(db).await? {
        let addresses = user.find_related(address::Entity).order_by_asc(address::COLUMN.id).all(db).await?;
        emails.extend(addresses.into_iter().map(|address| address.email));
    }
    assert_eq!(stage.sent().len(), 1 + 3);
    // end
    assert_eq!(emails.len(), 6);

    stage.step("selectin: one statement for each table, however many users");
    // snippet: selectin
    let users = user::Entity::load().with(address::Entity).order_by_id_asc().all(db).await?;
    let loaded = users.iter().flat_map(|user| user.addresses.iter().map(|address| address.email.clone()));
    assert_eq!(stage.sent().len(), 2);
    // end
    assert!(loaded.eq(emails.iter().cloned()));

    stage.step("selectin, for users that are already loaded");
    let users = user::Entity::find().order_by_asc(user::COLUMN.id).all(db).await?;
    // snippet: selectin later
    let addresses: Vec<Vec<address::Model>> = users.load_many(address::Entity, db).await?;
    // end
    assert!(addresses.into_iter().flatten().map(|address| address.email).eq(emails.iter().cloned()));
    assert_eq!(stage.sent().len(), 1 + 1);

    stage.step("joined, many-to-one: the loader joins by itself");
    // snippet: joined
    let addresses = address::Entity::load().with(user::Entity).order_by_id_asc().all(db).await?;
    let whose = addresses.iter().map(|address| address.user.as_ref().map(|user| &*user.name));
    assert_eq!(stage.sent().len(), 1);
    // end
    assert!(whose.eq(["ann", "ann", "bob", "bob", "cid", "cid"].map(Some)));

    stage.step("joined, one-to-many: one row for each address, grouped by user again");
    // snippet: joined many
    let users: Vec<(user::Model, Vec<address::Model>)> =
        user::Entity::find().find_with_related(address::Entity).order_by_asc(address::COLUMN.id).all(db).await?;
    assert_eq!(stage.sent().len(), 1);
    // end
    assert!(users.len() == 3 && users.iter().all(|(_, addresses)| addresses.len() == 2));

    stage.step("Users with an address that matches a condition");
    // snippet: any
    let bob =
        user::Entity::find().has_related(address::Entity, address::COLUMN.email.starts_with("bob@")).one(db).await?;
    // end
    let bob = bob.ok_or_else(|| DbErr::RecordNotFound("bob".into()))?;
    assert!(bob.name == "bob" && stage.sent()[0].contains("EXISTS"));

    stage.step("Many-to-one: give an address to another user by its foreign key");
    let home = bob.find_related(address::Entity).order_by_asc(address::COLUMN.id).one(db).await?;
    let mut home = home.ok_or_else(|| DbErr::RecordNotFound("an address".into()))?.into_active_model();
    home.user_id = Set(1);
    home.update(db).await?;
    let of_ann = address::Entity::find().filter(address::COLUMN.user_id.eq(1)).count(db).await?;
    assert_eq!((of_ann, stage.sent().len()), (3, 3));

    stage.step("The foreign key has no ON DELETE: the database refuses to delete a user with addresses");
    let refused = user::Entity::delete_by_id(1).exec(db).await;
    let refused = refused.err().and_then(|error| error.sql_err());
    println!("   {refused:?}");
    assert!(matches!(refused, Some(sea_orm::SqlErr::ForeignKeyConstraintViolation(_))));

    stage.step("Delete cascade by the ORM: it reads the children, deletes them one by one, then the user");
    let deleted = bob.cascade_delete(db).await?;
    assert_eq!(deleted.rows_affected, 2);
    let sent = stage.sent();
    assert!(sent.len() == 3 && sent[0].starts_with("SELECT") && sent[1..].iter().all(|sql| sql.starts_with("DELETE")));
    assert_eq!(address::Entity::find().count(db).await?, 5);
    Ok(())
}
