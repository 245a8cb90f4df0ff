//! People who sign in, watch, and upload.

use sea_orm::entity::prelude::*;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum Role {
    /// Watches, and changes what is its own.
    #[sea_orm(string_value = "user")]
    User,
    /// As `User`; kept for sites that tell paying members apart.
    #[sea_orm(string_value = "premium")]
    Premium,
    /// Changes everybody's videos too. The first account ever made is one.
    #[sea_orm(string_value = "admin")]
    Admin,
}

/// An account.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Never used twice, so that an old token cannot act as a newer account.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// As its owner wrote it.
    #[sea_orm(unique, column_type = "String(StringLen::N(255))")]
    pub email: String,
    /// The e-mail in lower case and NFC: what makes it unique whatever the case. Missing only on rows of an older schema whose
    /// e-mail differs from another one by case alone; those are found by their exact spelling.
    #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
    pub email_key: Option<String>,
    /// As its owner wrote it, in NFKC; 3 to 100 characters.
    #[sea_orm(unique, column_type = "String(StringLen::N(100))")]
    pub username: String,
    /// The folded name, as `email_key` is for the e-mail. Longer than the name, because some letters grow.
    #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
    pub username_key: Option<String>,
    /// What names that look alike have in common (UTS 39). Missing on rows of an older schema whose name looks like an older one.
    #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
    pub username_skeleton: Option<String>,
    /// A PHC string (`$argon2id$…`), or what an older site left (`$2b$…`).
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub hashed_password: String,
    /// The name to show, when there is one.
    #[sea_orm(nullable, column_type = "String(StringLen::N(255))")]
    pub full_name: Option<String>,
    /// What the account may do.
    #[sea_orm(default_value = "user", extra = "CHECK (role IN ('user', 'premium', 'admin'))")]
    pub role: Role,
    /// False: the account cannot sign in, and its tokens are worth nothing.
    #[sea_orm(default_value = true)]
    pub is_active: bool,
    /// Whether the e-mail address was confirmed.
    #[sea_orm(default_value = false)]
    pub is_verified: bool,
    /// When the account was made.
    pub created_at: DateTimeUtc,
    /// When one of its fields last changed.
    pub updated_at: DateTimeUtc,
    /// The last sign-in with the password.
    pub last_login: Option<DateTimeUtc>,
    /// The videos it uploaded.
    #[sea_orm(has_many)]
    pub videos: HasMany<super::video::Entity>,
    /// Where it stopped in each video that it watched.
    #[sea_orm(has_many)]
    pub watch_history: HasMany<super::watch_history::Entity>,
    /// Its sign-ins that can still be refreshed.
    #[sea_orm(has_many)]
    pub sessions: HasMany<super::session::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
