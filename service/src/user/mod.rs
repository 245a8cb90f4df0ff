//! Accounts: made, read, changed, and gone.

mod operator;
mod register;
mod update;

use crate::auth::{TokenSubject, is_own_name, sessions};
use crate::time::Timestamp;
use crate::{Error, text};
use chrono::{DateTime, Utc};
use entity::user;
pub use operator::{deactivate, find_scan_owner, set_password};
pub use register::{RegisteredUser, RegistrationPolicy, register};
use sea_orm::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{Condition, DatabaseTransaction, QueryOrder, QuerySelect};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
pub use update::{AccountDeletion, UserUpdate, delete_account, update};
use utoipa::ToSchema;
use validator::Validate;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserRole {
    /// Watches, and changes what is its own.
    User,
    /// As `user`; for sites that tell paying members apart.
    Premium,
    /// Changes everybody's videos too.
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

/// Who asks: an account that stood when the request arrived.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The account.
    pub id: i64,
    /// What it may do.
    pub role: UserRole,
}

/// What a new account begins with.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Unique whatever the case.
    #[serde(deserialize_with = "text::nfc")]
    #[validate(email, length(max = 255), custom(function = text::email))]
    #[schema(format = "email", max_length = 255, example = "ann@example.org")]
    pub email: String,
    /// Unique whatever the case, and not to be mistaken for another one; 3 to 100 characters of one script, no `@`, nothing
    /// that cannot be seen. It is stored in Unicode's form NFKC.
    #[validate(custom(function = text::username))]
    #[schema(
        min_length = 3,
        max_length = 100,
        pattern = r"^[^\s@\u0000-\u001f\u007f-\u009f]([^@\u0000-\u001f\u007f-\u009f]*[^\s@\u0000-\u001f\u007f-\u009f])?$",
        example = "ann"
    )]
    pub username: String,
    /// 8 to 100 characters; none of the 10,000 most common passwords, nor the name or the e-mail.
    #[validate(custom(function = text::new_password))]
    #[schema(min_length = 8, max_length = 100, format = Password, example = "correct horse")]
    pub password: String,
    /// The name to show.
    #[serde(default, deserialize_with = "text::nfc_or_null")]
    #[validate(length(max = 255), custom(function = text::storable))]
    #[schema(max_length = 255, example = "Ann Example")]
    pub full_name: Option<String>,
}

impl Registration {
    /// Whether it keeps the rules, for callers that read it from elsewhere than a request.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the first rule that is broken.
    pub fn check(&self) -> Result<(), Error> {
        self.validate().map_err(|errors| Error::first_of(&errors))
    }
}

/// Whether a password keeps the rules of [`Registration`].
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_password(password: &str) -> Result<(), Error> {
    let update = UserUpdate { password: Some(password.to_owned()), ..Default::default() };
    update.validate().map_err(|errors| Error::first_of(&errors))
}

/// Refuses a password that whoever knows the account guesses first.
fn refuse_own_name(password: &str, username: &str, email: &str) -> Result<(), Error> {
    if !is_own_name(password, username, email) {
        return Ok(());
    }
    Err(Error::Invalid { field: "password".into(), message: "must not be the user name or the e-mail address".into() })
}

/// Tells a field that is `null` from one that is absent.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// An account as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// As its owner wrote it.
    #[schema(format = "email", example = "ann@example.org")]
    pub email: String,
    /// As its owner wrote it.
    #[schema(example = "ann")]
    pub username: String,
    /// The name to show.
    #[schema(required = true, example = "Ann Example")]
    pub full_name: Option<String>,
    /// What the account may do.
    pub role: UserRole,
    /// False: deactivated.
    pub is_active: bool,
    /// Whether the e-mail address counts as confirmed. This server sends no mail, so it always does.
    pub is_verified: bool,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub updated_at: Timestamp,
    /// The last sign-in with the password.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_login: Option<Timestamp>,
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            username: row.username,
            full_name: row.full_name,
            role: row.role.into(),
            is_active: row.is_active,
            // Pages ask people to open a mail that nobody sent. The stored word stays, for when one is sent.
            is_verified: true,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_login: row.last_login.map(Into::into),
        }
    }
}

/// The account behind a verified token, as the database has it now.
///
/// # Errors
/// [`Error::Unauthenticated`] when it is gone or deactivated, or the session of the token is over.
pub async fn authenticate(db: &impl ConnectionTrait, subject: TokenSubject) -> Result<Caller, Error> {
    let TokenSubject { user_id, session_id } = subject;
    let mut account = user::Entity::find_by_id(user_id);
    if let Some(session_id) = session_id {
        account = account.filter(Expr::exists(sessions::of_user(user_id, session_id)));
    }
    let row: Option<(user::Role, bool)> =
        account.select_only().columns([user::Column::Role, user::Column::IsActive]).into_tuple().one(db).await?;
    match row {
        Some((role, true)) => Ok(Caller { id: user_id, role: role.into() }),
        Some((_, false)) | None => Err(Error::Unauthenticated),
    }
}

/// The account of the caller.
///
/// # Errors
/// [`Error::Unauthenticated`] when it is gone or deactivated.
pub async fn find(db: &impl ConnectionTrait, user_id: i64) -> Result<User, Error> {
    let row = user::Entity::find_by_id(user_id).filter(user::Column::IsActive.eq(true)).one(db).await?;
    row.map(Into::into).ok_or(Error::Unauthenticated)
}

/// The account with this name or e-mail, whatever the case; an exact spelling wins over another one.
pub(crate) async fn find_by_login(db: &impl ConnectionTrait, login: &str) -> Result<Option<user::Model>, Error> {
    let (exact, folded) = if login.contains('@') {
        (user::Column::Email, user::Column::EmailKey)
    } else {
        (user::Column::Username, user::Column::UsernameKey)
    };
    let either = Condition::any().add(exact.eq(login)).add(folded.eq(text::login_key(login)));
    let found = user::Entity::find().filter(either).order_by_desc(exact.eq(login)).one(db).await?;
    Ok(found)
}

/// Notes a sign-in, and gives back the hash that the account has now; `None` when the account is gone.
pub(crate) async fn touch_last_login(
    db: &impl ConnectionTrait,
    id: i64,
    now: DateTime<Utc>,
) -> Result<Option<String>, Error> {
    let update = user::Entity::update_many().col_expr(user::Column::LastLogin, Expr::value(now));
    let updated = update.filter(user::Column::Id.eq(id)).exec_with_returning(db).await?;
    Ok(updated.into_iter().next().map(|account| account.hashed_password))
}

/// Refuses when `leaving` is the only active administrator. Asked inside of a transaction that nobody else changes
/// `users` in, or two could leave each other alone at once.
async fn refuse_last_administrator(transaction: &DatabaseTransaction, leaving: i64) -> Result<(), Error> {
    let administrators: Vec<i64> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Role.eq(user::Role::Admin))
        .filter(user::Column::IsActive.eq(true))
        .limit(2)
        .into_tuple()
        .all(transaction)
        .await?;
    if administrators == [leaving] { Err(Error::LastAdministrator) } else { Ok(()) }
}
