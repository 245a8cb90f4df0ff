//! Users, their projects and cams: string keys, exact decimals, checked enums, typed JSON.
//!
//!     cargo run --example camshafts

pub(crate) mod cam;
#[path = "../common/mod.rs"]
pub(crate) mod common;
pub(crate) mod project;
pub(crate) mod user;

use cam::{CamType, Point, Profile};
use common::{Stage, create_all, database_url, missing, refusal};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect};

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// Runs every exercise.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    let db = &stage.db;

    stage.step("The connection check: create the tables, and list them");
    create_all!(db, user, project, cam);
    assert_eq!(stage.tables().await?, ["cams", "projects", "users"]);

    stage.step("Create a user with a project and two cams: one call, one transaction");
    let [low, high, both] = [950, 1234, 2184].map(|hundredths| Decimal::new(hundredths, 2));
    let (intake, exhaust) = (cam("in", CamType::Intake, high, 27.84), cam("out", CamType::Exhaust, low, 25.0));
    let turbo = project::ActiveModel::builder().set_name("Turbo").add_cam(intake).add_cam(exhaust);
    let ann = user::ActiveModel::builder().set_id("auth0|ann").set_email("ann@example.org").add_project(turbo);
    ann.insert(db).await?;
    assert_eq!(stage.sent().len(), 4, "one INSERT for each row");

    stage.step("Find her by e-mail; the database's default set the free plan");
    let ann = user::Entity::find_by_email("ann@example.org").one(db).await?.ok_or_else(missing)?;
    println!("   {} is on {:?}", ann.id, ann.subscription_status);
    assert_eq!((&*ann.id, &*ann.subscription_status), ("auth0|ann", "free"));

    stage.step("Load her projects and their cams through the relations, and from a cam back to her");
    let tree = user::Entity::load().with((project::Entity, cam::Entity)).one(db).await?.ok_or_else(missing)?;
    assert_eq!(stage.sent().len(), 3, "one SELECT for each table");
    assert!(tree.projects[0].name == "Turbo" && tree.projects[0].cams.iter().map(|cam| &*cam.name).eq(["in", "out"]));
    let cams = cam::Entity::load().with((project::Entity, user::Entity)).all(db).await?;
    let users = cams.iter().filter_map(|cam| cam.project.as_ref()?.user.as_ref());
    assert!(users.map(|user| &user.id).eq([&ann.id, &ann.id]));

    stage.step("Change the subscription: only changed fields are written, and updated_at");
    let mut ann = ann.into_active_model();
    ann.subscription_status = Set("pro".to_owned());
    let ann = ann.update(db).await?;
    let sent = stage.sent().concat();
    assert!(sent.contains(r#"SET "subscription_status" = "#) && sent.contains(r#", "updated_at" = "#));
    assert_eq!((&*ann.subscription_status, sent.matches(" = ").count()), ("pro", 3), "the third is the id in WHERE");

    stage.step("12.34 stays 12.34 when compared, sorted and, rounded to two decimals, summed");
    let found = cam::Entity::find().filter(cam::COLUMN.lift.eq(high)).all(db).await?;
    assert!(found.iter().map(|cam| cam.lift).eq([high]));
    let sorted = cam::Entity::find().order_by_asc(cam::COLUMN.lift).all(db).await?;
    assert!(sorted.iter().map(|cam| cam.lift).eq([low, high]));
    let total = cam::Entity::find().select_only().column_as(cam::COLUMN.lift.sum(), "total");
    let total: Decimal = total.into_tuple().one(db).await?.ok_or_else(missing)?;
    assert_eq!(total.round_dp(2), both);

    stage.step("The model refuses a third decimal; the database refuses a large number and an unknown type");
    let third = cam("odd", CamType::Intake, Decimal::new(12345, 3), 25.0).insert(db).await;
    assert!(refusal(third).contains("two decimals") && stage.sent().is_empty());
    for change in ["lift = 1000", "cam_type = 'sideways'"] {
        let refused = refusal(db.execute_unprepared(&format!("UPDATE cams SET {change}")).await).to_lowercase();
        assert!(refused.contains("check constraint") || refused.contains("overflow"));
    }

    stage.step("Query the JSON: cams whose profile rises above 26 mm");
    let rising = cam::Entity::find().filter(cam::peak(db.get_database_backend()).gt(26.0)).all(db).await?;
    assert!(rising.iter().map(|cam| &cam.profile_points.0[1]).eq([&Point { angle: 60, radius: 27.84 }]));

    stage.step("Delete the user: one statement, and the database deletes everything below her");
    ann.delete(db).await?;
    assert_eq!(stage.sent().len(), 1);
    assert_eq!((project::Entity::find().count(db).await?, cam::Entity::find().count(db).await?), (0, 0));
    Ok(())
}

/// A cam that is not saved yet.
fn cam(name: &str, cam_type: CamType, lift: Decimal, top: f64) -> cam::ActiveModelEx {
    let points = vec![Point { angle: 0, radius: 15.5 }, Point { angle: 60, radius: top }];
    let cam = cam::ActiveModel::builder().set_name(name).set_cam_type(cam_type).set_lift(lift);
    cam.set_duration(260).set_profile_points(Profile(points))
}
