//! Changed entities: columns, indexes, keys and tables are added, removed and changed.

use sea_orm::{DbBackend, Schema};
use sea_orm_revisions::entities::EntityTables;

pub(crate) fn entities(backend: DbBackend) -> EntityTables {
    let tables = Schema::new(backend)
        .builder()
        .register(user::Entity)
        .register(video::Entity)
        .register(watch_history::Entity)
        .register(::entity::play::Entity)
        .register(::entity::forgotten_entry::Entity)
        .register(::entity::changed_video::Entity)
        .register(::entity::history_reset::Entity)
        .register(::entity::revision::Entity)
        .register(::entity::related_video::Entity)
        .register(::entity::video_revision::Entity)
        .register(::entity::background_job::Entity)
        .register(::entity::session::Entity)
        .register(::entity::deleted_file::Entity)
        .register(::entity::ended_session::Entity)
        .register(refresh_token::Entity)
        .register(::entity::sign_in_limit::Entity)
        .register(answer::Entity)
        .register(like::Entity)
        .register(rating::Entity);
    EntityTables { tables, indexes: Vec::new(), statements: ::entity::video_search::tables(backend).to_vec() }
}

/// Added: a column with an index, a column with a default and a check.
mod user {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique, column_type = "String(StringLen::N(255))")]
        pub email: String,
        #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
        pub email_key: Option<String>,
        #[sea_orm(unique, column_type = "String(StringLen::N(100))")]
        pub username: String,
        #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
        pub username_key: Option<String>,
        #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
        pub username_skeleton: Option<String>,
        #[sea_orm(column_type = "String(StringLen::N(255))")]
        pub hashed_password: String,
        #[sea_orm(nullable, column_type = "String(StringLen::N(255))")]
        pub full_name: Option<String>,
        #[sea_orm(default_value = "user", extra = "CHECK (role IN ('user', 'premium', 'admin'))")]
        pub role: ::entity::user::Role,
        #[sea_orm(default_value = true)]
        pub is_active: bool,
        #[sea_orm(default_value = false)]
        pub is_verified: bool,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub last_login: Option<DateTimeUtc>,
        /// It is not removed: PostgreSQL writes BETWEEN as two comparisons.
        #[sea_orm(nullable, extra = "CHECK (retention_days BETWEEN 1 AND 3650)")]
        pub retention_days: Option<i32>,
        #[sea_orm(indexed, nullable, column_type = "String(StringLen::N(50))")]
        pub nickname: Option<String>,
        #[sea_orm(default_value = 1, extra = "CHECK (level > 0)")]
        pub level: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Removed: `bitrate`, the index of `file_path`. Changed: two types, a default, a check, NOT NULL.
/// Added: a unique key.
mod video {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "videos")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(indexed, unique_key = "title_of_user")]
        pub user_id: i64,
        #[sea_orm(indexed, unique_key = "title_of_user", column_type = "Text")]
        pub title: String,
        #[sea_orm(nullable, column_type = "Text")]
        pub description: Option<String>,
        #[sea_orm(nullable, column_type = "String(StringLen::N(500))")]
        pub file_path: Option<String>,
        pub file_size: Option<i64>,
        #[sea_orm(nullable, extra = "CHECK (duration >= 0)")]
        pub duration: Option<i32>,
        pub width: i32,
        pub height: Option<i32>,
        pub fps: Option<f64>,
        #[sea_orm(nullable)]
        pub codec: Option<i32>,
        #[sea_orm(
            default_value = "processing",
            extra = "CHECK (status IN ('processing', 'ready', 'failed', 'deleted', 'archived'))"
        )]
        pub status: ::entity::video::Status,
        #[sea_orm(default_value = 0)]
        pub view_count: i32,
        #[sea_orm(indexed)]
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub published_at: Option<DateTimeUtc>,
        #[sea_orm(nullable, column_type = "String(StringLen::N(500))")]
        pub thumbnail_path: Option<String>,
        #[sea_orm(nullable, column_type = "String(StringLen::N(500))")]
        pub thumbnail_file: Option<String>,
        #[sea_orm(nullable, column_type = "String(StringLen::N(64))")]
        pub file_hash: Option<String>,
        pub file_modified_at: Option<DateTimeUtc>,
        pub missing_since: Option<DateTimeUtc>,
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
        pub uploader: BelongsTo<super::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Removed: the unique key, a check. Changed: ON DELETE of the user.
mod watch_history {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "watch_history")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: i64,
        #[sea_orm(indexed)]
        pub video_id: i64,
        #[sea_orm(default_value = 0, extra = "CHECK (watch_position >= 0)")]
        pub watch_position: i32,
        #[sea_orm(default_value = 0)]
        pub watch_duration: i32,
        #[sea_orm(default_value = false)]
        pub completed: bool,
        /// It is not removed, nor is the revision: SQLite does not tell a bigint from an integer.
        #[sea_orm(default_value = 0)]
        pub play_watched_ms: i64,
        pub last_watched_at: DateTimeUtc,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub revision: Option<i64>,
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Restrict")]
        pub user: BelongsTo<super::user::Entity>,
        #[sea_orm(belongs_to, from = "video_id", to = "id", on_delete = "Cascade")]
        pub video: BelongsTo<super::video::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Added: a NOT NULL column without a default.
mod refresh_token {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_tokens")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(indexed)]
        pub session_id: i64,
        #[sea_orm(unique, column_type = "String(StringLen::N(64))")]
        pub token_hash: String,
        pub created_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub spent_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "Char(Some(2))")]
        pub country: String,
        #[sea_orm(belongs_to, from = "session_id", to = "id", on_delete = "Cascade")]
        pub session: BelongsTo<::entity::session::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A new table whose name sorts before that of the table that it refers to.
mod answer {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "answers")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub rating_id: Option<i64>,
        #[sea_orm(column_type = "Text")]
        pub text: String,
        #[sea_orm(belongs_to, from = "rating_id", to = "id", on_delete = "SetNull")]
        pub rating: BelongsTo<Option<super::rating::Entity>>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A new table with a primary key of two columns.
mod like {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "likes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub video_id: i64,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub created_at: DateTimeUtc,
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
        pub user: BelongsTo<super::user::Entity>,
        #[sea_orm(belongs_to, from = "video_id", to = "id", on_delete = "Cascade")]
        pub video: BelongsTo<super::video::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A new table with foreign keys, a unique key, a check, and many types.
mod rating {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "ratings")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique_key = "user_video")]
        pub user_id: i64,
        #[sea_orm(unique_key = "user_video", indexed)]
        pub video_id: i64,
        #[sea_orm(default_value = 3, extra = "CHECK (stars BETWEEN 1 AND 5)")]
        pub stars: i16,
        pub weight: Option<f32>,
        pub day: Option<Date>,
        pub raw: Option<Vec<u8>>,
        #[sea_orm(default_value = "it's", column_type = "Text")]
        pub note: String,
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
        pub user: BelongsTo<super::user::Entity>,
        #[sea_orm(belongs_to, from = "video_id", to = "id", on_delete = "Cascade", on_update = "Cascade")]
        pub video: BelongsTo<super::video::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
