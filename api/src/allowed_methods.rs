//! Which methods a path takes: the difference between 404 and 405.

use crate::error::Problem;
use actix_router::{Path, ResourceDef, Router};
use actix_web::HttpRequest;
use std::collections::BTreeMap;
use utoipa::openapi::OpenApi;

/// The methods of every path, as a value for the header `Allow`.
pub(crate) struct AllowedMethods(Router<String>);

impl AllowedMethods {
    /// Reads them from the API document; `pages` are the paths that take GET and are not in it.
    pub(crate) fn from_document(document: &OpenApi, pages: &[&str]) -> Self {
        let mut paths: BTreeMap<_, _> = pages.iter().map(|path| ((*path).to_owned(), vec!["GET", "HEAD"])).collect();
        for (path, item) in &document.paths.paths {
            let methods = [
                ("GET", item.get.is_some()),
                ("HEAD", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            paths.insert(
                path.clone(),
                methods.iter().filter(|(_, exists)| *exists).map(|(method, _)| *method).collect(),
            );
        }
        let mut router = Router::build();
        // Fixed paths come first, or a pattern would match them.
        let (fixed, patterns): (Vec<_>, Vec<_>) = paths.into_iter().partition(|(path, _)| !path.contains('{'));
        for (path, methods) in fixed.into_iter().chain(patterns) {
            router.rdef(ResourceDef::new(path), methods.join(", "));
        }
        Self(router.finish())
    }

    /// A 405 when the path exists and does not take the method of the request.
    pub(crate) fn check(&self, request: &HttpRequest) -> Option<Problem> {
        let (allow, _) = self.0.recognize(&mut Path::new(request.path()))?;
        let is_allowed = allow.split(", ").any(|method| method == request.method().as_str());
        (!is_allowed).then(|| Problem::method_not_allowed(allow))
    }
}
