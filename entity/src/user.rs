//! Accounts.

use sea_orm::entity::prelude::*;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum Role {
    /// Watches videos and changes its own data.
    #[sea_orm(string_value = "user")]
    User,
    /// The same rights as `User`; for sites with paying members.
    #[sea_orm(string_value = "premium")]
    Premium,
    /// Changes the videos of all users too. The first account is an administrator.
    #[sea_orm(string_value = "admin")]
    Admin,
}

/// What is kept of what an account watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum HistoryMode {
    /// Positions and plays.
    #[sea_orm(string_value = "on")]
    On,
    /// Positions only.
    #[sea_orm(string_value = "positions")]
    Positions,
    /// Nothing new.
    #[sea_orm(string_value = "off")]
    Off,
}

/// An account.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Never used twice, so that an old token is not valid for a newer account.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// As its owner typed it.
    #[sea_orm(unique, column_type = "String(StringLen::N(255))")]
    pub email: String,
    /// The e-mail in lower case and NFC, which makes it unique in any case. `None` only in rows of
    /// an older schema whose e-mail differs from another one only by case; those need an exact
    /// match.
    #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
    pub email_key: Option<String>,
    /// As its owner typed it, in NFKC; 3 to 100 characters.
    #[sea_orm(unique, column_type = "String(StringLen::N(100))")]
    pub username: String,
    /// The folded name, like `email_key`. It may be longer than the name.
    #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
    pub username_key: Option<String>,
    /// The skeleton (UTS 39), which is the same for names that look alike. `None` in rows of an
    /// older schema whose name looks like an older one.
    #[sea_orm(unique, nullable, column_type = "String(StringLen::N(255))")]
    pub username_skeleton: Option<String>,
    /// A PHC string (`$argon2id$…`), or a hash of an older site (`$2b$…`).
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub hashed_password: String,
    /// The name to show.
    #[sea_orm(nullable, column_type = "String(StringLen::N(255))")]
    pub full_name: Option<String>,
    /// What the account may do.
    #[sea_orm(default_value = "user", extra = "CHECK (role IN ('user', 'premium', 'admin'))")]
    pub role: Role,
    /// Whether the account can sign in and its tokens are valid.
    #[sea_orm(default_value = true)]
    pub is_active: bool,
    /// Whether the e-mail address was confirmed.
    #[sea_orm(default_value = false)]
    pub is_verified: bool,
    /// The time of the registration.
    pub created_at: DateTimeUtc,
    /// The time of the last change.
    pub updated_at: DateTimeUtc,
    /// The time of the last sign-in with the password.
    pub last_login: Option<DateTimeUtc>,
    /// What is kept of what it watches.
    #[sea_orm(default_value = "on", extra = "CHECK (history_mode IN ('on', 'positions', 'off'))")]
    pub history_mode: HistoryMode,
    /// Entries and plays that were last watched more days ago are deleted. NULL: they are kept.
    #[sea_orm(nullable, extra = "CHECK (retention_days BETWEEN 1 AND 3650)")]
    pub retention_days: Option<i32>,
    /// Whether the account gets recommendations, and recommendations are learned from what it
    /// watched.
    #[sea_orm(default_value = false)]
    pub recommendations: bool,
    /// The last time before which the account cleared its history. Saves of positions from before
    /// it are not taken. NULL after 30 days, when no such save can come any more.
    pub history_cleared_before: Option<DateTimeUtc>,
    /// The videos it uploaded.
    #[sea_orm(has_many)]
    pub videos: HasMany<super::video::Entity>,
    /// Its position in each video that it watched.
    #[sea_orm(has_many)]
    pub watch_history: HasMany<super::watch_history::Entity>,
    /// Its plays of all videos.
    #[sea_orm(has_many)]
    pub plays: HasMany<super::play::Entity>,
    /// The videos whose entries it deleted in the last 30 days.
    #[sea_orm(has_many)]
    pub forgotten_entries: HasMany<super::forgotten_entry::Entity>,
    /// The last change of its history as a whole.
    #[sea_orm(has_one)]
    pub history_reset: HasOne<super::history_reset::Entity>,
    /// Its sessions.
    #[sea_orm(has_many)]
    pub sessions: HasMany<super::session::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
