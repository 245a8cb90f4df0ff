//! The web player, and the answer to unknown paths.

use crate::allowed_methods::AllowedMethods;
use crate::error::Problem;
use crate::public_path::PublicPath;
use crate::state::AppData;
use crate::web_files;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, ETAG, EntityTag, Header, IfNoneMatch, REFERRER_POLICY,
};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use rust_embed::EmbeddedFile;

/// The pages may load their own scripts and styles, the API, and pictures from there or by HTTPS.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; \
     media-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

const PAGE: &str = "index.html";

#[get("/")]
pub(super) async fn index(app: AppData, request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(PAGE, &app.public_path, &request)
}

#[get("/{path:.*\\.(?:js|css|svg|html|png|ico|webmanifest)}")]
pub(super) async fn file(app: AppData, path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(&path, &app.public_path, &request)
}

fn serve(path: &str, public_path: &PublicPath, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let EmbeddedFile { data, metadata } =
        web_files::find(path).ok_or_else(|| Problem::from_status(StatusCode::NOT_FOUND))?;
    let hash: String = metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = EntityTag::new_strong(format!("{hash}{public_path}"));
    let is_not_modified = is_not_modified(request, &tag);
    let mut response = if is_not_modified { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // Browsers revalidate the files each time, so that a release takes effect at once.
    response.insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, tag.to_string()));
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY)).insert_header((REFERRER_POLICY, "same-origin"));
    if is_not_modified {
        return Ok(response.finish());
    }
    let kind = metadata.mimetype().parse().map(ContentType).unwrap_or_else(|_| ContentType::octet_stream());
    if path == PAGE {
        // Modules import each other by relative paths; the page needs the public path.
        let page = String::from_utf8_lossy(&data).replace("=\"/", &format!("=\"{public_path}/"));
        return Ok(response.content_type(kind).body(page));
    }
    Ok(response.content_type(kind).body(data))
}

/// Whether the client already has the version with this ETag.
pub(super) fn is_not_modified(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Answers every path that has no route: 405 when only the method is wrong, else 404.
pub(super) async fn not_found(methods: Data<AllowedMethods>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(methods.check(&request).unwrap_or_else(|| Problem::from_status(StatusCode::NOT_FOUND)))
}
