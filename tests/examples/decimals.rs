//! `cams.lift` is NUMERIC(5,2) on PostgreSQL and REAL on SQLite: what holds for every value, and
//! what does not.

use crate::camshafts::common::{self, Stage, create_all};
use crate::camshafts::{cam, project, user};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Func;
use sea_orm::{ActiveValue::Set, DatabaseBackend, ExprTrait, QueryOrder, QuerySelect};

/// The number with this many hundredths.
fn lift(hundredths: i64) -> Decimal {
    Decimal::new(hundredths, 2)
}

/// The tables, and a project without cams.
async fn workshop(url: &str) -> Result<(Stage, project::ModelEx), DbErr> {
    let stage = Stage::open(url).await?;
    let db = &stage.db;
    create_all!(db, user, project, cam);
    let owner = user::ActiveModel::builder().set_id("auth0|ann").set_email("ann@example.org").insert(db).await?;
    let project = project::ActiveModel::builder().set_name("All").set_user_id(owner.id).insert(db).await?;
    Ok((stage, project))
}

async fn store(db: &DatabaseConnection, project: &project::ModelEx, lifts: &[Decimal]) -> Result<(), DbErr> {
    let cams = lifts.iter().map(|&lift| cam::ActiveModel {
        project_id: Set(project.id),
        name: Set(String::new()),
        cam_type: Set(cam::CamType::Intake),
        lift: Set(lift),
        duration: Set(0),
        profile_points: Set(cam::Profile(Vec::new())),
        created_at: Set(project.created_at),
        updated_at: Set(project.created_at),
        ..Default::default()
    });
    cam::Entity::insert_many(cams).exec_without_returning(db).await?;
    Ok(())
}

/// Writes every value of NUMERIC(5,2) and reads it back: by equality, in order, in a sum.
async fn every_lift_is_exact(url: &str) -> Result<(), DbErr> {
    let (stage, project) = workshop(url).await?;
    let db = &stage.db;
    let all: Vec<Decimal> = (-99_999..=99_999).map(lift).collect();
    // Larger statements are faster; SQLite takes 32,766 values in one.
    for lifts in all.chunks(4_000) {
        store(db, &project, lifts).await?;
        let column = cam::COLUMN.lift;
        let found = cam::Entity::find().select_only().column(cam::Column::Lift).filter(column.is_in(lifts.to_vec()));
        let found: Vec<Decimal> = found.order_by_asc(column).into_tuple().all(db).await?;
        assert_eq!(found, lifts);
        let sum =
            cam::Entity::find().select_only().column_as(column.sum(), "sum").into_tuple::<Decimal>().one(db).await?;
        assert_eq!(sum.map(|sum| sum.round_dp(2)), Some(lifts.iter().sum()));
        cam::Entity::delete_many().exec(db).await?;
    }
    Ok(())
}

/// Statements without the active model.
async fn past_the_model(url: &str) -> Result<(), DbErr> {
    let (stage, project) = workshop(url).await?;
    let db = &stage.db;
    let on_postgres = db.get_database_backend() == DatabaseBackend::Postgres;
    store(db, &project, &[lift(1234), lift(950)]).await?;

    let lifts = cam::Entity::find().order_by_asc(cam::COLUMN.lift).all(db).await?;
    assert!(lifts.iter().map(|cam| format!("{:.2}", cam.lift)).eq(["9.50", "12.34"]));

    // A computed value is not a column. On SQLite a bound `Decimal` is a text, which only a column
    // converts to a number, and the sum is a binary fraction.
    let sum = cam::COLUMN.lift.sum();
    let projects = cam::Entity::find().select_only().column(cam::Column::ProjectId).group_by(cam::Column::ProjectId);
    let plain = projects.clone().having(sum.clone().eq(lift(2184)));
    assert_eq!(plain.into_tuple::<i32>().one(db).await?.is_some(), on_postgres);
    // snippet: compare a sum
    let in_hundredths = projects.having(Func::round(sum.mul(100)).eq(2184));
    // end
    assert_eq!(in_hundredths.into_tuple().one(db).await?, Some(project.id));

    // snippet: calculate
    let more = cam::Column::Lift.into_expr().add(lift(20));
    let rounded = Func::round_with_precision(more.clone(), 2);
    // end
    let set = |lift: Expr| cam::Entity::update_many().col_expr(cam::Column::Lift, lift).exec(db);
    set(Expr::value(lift(10))).await?;
    assert_eq!(set(more).await.is_ok(), on_postgres, "0.1 + 0.2 misses 0.3, and the CHECK says so");
    set(Expr::value(lift(10))).await?;
    set(rounded.into()).await?;
    assert_eq!(cam::Entity::find().filter(cam::COLUMN.lift.eq(lift(30))).count(db).await?, 2);

    for third in [Decimal::new(12_345, 3), Decimal::new(12_344, 3)] {
        assert_eq!(set(Expr::value(third)).await.is_ok(), on_postgres, "PostgreSQL rounds, the CHECK refuses");
    }
    for too_large in [lift(100_000), lift(-100_000)] {
        assert!(set(Expr::value(too_large)).await.is_err());
    }
    Ok(())
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod on_sqlite { $(
            #[tokio::test]
            async fn $name() {
                super::$name("sqlite::memory:").await.unwrap();
            }
        )* }

        mod on_postgres { $(
            #[tokio::test]
            #[ignore = "needs PostgreSQL"]
            async fn $name() {
                super::$name(&crate::server()).await.unwrap();
            }
        )* }
    };
}

on_both! { every_lift_is_exact past_the_model }
