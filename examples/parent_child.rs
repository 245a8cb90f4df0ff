//! Parents and children: relations in both directions or one, and what happens to the children when
//! a parent is deleted.
//!
//!     cargo run --example parent_child

mod common;

use common::{Stage, create_all, database_url, missing};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;

/// One-to-many, both directions, without ON DELETE: SeaORM deletes the children.
mod parent {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "parents")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(has_many)]
        pub children: HasMany<super::child::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod child {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "children")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub parent_id: i32,
        #[sea_orm(belongs_to, from = "parent_id", to = "id")]
        pub parent: BelongsTo<super::parent::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The same with a nullable foreign key: children outlive their parent.
mod guardian {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "guardians")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(has_many)]
        pub wards: HasMany<super::ward::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod ward {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wards")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub guardian_id: Option<i32>,
        #[sea_orm(belongs_to, from = "guardian_id", to = "id")]
        pub guardian: BelongsTo<Option<super::guardian::Entity>>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Many-to-one, one direction: the house has no field for its tenants. With ON DELETE CASCADE the
/// database deletes them.
mod house {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "houses")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod tenant {
    use sea_orm::entity::prelude::*;

    // snippet: ondelete
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenants")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub house_id: i32,
        #[sea_orm(belongs_to, from = "house_id", to = "id", on_delete = "Cascade")]
        pub house: BelongsTo<super::house::Entity>,
    }
    // end

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// Creates families and deletes them.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    let db = &stage.db;
    create_all!(db, parent, child, guardian, ward, house, tenant);

    stage.step("One-to-many, both directions: from the parent to the children, and back");
    let three = [(); 3].map(|()| child::ActiveModel::builder());
    let parent = three.into_iter().fold(parent::ActiveModel::builder(), |parent, child| parent.add_child(child));
    parent.save(db).await?;
    let parent = parent::Entity::load().with(child::Entity).one(db).await?.ok_or_else(missing)?;
    let child = child::Entity::load().with(parent::Entity).one(db).await?.ok_or_else(missing)?;
    assert_eq!((parent.children.len(), child.parent.as_ref().map(|parent| parent.id)), (3, Some(parent.id)));
    assert_eq!(stage.sent().len(), 4 + 2 + 1);

    stage.step("delete-orphan: set the list of children, and the others are deleted");
    // snippet: delete orphan
    let mut parent = parent.into_active_model();
    let kept = parent.children[0].clone();
    parent.children.replace_all([kept]);
    parent.save(db).await?;
    assert_eq!(kinds(&stage.sent()), ["SELECT", "DELETE", "DELETE"]);
    // end
    assert_eq!(child::Entity::find().count(db).await?, 1);

    stage.step("Delete cascade by the ORM: the children are read and deleted one by one, then the parent");
    let parent = parent::Entity::find().one(db).await?.ok_or_else(missing)?;
    stage.sent();
    // snippet: cascade
    parent.cascade_delete(db).await?;
    assert_eq!(kinds(&stage.sent()), ["SELECT", "DELETE", "DELETE"]);
    // end
    assert_eq!(child::Entity::find().count(db).await?, 0);

    stage.step("A nullable foreign key: the ORM sets it to NULL and keeps the children, as SQLAlchemy does by default");
    let guardian = guardian::ActiveModel::builder();
    guardian.add_ward(ward::ActiveModel::builder()).add_ward(ward::ActiveModel::builder()).save(db).await?;
    // snippet: nullify
    let guardian: guardian::ModelEx = guardian::Entity::load().one(db).await?.ok_or_else(missing)?;
    stage.sent();
    guardian.delete(db).await?;
    assert_eq!(kinds(&stage.sent()), ["SELECT", "UPDATE", "UPDATE", "DELETE"]);
    // end
    assert_eq!(ward::Entity::find().filter(ward::COLUMN.guardian_id.is_null()).count(db).await?, 2);

    stage.step("Many-to-one, one direction: only the tenant has a relation to the house");
    let tenant = tenant::ActiveModel::builder().set_house(house::ActiveModel::builder()).insert(db).await?;
    let another = tenant::ActiveModel::builder().set_house_id(tenant.house_id).insert(db).await?;
    assert_eq!((tenant.house_id, stage.sent().len()), (another.house_id, 3));

    stage.step("Delete cascade by the database, passive deletes: one statement, however many tenants");
    // snippet: passive deletes
    house::Entity::delete_by_id(tenant.house_id).exec(db).await?;
    assert_eq!(kinds(&stage.sent()), ["DELETE"]);
    // end
    assert_eq!(tenant::Entity::find().count(db).await?, 0);
    Ok(())
}

/// The first word of each statement.
fn kinds(sent: &[String]) -> Vec<&str> {
    sent.iter().filter_map(|sql| sql.split(' ').next()).collect()
}
