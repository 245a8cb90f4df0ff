//! Ids in paths, and what is answered when one is invalid.

use crate::allowed_methods::AllowedMethods;
use crate::body::BODY_LIMIT;
use crate::error::Problem;
use actix_multipart::form::MultipartFormConfig;
use actix_web::HttpRequest;
use actix_web::web::{Data, PathConfig, ServiceConfig};
use serde::Deserialize;
use service::text::FieldError;
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

/// The video that the path names.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Path)]
#[validate(schema(function = "validate_video_id"))]
pub struct VideoPath {
    /// Id of the video.
    #[param(minimum = 1, example = 1)]
    pub video_id: i64,
}

/// The field name of errors about the path.
const PATH_FIELD: &str = "path";
const INVALID_ID: &str = "the id in the path must be a whole number, 1 or more";

fn validate_video_id(path: &VideoPath) -> Result<(), ValidationError> {
    check_id(path.video_id)
}

/// Refuses ids below 1.
pub(crate) fn check_id(id: i64) -> Result<(), ValidationError> {
    if id > 0 { Ok(()) } else { Err(ValidationError::new(PATH_FIELD).with_message(INVALID_ID.into())) }
}

/// Limits multipart forms, and turns actix-web's own errors about paths into problems.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(MultipartFormConfig::default().total_limit(BODY_LIMIT).memory_limit(BODY_LIMIT))
        .app_data(PathConfig::default().error_handler(|_, request| path_problem(request).into()));
}

/// Paths have at most one parameter, a number. A fixed path that does not take the method can match
/// the pattern of another route, such as `POST /api/v1/videos/search`: then it is a 405.
fn path_problem(request: &HttpRequest) -> Problem {
    let wrong_method = request.app_data::<Data<AllowedMethods>>().and_then(|methods| methods.check(request));
    wrong_method.unwrap_or_else(|| {
        let (_, value) = request.match_info().iter().next().unwrap_or_default();
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let message = if is_number { "the id in the path is out of range" } else { INVALID_ID };
        Problem::invalid_fields(vec![FieldError { field: PATH_FIELD.into(), message: message.into() }])
    })
}
