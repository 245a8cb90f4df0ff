//! Who calls a use case.

use chrono::{DateTime, Utc};
use entity::user;
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserRole {
    /// Watches videos and changes its own data.
    User,
    /// The same rights as `user`; for sites with paying members.
    Premium,
    /// Changes the videos of all users too.
    Admin,
}

impl fmt::Display for UserRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Premium => "premium",
            Self::Admin => "admin",
        })
    }
}

impl From<user::Role> for UserRole {
    fn from(role: user::Role) -> Self {
        match role {
            user::Role::User => Self::User,
            user::Role::Premium => Self::Premium,
            user::Role::Admin => Self::Admin,
        }
    }
}

/// The account that sent a request. It was active when the request arrived.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The id of the account.
    pub id: i64,
    /// Its role.
    pub role: UserRole,
    /// What it watched before this time has expired; `None` if nothing has.
    pub history_since: Option<DateTime<Utc>>,
}
