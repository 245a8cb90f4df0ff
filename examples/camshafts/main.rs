//! Users, their projects, and the cams in them: string keys, exact decimals, checked enums, typed JSON.
//!
//!     cargo run --example camshafts

mod cam;
#[path = "../common/mod.rs"]
mod common;
mod lift;
mod project;
mod user;

use cam::{CamType, Point, Profile};
use common::{Stage, create_table, database_url};
use lift::Lift;
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseBackend, EntityLoaderTrait, ExprTrait, IntoActiveModel, QueryOrder,
    QuerySelect, Statement,
};

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    run(&database_url()).await
}

/// All the exercises, one after the other.
pub async fn run(database_url: &str) -> Result<(), DbErr> {
    let stage = Stage::open(database_url).await?;
    let db = &stage.db;
    let backend = db.get_database_backend();

    stage.step("The connection check: make the tables, and list them");
    create_table(db, user::Entity).await?;
    create_table(db, project::Entity).await?;
    create_table(db, cam::Entity).await?;
    let tables = tables(db).await?;
    println!("   {}", tables.join(", "));
    assert!(["cams", "projects", "users"].iter().all(|table| tables.contains(&(*table).to_owned())));

    stage.step("Create a user with a project and two cams: one call, one transaction");
    let turbo = project::ActiveModel::builder()
        .set_name("Turbo")
        .add_cam(cam("in", CamType::Intake, "12.34", &[15.5, 27.84])?)
        .add_cam(cam("out", CamType::Exhaust, "9.50", &[15.5, 25.0])?);
    let ann = user::ActiveModel::builder().set_id("auth0|ann").set_email("ann@example.org").add_project(turbo);
    ann.insert(db).await?;
    assert_eq!(stage.sent().len(), 4, "one INSERT for each row");

    stage.step("Find her by her e-mail; the database said that she is on the free plan");
    // snippet: find by unique
    let ann = user::Entity::find_by_email("ann@example.org").one(db).await?;
    // end
    let ann = ann.ok_or_else(|| DbErr::RecordNotFound("ann".into()))?;
    println!("   {} is on {:?}", ann.id, ann.subscription_status);
    assert_eq!((&*ann.id, &*ann.subscription_status), ("auth0|ann", "free"));
    stage.sent();

    stage.step("Her projects, through the relation, when they are asked for");
    let projects = ann.find_related(project::Entity).all(db).await?;
    assert_eq!(projects.iter().map(|project| &*project.name).collect::<Vec<_>>(), ["Turbo"]);
    assert_eq!(stage.sent().len(), 1);

    stage.step("Her projects with their cams, loaded beforehand: a statement for each table, however many rows");
    let loaded = user::Entity::load().filter_by_id("auth0|ann").with((project::Entity, cam::Entity)).one(db).await?;
    let loaded = loaded.ok_or_else(|| DbErr::RecordNotFound("ann".into()))?;
    for cam in loaded.projects.iter().flat_map(|project| project.cams.iter()) {
        println!("   {:?} {:?}: {} mm, {}°", cam.cam_type, cam.name, cam.lift.millimetres(), cam.duration);
    }
    assert_eq!(loaded.projects[0].cams.len(), 2);
    assert_eq!(stage.sent().len(), 3);

    stage.step("Change the subscription: only what differs is written, and updated_at with it");
    let before = ann.updated_at;
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    // snippet: update
    let mut ann = ann.into_active_model();
    ann.subscription_status = Set("pro".to_owned());
    let ann = ann.update(db).await?;
    // end
    assert!(ann.subscription_status == "pro" && ann.updated_at > before && ann.updated_at > ann.created_at);
    assert!(stage.sent()[0].starts_with(r#"UPDATE "users" SET "subscription_status" = "#));

    stage.step("12.34 is 12.34: equal, in order, and exact in a sum of the database");
    let twelve = Lift::new(Decimal::new(1234, 2))?;
    let found = cam::Entity::find().filter(cam::COLUMN.lift.eq(twelve)).all(db).await?;
    assert_eq!(found.iter().map(|cam| cam.lift.millimetres().to_string()).collect::<Vec<_>>(), ["12.34"]);
    let sorted = cam::Entity::find().order_by_asc(cam::COLUMN.lift).all(db).await?;
    assert_eq!(sorted.iter().map(|cam| &*cam.name).collect::<Vec<_>>(), ["out", "in"]);
    let sum = cam::Entity::find().select_only().column_as(cam::COLUMN.lift.sum(), "sum");
    assert_eq!(sum.into_tuple::<i64>().one(db).await?, Some(2184));
    assert!(Lift::new(Decimal::new(12345, 3)).is_err() && Lift::new(Decimal::ONE_THOUSAND).is_err());
    stage.sent();
    let exact = one_tenth_three_times_is_three_tenths(db).await?;
    println!("   0.10 + 0.10 + 0.10 = 0.30 as NUMERIC(5,2): {exact}");
    assert_eq!(exact, backend == DatabaseBackend::Postgres, "SQLite adds binary fractions");

    stage.step("The database refuses a kind of cam that there is none of, whoever asks");
    let refused = db.execute_unprepared("UPDATE cams SET cam_type = 'sideways'").await;
    println!("   {}", refused.as_ref().err().map(ToString::to_string).unwrap_or_default());
    assert!(refused.is_err_and(|error| error.to_string().to_lowercase().contains("check constraint")));

    stage.step("Look inside of the JSON: cams whose profile rises above 26 mm");
    // snippet: json query
    let high = cam::Entity::find().filter(cam::peak(backend).gt(26.0)).all(db).await?;
    // end
    assert_eq!(high.iter().map(|cam| (&*cam.name, cam.peak())).collect::<Vec<_>>(), [("in", Some(27.84))]);
    assert_eq!(high[0].profile_points.0[1], Point { angle: 60, radius: 27.84 });
    stage.sent();

    stage.step("Delete the user: one statement, and the database takes all below her along");
    ann.delete(db).await?;
    assert_eq!(stage.sent().len(), 1);
    let left = (project::Entity::find().count(db).await?, cam::Entity::find().count(db).await?);
    println!("   {} projects, {} cams left", left.0, left.1);
    assert_eq!(left, (0, 0));
    Ok(())
}

/// One cam, not saved yet.
fn cam(name: &str, cam_type: CamType, lift: &str, radii: &[f64]) -> Result<cam::ActiveModelEx, DbErr> {
    let lift: Decimal = lift.parse().map_err(|error| DbErr::Type(format!("{lift}: {error}")))?;
    let points = radii.iter().zip(0..).map(|(&radius, step)| Point { angle: step * 60, radius }).collect();
    let cam = cam::ActiveModel::builder().set_name(name).set_cam_type(cam_type).set_lift(Lift::new(lift)?);
    Ok(cam.set_duration(260).set_profile_points(Profile(points)))
}

/// What the database lists, beside its own.
async fn tables(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let sql = match db.get_database_backend() {
        DatabaseBackend::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        _ => "SELECT tablename FROM pg_tables WHERE schemaname = pg_my_temp_schema()::regnamespace::text",
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), format!("{sql} ORDER BY 1"))).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Whether NUMERIC(5,2), which is the column type of a plain `Decimal`, adds exactly.
async fn one_tenth_three_times_is_three_tenths(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    db.execute_unprepared("CREATE TEMPORARY TABLE numbers (number NUMERIC(5,2))").await?;
    db.execute_unprepared("INSERT INTO numbers VALUES (0.10), (0.10), (0.10)").await?;
    let sql = "SELECT sum(number) = 0.30 FROM numbers";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("a sum".into()))?.try_get_by_index(0)
}
