//! Mounts every operation, which documents it at the same time.

mod auth;
mod batch;
mod changes;
mod entry_edits;
mod health;
mod history;
mod history_edits;
mod lists;
mod live;
mod media;
mod pages;
mod play_edits;
mod plays;
mod preferences;
mod ratings;
mod recommendations;
mod sessions;
mod swagger_ui;
mod tags;
mod users;
mod video_extras;
mod videos;
mod viewing_statistics;
mod watch_history;

use swagger_ui::SwaggerFiles;

use crate::allowed_methods::AllowedMethods;
use crate::paths;
use crate::public_path::PublicPath;
use crate::web_files;
use actix_web::web;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

/// Mounts the API.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(health::health).service(health::live).service(health::ready).service(
        scope::scope(paths::API)
            // The router tries the operations in this order, so the most frequent ones come first.
            .service(watch_history::save)
            .service(watch_history::find)
            .service(watch_history::continue_watching)
            .service(auth::register)
            .service(auth::login)
            .service(auth::refresh)
            .service(auth::logout)
            .service(auth::me)
            .service(sessions::list)
            .service(sessions::end_others)
            .service(sessions::end)
            .service(users::find)
            .service(users::update)
            .service(users::delete_account)
            .service(preferences::find)
            .service(preferences::update)
            .service(viewing_statistics::statistics)
            // Fixed paths come before patterns, which would match them.
            .service(recommendations::list)
            .service(lists::paginated)
            .service(lists::search)
            .service(lists::my_videos)
            .service(lists::popular)
            .service(lists::top_rated)
            .service(lists::summary)
            .service(tags::tags)
            .service(tags::popular_tags)
            .service(tags::search_tags)
            .service(live::open)
            .service(history::list)
            .service(changes::list)
            .service(plays::list)
            .service(plays::list_of_video)
            .service(batch::save_all)
            .service(entry_edits::undo)
            .service(entry_edits::hide)
            .service(entry_edits::unhide)
            .service(entry_edits::mark)
            .service(entry_edits::unmark)
            .service(history_edits::mark_many)
            .service(history_edits::forget_many)
            .service(history_edits::clear)
            .service(play_edits::delete_play)
            .service(play_edits::resume)
            .service(watch_history::forget)
            .service(media::stream)
            .service(media::thumbnail)
            .service(video_extras::count_view)
            .service(video_extras::hls_status)
            .service(video_extras::qualities)
            .service(video_extras::preview_clips)
            .service(video_extras::thumbnails)
            .service(tags::video_tags)
            .service(ratings::rating_stats)
            .service(ratings::rating)
            .service(videos::list)
            .service(videos::create)
            .service(videos::find)
            .service(videos::update)
            .service(videos::delete),
    );
}

/// Paths that are not in the API document.
const PAGES: [&str; 5] = ["/", "/openapi.json", "/docs", "/docs/{_:.*}", web_files::PATTERN];

/// The parts of the API document that the workers share. The document itself, which takes 15 MiB,
/// is dropped.
#[derive(Clone)]
pub(crate) struct DocumentParts {
    methods: web::Data<AllowedMethods>,
    docs: web::Data<SwaggerFiles>,
}

impl DocumentParts {
    pub(crate) fn new(document: &OpenApi) -> Self {
        let methods = web::Data::new(AllowedMethods::from_document(document, &PAGES));
        Self { methods, docs: web::Data::new(SwaggerFiles::new(document)) }
    }
}

/// Mounts the player, Swagger UI, and the answer to unknown paths.
pub(crate) fn configure_pages(
    parts: DocumentParts,
    public_path: &PublicPath,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let docs_page = format!("{public_path}/docs/");
    move |config| {
        config
            .app_data(parts.methods)
            .app_data(parts.docs)
            .service(web::redirect("/docs", docs_page))
            .service(swagger_ui::openapi_json)
            .service(swagger_ui::page_file)
            .service(pages::index)
            .service(pages::file)
            .default_service(web::to(pages::not_found));
    }
}
