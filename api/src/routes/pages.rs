//! The web player: the files of `web/`, embedded in the program.

use crate::error::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, ETAG, EntityTag, Header, IfNoneMatch, REFERRER_POLICY,
};
use actix_web::{HttpRequest, HttpResponse, get, web::Path};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What the pages may load: their own scripts and styles, the API beside them, and pictures from anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https: http:; \
     media-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "../web"]
struct Web;

#[get("/")]
pub(super) async fn index(request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve("index.html", &request)
}

/// The addresses of its files.
pub(super) const FILES: &str = "/{path:.*\\.(?:js|css|svg|html|png|ico|webmanifest)}";

#[get("/{path:.*\\.(?:js|css|svg|html|png|ico|webmanifest)}")]
pub(super) async fn file(path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(&path, &request)
}

fn serve(path: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let EmbeddedFile { data, metadata } = Web::get(path).ok_or_else(|| Problem::of_status(StatusCode::NOT_FOUND))?;
    let tag = EntityTag::new_strong(metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect());
    let is_known = is_known(request, &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // A page is asked for again after every release, so a browser always checks; unchanged, it costs no bytes.
    response.insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, tag.to_string()));
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY)).insert_header((REFERRER_POLICY, "same-origin"));
    if is_known {
        return Ok(response.finish());
    }
    let kind = metadata.mimetype().parse().map(ContentType).unwrap_or_else(|_| ContentType::octet_stream());
    Ok(response.content_type(kind).body(data))
}

/// Whether the client has already what bears this tag.
pub(super) fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
