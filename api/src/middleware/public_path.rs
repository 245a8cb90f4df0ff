//! Takes the public path off requests whose proxy has left it on.

use super::path::set_path;
use crate::public_path::PublicPath;
use crate::state::AppState;
use crate::web_files;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web::Data};

pub(crate) async fn strip_public_path(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let app = request.app_data::<Data<AppState>>().cloned();
    if let Some(path) = app.and_then(|app| strip(&app.public_path, request.path()).map(str::to_owned)) {
        set_path(&mut request, &path);
    }
    next.call(request).await
}

/// The path as the routes know it; `None` when it does not start with the public path.
fn strip<'p>(public_path: &PublicPath, path: &'p str) -> Option<&'p str> {
    let rest = public_path.strip_from(path)?;
    // A proxy that strips the public path `/playhead` itself leaves `/playhead/outbox.js`, a file
    // of the page.
    if web_files::exists(path) {
        return None;
    }
    match rest {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_routed_with_and_without_the_public_path() {
        let public_path: PublicPath = "/playhead".parse().unwrap();
        for (path, stripped) in [
            ("/playhead", Some("/")),
            ("/playhead/", Some("/")),
            ("/playhead/api/v1/videos", Some("/api/v1/videos")),
            ("/playhead/playhead/queue.js", Some("/playhead/queue.js")),
            ("/playhead/queue.js", None),
            ("/playhead.js", None),
            ("/playheads", None),
            ("/api/v1/videos", None),
        ] {
            assert_eq!(strip(&public_path, path), stripped, "{path}");
        }
    }
}
