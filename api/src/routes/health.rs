//! `/health`: for load balancers and supervisors.

use crate::error::Problem;
use crate::responses::NotReady;
use crate::state::AppData;
use actix_web::get;
use actix_web::web::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    status: &'static str,
}

const HEALTHY: Json<Health> = Json(Health { status: "healthy" });

/// Is it well
///
/// The same as `/health/ready`.
#[utoipa::path(
    tag = "health", operation_id = "health",
    responses((status = 200, description = "It is.", body = Health), NotReady)
)]
#[get("/health")]
pub(super) async fn health(app: AppData) -> Result<Json<Health>, Problem> {
    check(app).await
}

/// Is it alive
///
/// True as long as the process answers at all.
#[utoipa::path(
    tag = "health", operation_id = "health_live",
    responses((status = 200, description = "It is.", body = Health))
)]
#[get("/health/live")]
pub(super) async fn live() -> Json<Health> {
    HEALTHY
}

/// Can it serve
///
/// False while the database cannot be reached, and from the moment that the server was told to end.
#[utoipa::path(
    tag = "health", operation_id = "health_ready",
    responses((status = 200, description = "It can.", body = Health), NotReady)
)]
#[get("/health/ready")]
pub(super) async fn ready(app: AppData) -> Result<Json<Health>, Problem> {
    check(app).await
}

async fn check(app: AppData) -> Result<Json<Health>, Problem> {
    if app.shutdown.is_draining() {
        return Err(Problem::shutting_down());
    }
    app.run(|app| async move { app.db.ping().await }).await?;
    Ok(HEALTHY)
}
