//! One cam of a project.

use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseBackend, FromJsonQueryResult};
use serde::{Deserialize, Serialize};

/// Which valves a cam opens: text with a CHECK on the column, so that the database knows it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(50))", rename_all = "lowercase")]
pub enum CamType {
    Intake,
    Exhaust,
}

/// One measurement of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub angle: i32,
    pub radius: f64,
}

/// `[{"angle": 0, "radius": 15.5}, …]` in the database, a list of points here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Profile(pub Vec<Point>);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cams")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(indexed)]
    pub project_id: i32,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub name: String,
    #[sea_orm(extra = "CHECK (cam_type IN ('intake', 'exhaust'))")]
    pub cam_type: CamType,
    /// REAL on SQLite, where the CHECK refuses what NUMERIC(5,2) would not hold.
    #[sea_orm(column_type = "Decimal(Some((5, 2)))", extra = "CHECK (lift = round(lift, 2) AND abs(lift) < 1000)")]
    pub lift: Decimal,
    pub duration: i32,
    #[sea_orm(column_type = "JsonBinary")]
    pub profile_points: Profile,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "project_id", to = "id", on_delete = "Cascade")]
    pub project: BelongsTo<super::project::Entity>,
}

super::common::before_save!(default: [created_at, updated_at], onupdate: [updated_at], check: two_decimals);

/// PostgreSQL would silently round a third decimal.
fn two_decimals(cam: &ActiveModel) -> Result<(), DbErr> {
    let exact = cam.lift.try_as_ref().is_none_or(|lift| lift.normalize().scale() <= 2);
    exact.then_some(()).ok_or_else(|| DbErr::Type("a lift has two decimals".into()))
}

/// The largest radius of the profile as an SQL expression, to filter, sort and select by.
pub fn peak(backend: DatabaseBackend) -> Expr {
    let points = if backend == DatabaseBackend::Sqlite { "json_each" } else { "jsonb_array_elements" };
    Expr::cust(format!("(SELECT max(CAST(point.value ->> 'radius' AS FLOAT)) FROM {points}(profile_points) AS point)"))
}
