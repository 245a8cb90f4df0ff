//! A video that the caller may see.

use super::{OptionalUser, Valid, VideoPath};
use crate::state::{self, AppData};
use actix_web::dev::Payload;
use actix_web::web::Path;
use actix_web::{Error, FromRequest, HttpRequest};
use futures_util::future::try_join;
use service::caller::Caller;
use service::video;
use std::pin::Pin;

/// The id of the video that the path names. It exists, and the caller may see it.
#[derive(Clone, Copy, Debug)]
pub struct VisibleVideo(pub i64);

impl FromRequest for VisibleVideo {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = state::app_data(request).cloned();
        let caller = OptionalUser::from_request(request, payload);
        let path = Valid::<Path<VideoPath>>::from_request(request, payload);
        Box::pin(async move {
            let caller = async { caller.await.map_err(Error::from) };
            let (OptionalUser(caller), Valid(path)) = try_join(caller, path).await?;
            check(app?, caller, path.video_id).await
        })
    }
}

async fn check(app: AppData, caller: Option<Caller>, id: i64) -> Result<VisibleVideo, Error> {
    app.run(move |app| async move { video::exists(app.db.reader(), caller, id).await }).await?;
    Ok(VisibleVideo(id))
}
