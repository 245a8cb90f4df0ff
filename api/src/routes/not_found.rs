//! Addresses that are none, and methods that an address does not take.

use super::pages::FILES;
use crate::error::Problem;
use actix_router::{Path, ResourceDef, Router};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use std::collections::BTreeMap;
use utoipa::openapi::OpenApi;

/// Which methods every address takes, as the document says it.
pub(crate) struct AllowedMethods(Router<String>);

impl AllowedMethods {
    pub(super) fn from_document(document: &OpenApi) -> Self {
        let pages =
            ["/", "/openapi.json", "/docs", "/docs/{_:.*}", FILES].map(|path| (path.to_owned(), vec!["GET", "HEAD"]));
        let mut paths: BTreeMap<_, _> = pages.into_iter().collect();
        for (path, item) in &document.paths.paths {
            let methods = [
                ("GET", item.get.is_some()),
                ("HEAD", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            paths.insert(path.clone(), methods.iter().filter(|(_, taken)| *taken).map(|(method, _)| *method).collect());
        }
        let mut router = Router::build();
        // The fixed addresses come first, or a parameter would swallow them.
        let (fixed, open): (Vec<_>, Vec<_>) = paths.into_iter().partition(|(path, _)| !path.contains('{'));
        for (path, methods) in fixed.into_iter().chain(open) {
            router.rdef(ResourceDef::new(path), methods.join(", "));
        }
        Self(router.finish())
    }

    /// What is wrong with a request whose address takes other methods.
    pub(crate) fn check(&self, request: &HttpRequest) -> Option<Problem> {
        let (allow, _) = self.0.recognize(&mut Path::new(request.path()))?;
        let is_taken = allow.split(", ").any(|method| method == request.method().as_str());
        (!is_taken).then(|| Problem::method_not_allowed(allow))
    }
}

pub(super) async fn not_found(methods: Data<AllowedMethods>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(methods.check(&request).unwrap_or_else(|| Problem::from_status(StatusCode::NOT_FOUND)))
}
