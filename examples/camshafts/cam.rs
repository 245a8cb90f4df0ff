//! One cam of a project.

use super::common::{keep_updated_at, now};
use super::lift::Lift;
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseBackend, FromJsonQueryResult};
use serde::{Deserialize, Serialize};

// snippet: enum
/// Which valves a cam opens; VARCHAR with a CHECK on the column, so that the database knows it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(50))")]
pub enum CamType {
    #[sea_orm(string_value = "intake")]
    Intake,
    #[sea_orm(string_value = "exhaust")]
    Exhaust,
}
// end

// snippet: json type
/// One measurement of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub angle: i32,
    pub radius: f64,
}

/// `[{"angle": 0, "radius": 15.5}, …]` in the database, a list of points here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Profile(pub Vec<Point>);
// end

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
    // snippet: columns
    #[sea_orm(extra = "CHECK (cam_type IN ('intake', 'exhaust'))")]
    pub cam_type: CamType,
    #[sea_orm(extra = "CHECK (lift BETWEEN -99999 AND 99999)")]
    pub lift: Lift,
    pub duration: i32,
    #[sea_orm(column_type = "JsonBinary")]
    pub profile_points: Profile,
    // end
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "project_id", to = "id", on_delete = "Cascade")]
    pub project: BelongsTo<super::project::Entity>,
}

keep_updated_at!(now);

// snippet: hybrid
impl Model {
    /// The largest radius of the profile, of a row that is loaded.
    pub fn peak(&self) -> Option<f64> {
        self.profile_points.0.iter().map(|point| point.radius).reduce(f64::max)
    }
}

/// The same inside of a statement: to filter, sort and select by.
pub fn peak(backend: DatabaseBackend) -> Expr {
    let points = match backend {
        DatabaseBackend::Sqlite => "json_each(profile_points)",
        _ => "jsonb_array_elements(profile_points)",
    };
    let radius = "CAST(point.value ->> 'radius' AS DOUBLE PRECISION)";
    Expr::cust(format!("(SELECT max({radius}) FROM {points} AS point)"))
}
// end
