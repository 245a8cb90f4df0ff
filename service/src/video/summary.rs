//! What lists show of a video.

use crate::caller::UserRole;
use crate::storage::{RowReader, input_row, select_input, selected_row};
use crate::{picture, text};
use entity::{user, video, video_revision};
use sea_orm::prelude::*;
use sea_orm::sea_query::{ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{DatabaseBackend, DbErr};

/// What lists show of a video, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VideoSummary {
    pub(crate) visibility: Visibility,
    pub(crate) title: String,
    /// Cut as in all lists.
    pub(crate) description: Option<String>,
    /// Seconds.
    pub(crate) duration: Option<i32>,
    /// The address of the picture, if it may be displayed.
    pub(crate) thumbnail_path: Option<String>,
    pub(crate) has_thumbnail_file: bool,
    pub(crate) uploader_username: String,
}

/// Who may see a video: the rule that [`super::visible_to`] states in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visibility {
    pub(super) uploader_id: i64,
    pub(super) is_ready: bool,
    pub(super) is_deleted: bool,
}

impl Visibility {
    /// Whether a user sees the video in lists.
    pub(crate) fn includes(self, user_id: i64, is_admin: bool) -> bool {
        self.is_ready || !self.is_deleted && (is_admin || user_id == self.uploader_id)
    }
}

input_row! {
    /// A request for the summary of a video.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct SummaryRequest {
        video_id: i64,
    }
}

selected_row! {
    /// The row of a video and its uploader.
    struct SummaryRow() {
        uploader_id: i64 = video::Column::UserId.into_expr(),
        is_ready: bool = video::Column::Status.eq(video::Status::Ready),
        is_deleted: bool = video::Column::Status.eq(video::Status::Deleted),
        title: String = video::Column::Title.into_expr(),
        description: Option<String> = video::Column::Description.into_expr(),
        duration: Option<i32> = video::Column::Duration.into_expr(),
        thumbnail_path: Option<String> = video::Column::ThumbnailPath.into_expr(),
        thumbnail_file: Option<String> = video::Column::ThumbnailFile.into_expr(),
        username: String = user::Column::Username.into_expr(),
        is_uploaded_by_admin: bool = user::Column::Role.eq(user::Role::Admin),
    }
}

impl From<SummaryRow> for VideoSummary {
    fn from(row: SummaryRow) -> Self {
        let SummaryRow { uploader_id, is_ready, is_deleted, .. } = row;
        let uploader = if row.is_uploaded_by_admin { UserRole::Admin } else { UserRole::User };
        Self {
            visibility: Visibility { uploader_id, is_ready, is_deleted },
            title: row.title,
            description: row.description.map(text::shorten),
            duration: row.duration,
            thumbnail_path: picture::if_displayable(row.thumbnail_path, uploader),
            has_thumbnail_file: row.thumbnail_file.is_some(),
            uploader_username: row.username,
        }
    }
}

impl VideoSummary {
    /// Selects what [`VideoSummary::read`] reads, of each video of the input that exists.
    pub(crate) fn select(backend: DatabaseBackend) -> SelectStatement {
        let is_uploader = user::Column::Id.into_expr().equals((video::Entity, video::Column::UserId));
        Query::select()
            .column((video::Entity, video::Column::Id))
            .expr(video_revision())
            .exprs(SummaryRow::selected())
            .from_subquery(select_input::<_, SummaryRequest>(backend), "input")
            .inner_join(video::Entity, video::Column::Id.into_expr().equals(("input", "video_id")))
            .join(JoinType::InnerJoin, user::Entity, is_uploader)
            .take()
    }

    /// Reads the id of a video, the revision that its row belongs to, and the summary.
    ///
    /// # Errors
    /// A column is missing, or has another type.
    pub(crate) fn read(row: &mut RowReader<'_>) -> Result<(i64, i64, Self), DbErr> {
        Ok((row.read()?, row.read()?, SummaryRow::read(row)?.into()))
    }
}

/// The revision of all summaries at the moment of the statement that selects it. Each transaction
/// that changes a summary raises it, so a summary that was read at this revision or later is right.
pub(crate) fn video_revision() -> Expr {
    let latest = Query::select()
        .column(video_revision::Column::Latest)
        .from(video_revision::Entity)
        .and_where(video_revision::Column::Id.eq(video_revision::ID))
        .take();
    Expr::SubQuery(None, Box::new(latest.into())).if_null(0_i64)
}
