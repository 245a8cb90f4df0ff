//! `/api/v1/watch-history/batch`: saves that a device collected while it was offline.

use crate::body::{Body, parse};
use crate::error::Problem;
use crate::extractors::{CurrentUser, Valid, VideoPath};
use crate::request_id::RequestId;
use crate::responses::schema_of;
use crate::state::AppData;
use actix_web::http::StatusCode;
use actix_web::post;
use actix_web::web::Json;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use service::text::FieldError;
use service::watch_history::{self, Entry, Save};
use service::{Error, number, text};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use validator::Validate;

/// Saves of a device, the oldest first.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WatchHistoryBatch)]
pub(super) struct Batch {
    /// 1 to 500 saves. Each has a result of its own: an invalid one does not affect the others.
    #[validate(length(min = 1, max = 500, message = "must be 1 to 500 saves"))]
    #[schema(
        value_type = Vec<BatchSave>, min_items = 1, max_items = 500,
        example = json!([{"video_id": 1, "watch_position": 15, "age_ms": 60_000}])
    )]
    saves: Vec<Box<RawValue>>,
}

/// A save and its video.
struct BatchSave {
    video: VideoPath,
    save: Save,
}

impl<'de> Deserialize<'de> for BatchSave {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = BatchSave;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a save")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<BatchSave, A::Error> {
                let mut fields = SaveFields { fields, video_id: None };
                let save = Save::deserialize(MapAccessDeserializer::new(&mut fields)).map_err(add_video_id_to_error)?;
                let VideoId(video_id) = fields.video_id.ok_or_else(|| de::Error::missing_field(VIDEO_ID))?;
                Ok(BatchSave { video: VideoPath { video_id }, save })
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

const VIDEO_ID: &str = "video_id";

/// Adds `video_id` to a message that lists the expected fields.
fn add_video_id_to_error<E: de::Error>(error: E) -> E {
    match error.to_string().rsplit_once("expected one of ") {
        Some((unknown, fields)) => E::custom(format!("{unknown}expected one of `{VIDEO_ID}`, {fields}")),
        None => error,
    }
}

/// The fields of a save, without `video_id`, which is parsed separately.
struct SaveFields<A> {
    fields: A,
    video_id: Option<VideoId>,
}

#[derive(Deserialize)]
struct VideoId(#[serde(deserialize_with = "number::whole")] i64);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for &mut SaveFields<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.fields.next_key::<String>()? {
            if key != VIDEO_ID {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            if self.video_id.replace(self.fields.next_value()?).is_some() {
                return Err(de::Error::duplicate_field(VIDEO_ID));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.fields.next_value_seed(seed)
    }
}

impl PartialSchema for BatchSave {
    fn schema() -> RefOr<Schema> {
        let mut schema = Save::schema();
        if let RefOr::T(Schema::Object(save)) = &mut schema {
            let id = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).examples([1]);
            let id = id.description(Some("The video."));
            save.properties.insert(VIDEO_ID.to_owned(), id.into());
            save.required.push(VIDEO_ID.to_owned());
            save.description = Some("A save and its video.".to_owned());
            save.example = Some(json!({"video_id": 1, "watch_position": 15, "age_ms": 60_000}));
        }
        schema
    }
}

impl ToSchema for BatchSave {
    fn name() -> Cow<'static, str> {
        "WatchHistoryBatchSave".into()
    }
}

/// The result of each save, in the same order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryBatchResults)]
pub(super) struct BatchResults {
    /// One for each save.
    results: Vec<BatchResult>,
}

/// The result of one save: an entry, a problem, or neither.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = WatchHistoryBatchResult)]
enum BatchResult {
    Accepted(AcceptedSave),
    Rejected(RejectedSave),
    Ignored(IgnoredSave),
}

/// A save that alone would have been answered with 200.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryBatchTaken)]
struct AcceptedSave {
    /// Always 200.
    #[schema(schema_with = accepted_status)]
    status: u16,
    /// The entry as it is stored.
    entry: Entry,
}

/// A save that is not taken: its position is older than the deletion of the entry, or the caller
/// keeps no history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryBatchIgnored)]
struct IgnoredSave {
    /// Always 204.
    #[schema(schema_with = ignored_status)]
    status: u16,
}

