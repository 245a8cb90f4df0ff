//! The HTTP API: the whole application, the same in production and in tests.
//!
//! [`serve`] runs it, [`openapi::document`] describes it. A request passes [`middleware`], the
//! extractors of its handler, and one use case of the `service` crate. Every failure becomes a
//! problem document in [`error`].

pub mod access_log;
mod allowed_methods;
mod body;
mod cache_control;
mod client_address;
mod connection;
pub mod error;
pub mod extractors;
mod file;
mod file_limits;
mod live;
mod local_client;
mod metrics;
mod metrics_server;
mod middleware;
pub mod openapi;
mod pagination;
mod parse_errors;
mod paths;
mod public_path;
mod rate_limits;
mod request_head;
mod request_id;
mod responses;
mod routes;
mod security_log;
mod server;
mod shared_payload;
mod shutdown;
mod state;
mod web_files;

pub use actix_web::dev::ServerHandle;
pub use file_limits::FileLimits;
pub use live::{LiveHub, LiveLimits};
pub use metrics::RequestMetrics;
pub use metrics_server::{METRICS_PATH, serve_metrics};
pub use public_path::PublicPath;
pub use rate_limits::RateLimits;
pub use server::serve;
pub use shutdown::{Shutdown, ShutdownMode};
pub use state::{AccessLog, AppState};
