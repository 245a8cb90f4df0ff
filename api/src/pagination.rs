//! Pages of long lists: the cursor of a request, and the header `Link` of its answer.

use crate::error::Problem;
use crate::public_path::{Links, PublicPath};
use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use service::page::{Cursor, Page};
use service::text::FieldError;
use url::form_urlencoded::Serializer;
use validator::ValidationError;

/// The length of a page, where a request names none.
pub(crate) fn default_limit() -> i32 {
    20
}

/// The cursor in a query.
pub(crate) fn parse_cursor(text: Option<String>) -> Result<Option<Cursor>, Problem> {
    text.map(|text| Cursor::decode(&text).ok_or_else(invalid_cursor)).transpose()
}

fn invalid_cursor() -> Problem {
    let message = "is not a valid cursor".to_owned();
    Problem::invalid_fields(vec![FieldError { field: "cursor".to_owned(), message }])
}

/// Refuses a range of times that begins after its end.
pub(crate) fn check_range(since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Result<(), ValidationError> {
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(ValidationError::new("since").with_message("must not be after until".into()));
    }
    Ok(())
}

/// The parameters of a query that the next page has too.
#[derive(Debug, Default)]
pub(crate) struct KeptParameters(Vec<(&'static str, String)>);

impl KeptParameters {
    pub(crate) fn new(limit: i32) -> Self {
        Self(vec![("limit", limit.to_string())])
    }

    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(crate) fn with_time(self, name: &'static str, time: Option<DateTime<Utc>>) -> Self {
        self.with(name, time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)))
    }
}

/// The answer with a page of the list at `path`, and the address of the next page if there is one.
pub(crate) fn respond<T: Links + Serialize>(
    public_path: &PublicPath,
    path: &str,
    kept: &KeptParameters,
    page: Page<T>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(next) = page.next {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&kept.0).append_pair("cursor", &next.encode());
        let address = public_path.prefix_links(format!("{path}?{}", query.finish()));
        response.insert_header((LINK, format!("<{address}>; rel=\"next\"")));
    }
    response.json(public_path.prefix_links(page.items))
}