/// A save that alone would have failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryBatchRefused)]
struct RejectedSave {
    /// The status that the save alone would have been answered with.
    #[schema(schema_with = rejected_status)]
    status: u16,
    /// Why there is no entry.
    #[schema(value_type = SaveProblem)]
    problem: Problem,
}

/// The problems that a single save can have; those of the whole request are the answer itself.
fn possible_problems() -> [Problem; 7] {
    [
        Problem::invalid_fields(vec![FieldError {
            field: "watch_position".into(),
            message: "must be at least 0".into(),
        }]),
        Error::Unauthenticated.into(),
        Error::VideoNotFound.into(),
        Error::Busy.into(),
        Error::DatabaseAway(String::new()).into(),
        Error::StorageFull.into(),
        Error::Internal(String::new()).into(),
    ]
}

/// The schema of the problem of a save.
struct SaveProblem;

impl PartialSchema for SaveProblem {
    fn schema() -> RefOr<Schema> {
        schema_of(&possible_problems(), "Why a save of a batch was refused.").into()
    }
}

impl ToSchema for SaveProblem {
    fn name() -> Cow<'static, str> {
        "WatchHistoryBatchProblem".into()
    }
}

fn accepted_status() -> Object {
    constant_status(StatusCode::OK)
}

fn ignored_status() -> Object {
    constant_status(StatusCode::NO_CONTENT)
}

fn constant_status(status: StatusCode) -> Object {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([status.as_u16()]));
    schema.description(Some(format!("Always {}.", status.as_u16()))).examples([status.as_u16()]).build()
}

fn rejected_status() -> Object {
    let statuses: BTreeSet<_> = possible_problems().iter().map(|problem| problem.status).collect();
    let status = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some(statuses));
    status.description(Some("The status that the save alone would have been answered with.")).build()
}

impl BatchResult {
    fn new(saved: Result<Option<Entry>, Problem>, request: &RequestId) -> Self {
        match saved {
            Ok(None) => Self::Ignored(IgnoredSave { status: StatusCode::NO_CONTENT.as_u16() }),
            Ok(Some(entry)) => Self::Accepted(AcceptedSave { status: StatusCode::OK.as_u16(), entry }),
            Err(problem) => {
                let problem = Problem { instance: request.0.clone(), ..problem };
                if problem.status >= 500 {
                    problem.log(&request.0, "a save of a batch");
                }
                Self::Rejected(RejectedSave { status: problem.status, problem })
            }
        }
    }
}

/// Save a batch of watch positions
///
/// For saves that a device collected offline, the oldest first. Each save is accepted or refused as
/// if it was sent alone. A batch whose response was lost can be sent again, with new ages: saves
/// with a `session_id` and a `sequence` change nothing the second time.
#[utoipa::path(
    operation_id = "save_watch_history_batch", security(("bearer" = [])),
    request_body = Batch,
    responses((status = 200, description = "The result of each save, in the same order.", body = BatchResults))
)]
#[post("/watch-history/batch")]
pub(super) async fn save_all(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Body(batch)): Valid<Body<Batch>>,
    request: RequestId,
) -> Result<Json<BatchResults>, Problem> {
    let (mut saves, mut invalid) = (Vec::new(), Vec::new());
    for (at, item) in batch.saves.into_iter().enumerate() {
        match parse_save(&item) {
            Ok(save) => saves.push(save),
            Err(problem) => invalid.push((at, problem)),
        }
    }
    let saved = watch_history::save_all(&app.history, caller.id, saves, app.clock.now()).await?;
    let mut results: Vec<_> = saved.into_iter().map(|saved| saved.map_err(Problem::from)).collect();
    for (at, problem) in invalid {
        results.insert(at, Err(problem));
    }
    Ok(Json(BatchResults { results: results.into_iter().map(|saved| BatchResult::new(saved, &request)).collect() }))
}

fn parse_save(item: &RawValue) -> Result<(i64, Save), Problem> {
    let BatchSave { video, save } = parse(item.get().as_bytes())?;
    if video.video_id < 1 {
        let message = "must be a whole number, 1 or more".to_owned();
        return Err(Problem::invalid_fields(vec![FieldError { field: "video_id".to_owned(), message }]));
    }
    save.validate().map_err(|errors| Problem::invalid_fields(text::broken_rules(&errors)))?;
    Ok((video.video_id, save))
}
