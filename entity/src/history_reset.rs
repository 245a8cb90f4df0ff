//! Changes of a history that devices are not told entry by entry: they read the whole history anew.

use sea_orm::entity::prelude::*;

/// The last time when many entries of a viewer were deleted at once, or when it changed which of
/// them have expired.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "history_resets")]
pub struct Model {
    /// The id of the viewer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// The revision of the change; NULL on PostgreSQL, where each change writes the row anew.
    pub revision: Option<i64>,
    /// The viewer.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
