//! `/health`: for load balancers and supervisors.

use crate::error::Problem;
use crate::responses::NotReady;
use crate::state::AppData;
use actix_web::get;
use actix_web::web::Json;
use serde::Serialize;
use service::relay::RelayStatus;
use std::sync::Arc;
use utoipa::ToSchema;

/// The server works.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Only where `REDIS_URL` is set: whether Redis answers. The server works without it, but live
    /// sockets do not hear of changes in other processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RedisHealth)]
    redis: Option<RedisHealth>,
}

/// Whether Redis answers.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RedisHealth {
    /// It does.
    Connected,
    /// It does not.
    Away,
}

const ALIVE: Json<Health> = Json(Health { status: "healthy", redis: None });

/// Health check
///
/// The same as `/health/ready`.
#[utoipa::path(
    operation_id = "health",
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
    operation_id = "health_live",
    responses((status = 200, description = "The server works.", body = Health))
)]
#[get("/health/live")]
pub(super) async fn live() -> Json<Health> {
    ALIVE
}

/// Readiness check
///
/// 503 while the database cannot be reached, and while the server shuts down. Redis is named, but
/// not needed.
#[utoipa::path(
    operation_id = "health_ready",
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
    let redis_health =
        |redis: &Arc<RelayStatus>| if redis.is_connected() { RedisHealth::Connected } else { RedisHealth::Away };
    Ok(Json(Health { status: "healthy", redis: app.redis.as_ref().map(redis_health) }))
}
