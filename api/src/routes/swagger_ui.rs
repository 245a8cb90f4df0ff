//! `/docs`: Swagger UI, and the document that it shows. Files are compressed once, not per request.

use super::pages::is_not_modified;
use crate::error::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ContentEncoding, ETAG, Encoding, EntityTag, Header, VARY,
};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use flate2::Compression;
use flate2::bufread::{GzDecoder, GzEncoder};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::task::spawn_blocking;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

/// Starts the page, with what the document says of groups and code.
const INITIALIZER: &str = include_str!("swagger_ui/initializer.js");

/// Added to the style sheet of the page.
const STYLE: &str = include_str!("swagger_ui/page.css");

/// The files of the page.
pub(crate) struct SwaggerFiles {
    config: Arc<Config<'static>>,
    document: Arc<CachedFile>,
    /// Files that were requested before.
    files: Mutex<BTreeMap<String, Arc<CachedFile>>>,
}

impl SwaggerFiles {
    pub(crate) fn new(document: &OpenApi) -> Self {
        let document = serde_json::to_vec(document).unwrap_or_default();
        Self {
            config: Arc::new(Config::from("../openapi.json")),
            document: Arc::new(CachedFile::from_bytes("application/json".to_owned(), document)),
            files: Mutex::default(),
        }
    }

    fn file(&self, path: &str) -> Option<Arc<CachedFile>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(path) {
            return Some(file.clone());
        }
        let found = utoipa_swagger_ui::serve(path, self.config.clone()).ok()??;
        let gzip = Bytes::from(found.bytes.into_owned());
        let file = match path {
            "swagger-initializer.js" => CachedFile::from_bytes(found.content_type, INITIALIZER.into()),
            "index.css" => {
                let original = if found.gzpipped { decompress(&gzip) } else { gzip.to_vec() };
                CachedFile::from_bytes(found.content_type, [&original, STYLE.as_bytes()].concat())
            }
            _ if found.gzpipped => CachedFile { kind: found.content_type, gzip: gzip.into(), ..CachedFile::default() },
            _ => CachedFile::from_bytes(found.content_type, gzip.into()),
        };
        Some(files.entry(path.to_owned()).or_insert(Arc::new(file)).clone())
    }
}

/// A file, whose encodings are made on first use.
#[derive(Default)]
struct CachedFile {
    kind: String,
    raw: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
    tag: OnceLock<String>,
}

impl CachedFile {
    fn from_bytes(kind: String, bytes: Vec<u8>) -> Self {
        Self { kind, raw: Bytes::from(bytes).into(), ..Self::default() }
    }

    fn bytes(&self) -> &Bytes {
        self.raw.get_or_init(|| self.gzip.get().map(|gzip| decompress(gzip).into()).unwrap_or_default())
    }

    fn gzip_bytes(&self) -> &Bytes {
        self.gzip.get_or_init(|| {
            let mut gzip = Vec::new();
            let done = GzEncoder::new(&self.bytes()[..], Compression::default()).read_to_end(&mut gzip);
            done.map(|_| gzip.into()).unwrap_or_default()
        })
    }

    fn tag(&self) -> &str {
        self.tag.get_or_init(|| {
            let hash = Sha256::digest(self.gzip.get().unwrap_or_else(|| self.bytes()));
            hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
        })
    }
}

fn decompress(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let done = GzDecoder::new(gzip).read_to_end(&mut bytes);
    done.map(|_| bytes).unwrap_or_default()
}

#[get("/openapi.json")]
pub(super) async fn openapi_json(docs: Data<SwaggerFiles>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(docs.document.clone(), request).await
}

#[get("/docs/{path:.*}")]
pub(super) async fn page_file(
    docs: Data<SwaggerFiles>,
    path: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let path = if path.is_empty() { "index.html" } else { &path };
    let file = docs.file(path).ok_or_else(|| Problem::from_status(StatusCode::NOT_FOUND))?;
    serve(file, request).await
}

async fn serve(file: Arc<CachedFile>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let forms = [Encoding::gzip(), Encoding::identity()];
    let takes_gzip = AcceptEncoding::parse(&request)
        .ok()
        .filter(|wanted| !wanted.is_empty())
        .and_then(|wanted| wanted.negotiate(forms.iter()))
        .is_some_and(|form| form == Encoding::gzip());
    let made = spawn_blocking(move || {
        let tag = EntityTag::new_strong(format!("{}{}", file.tag(), if takes_gzip { "-gzip" } else { "" }));
        (tag, if takes_gzip { file.gzip_bytes() } else { file.bytes() }.clone(), file)
    });
    let (tag, bytes, file) = made.await.map_err(|_| Problem::from_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    let is_not_modified = is_not_modified(&request, &tag);
    let mut response = if is_not_modified { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, tag.to_string()));
    response.insert_header((VARY, "Accept-Encoding"));
    if is_not_modified {
        return Ok(response.finish());
    }
    if takes_gzip {
        response.insert_header((CONTENT_ENCODING, ContentEncoding::Gzip));
    }
    Ok(response.content_type(&*file.kind).body(bytes))
}
