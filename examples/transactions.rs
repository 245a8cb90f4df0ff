//! A SQLAlchemy session is a transaction, an identity map and a unit of work. SeaORM has the
//! transaction; this example shows what replaces the other two.
//!
//!     cargo run --example transactions

mod common;

use common::{Stage, create_all, database_url, missing, refusal};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ExprTrait, IntoActiveModel, QueryOrder, TransactionTrait};

/// Accounts: money must neither appear nor vanish.
mod account {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub owner: String,
        #[sea_orm(default_value = 0, extra = "CHECK (cents >= 0)")]
        pub cents: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// Opens accounts and moves money between them.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    let db = &stage.db;
    create_all!(db, account);

    stage.step("A transaction: nothing is visible before the commit, everything after");
    // snippet: commit
    let work = db.begin().await?;
    account::ActiveModel::builder().set_owner("ann").set_cents(100).insert(&work).await?;
    account::ActiveModel::builder().set_owner("bob").insert(&work).await?;
    work.commit().await?;
    // end
    assert_eq!((stage.sent().len(), cents(db).await?), (2, vec![100, 0]));

    stage.step("A use case takes the connection first, so it runs in a transaction too");
    // snippet: unit of work
    let moved = db.transaction_async(async |work| transfer(work, "ann", "bob", 30).await).await;
    // end
    assert!(moved.is_ok());
    assert_eq!((stage.sent().len(), cents(db).await?), (2, vec![70, 30]));

    stage.step("An error rolls back: bob is credited first, ann cannot pay, and neither changes");
    // snippet: rollback
    let failed = db.transaction_async(async |work| transfer(work, "ann", "bob", 500).await).await;
    // end
    assert!(refusal(failed).contains("cents") && cents(db).await? == [70, 30]);

    stage.step("A dropped transaction rolls back too: an early return, a panic");
    {
        let work = db.begin().await?;
        account::Entity::delete_many().exec(&work).await?;
    }
    assert_eq!(cents(db).await?, [70, 30]);

    stage.step("A savepoint: one step may fail without failing the whole");
    // snippet: savepoint
    let work = db.begin().await?;
    account::ActiveModel::builder().set_owner("cid").insert(&work).await?;

    let attempt = work.begin().await?;
    let taken = account::ActiveModel::builder().set_owner("ann").insert(&attempt).await;
    attempt.rollback().await?;

    work.commit().await?;
    // end
    println!("   {:?}", taken.as_ref().err().and_then(DbErr::sql_err));
    assert!(taken.is_err() && cents(db).await? == [70, 30, 0]);

    stage.step("No identity map, and nothing expires: a row that was read is a value and stays the same");
    // snippet: values
    let ann = account::Entity::find_by_owner("ann").one(db).await?.ok_or_else(missing)?;
    let mut change = ann.clone().into_active_model();
    change.cents = Set(71);
    let changed = change.update(db).await?;
    assert_eq!((ann.cents, changed.cents), (70, 71));
    // end

    stage.step("No autoflush: a change stays in its active model until you send it; only changed fields are sent");
    let mut change = changed.into_active_model();
    change.cents = Set(72);
    assert_eq!(cents(db).await?[0], 71);
    stage.sent();
    change.update(db).await?;
    assert!(stage.sent()[0].starts_with(r#"UPDATE "accounts" SET "cents" = "#));
    Ok(())
}

// snippet: use case
/// Moves money, inside or outside a transaction of the caller.
async fn transfer(db: &impl ConnectionTrait, from: &str, to: &str, cents: i64) -> Result<(), DbErr> {
    for (owner, cents) in [(to, cents), (from, -cents)] {
        let change = account::Entity::update_many().filter(account::COLUMN.owner.eq(owner));
        change.col_expr(account::Column::Cents, account::Column::Cents.into_expr().add(cents)).exec(db).await?;
    }
    Ok(())
}
// end

/// The balances of all accounts, by owner.
async fn cents(db: &impl ConnectionTrait) -> Result<Vec<i64>, DbErr> {
    let accounts = account::Entity::find().order_by_asc(account::COLUMN.id).all(db).await?;
    let cents = accounts.into_iter().map(|account| account.cents).collect();
    println!("   cents: {cents:?}");
    Ok(cents)
}
