//! `/health`: for load balancers and supervisors.

use crate::error::Problem;
use crate::responses::NotReady;
use crate::state::AppData;
use actix_web::get;
use actix_web::web::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// The server works.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    status: &'static str,
}

const HEALTHY: Json<Health> = Json(Health { status: "healthy" });

/// Health check
///
/// The same as `/health/ready`.
#[utoipa::path(
    tag = "health", operation_id = "health",
    responses((status = 200, description = "The server works.", body = Health), NotReady)
)]
#[get("/health")]
pub(super) async fn health(app: AppData) -> Result<Json<Health>, Problem> {
    check(app).await
}

/// Liveness check
///
/// 200 as long as the process answers.
#[utoipa::path(
    tag = "health", operation_id = "health_live",
    responses((status = 200, description = "The server works.", body = Health))
)]
#[get("/health/live")]
pub(super) async fn live() -> Json<Health> {
    HEALTHY
}

/// Readiness check
///
/// 503 while the database cannot be reached, and while the server shuts down.
#[utoipa::path(
    tag = "health", operation_id = "health_ready",
    responses((status = 200, description = "The server is ready.", body = Health), NotReady)
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
