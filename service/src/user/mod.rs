//! Accounts: made, read, changed, and gone.

mod operator;
mod register;

use crate::auth::{Account, Auth, Verdict, end_sessions};
use crate::error::taken;
use crate::library::remember_deleted;
use crate::time::Timestamp;
use crate::{Database, Error, search, text};
use chrono::{DateTime, Utc};
use entity::{user, video};
pub use operator::{deactivate, owner_of_scan, set_password};
use register::is_taken;
pub use register::{Door, Registered, register};
use sea_orm::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, Condition, DatabaseTransaction, IntoActiveModel, QueryOrder, QuerySelect};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::net::IpAddr;
use utoipa::ToSchema;
use validator::Validate;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches, and changes what is its own.
    User,
    /// As `user`; for sites that tell paying members apart.
    Premium,
    /// Changes everybody's videos too.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Premium => "premium",
            Self::Admin => "admin",
        })
    }
}

impl From<user::Role> for Role {
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
    pub role: Role,
}

/// What a new account begins with.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Unique whatever the case.
    #[validate(email, length(max = 255), custom(function = text::email))]
    #[schema(format = "email", max_length = 255, example = "ann@example.org")]
    pub email: String,
    /// Unique whatever the case; 3 to 100 characters, no `@`, no control characters.
    #[validate(length(min = 3, max = 100), custom(function = text::username))]
    #[schema(min_length = 3, max_length = 100, example = "ann")]
    pub username: String,
    /// 8 to 100 characters.
    #[validate(length(min = 8, max = 100), custom(function = text::storable))]
    #[schema(min_length = 8, max_length = 100, format = Password, example = "correct horse")]
    pub password: String,
    /// The name to show.
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
    let change = Change { password: Some(password.to_owned()), ..Default::default() };
    change.validate().map_err(|errors| Error::first_of(&errors))
}

/// What changes of an account; a field that is absent stays as it is.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
pub struct Change {
    /// A new name.
    #[validate(length(min = 3, max = 100), custom(function = text::username))]
    #[schema(min_length = 3, max_length = 100, example = "ann")]
    pub username: Option<String>,
    /// A new address; needs `current_password`.
    #[validate(email, length(max = 255), custom(function = text::email))]
    #[schema(format = "email", max_length = 255, example = "ann@example.org")]
    pub email: Option<String>,
    /// A new name to show; `null` removes it.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = 255), custom(function = text::storable))]
    #[schema(value_type = Option<String>, max_length = 255, example = "Ann Example")]
    pub full_name: Option<Option<String>>,
    /// A new password; needs `current_password`. No refresh token works any more; access tokens do until they expire.
    #[validate(length(min = 8, max = 100), custom(function = text::storable))]
    #[schema(min_length = 8, max_length = 100, format = Password, example = "correct horse")]
    pub password: Option<String>,
    /// The password of now.
    #[validate(length(max = 100), custom(function = text::storable))]
    #[schema(max_length = 100, format = Password, example = "correct horse")]
    pub current_password: Option<String>,
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
    pub role: Role,
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
/// [`Error::Unauthenticated`] when it is gone or deactivated.
pub async fn authenticate(db: &impl ConnectionTrait, user_id: i64) -> Result<Caller, Error> {
    let row: Option<(user::Role, bool)> = user::Entity::find_by_id(user_id)
        .select_only()
        .columns([user::Column::Role, user::Column::IsActive])
        .into_tuple()
        .one(db)
        .await?;
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

/// Changes the account of the caller.
///
/// # Errors
/// [`Error::Taken`]; [`Error::Invalid`] when the current password is missing or wrong,
/// [`Error::TooManyAttempts`] when it was wrong too often.
pub async fn change(
    db: &Database,
    auth: &Auth,
    user_id: i64,
    change: Change,
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<User, Error> {
    let Change { username, email, full_name, password, current_password } = change;
    let active = user::Entity::find_by_id(user_id).filter(user::Column::IsActive.eq(true));
    let row = active.one(db.reader()).await?.ok_or(Error::Unauthenticated)?;
    if password.is_some() || email.as_ref().is_some_and(|email| *email != row.email) {
        let given = current_password.ok_or_else(|| Error::Invalid {
            field: "current_password".into(),
            message: "is needed for a new e-mail or password".into(),
        })?;
        let stored = Some(row.hashed_password.clone());
        if auth.try_password(db, &Account::SignedIn(user_id), from, given, stored, now).await? == Verdict::Wrong {
            return Err(Error::Invalid { field: "current_password".into(), message: "is wrong".into() });
        }
    }
    if is_taken(db.reader(), username.as_deref(), email.as_deref(), Some(user_id)).await? {
        return Err(Error::Taken);
    }
    let mut row = row.into_active_model();
    if let Some(username) = username {
        row.username_key.set_if_not_equals(Some(text::key(&username)));
        row.username.set_if_not_equals(username);
    }
    if let Some(email) = email {
        row.email_key.set_if_not_equals(Some(text::key(&email)));
        row.email.set_if_not_equals(email);
        if row.email.is_set() {
            row.is_verified = Set(false);
        }
    }
    if let Some(full_name) = full_name {
        row.full_name.set_if_not_equals(full_name);
    }
    let new_name = row.username.is_set();
    let new_password = password.is_some();
    if let Some(password) = password {
        row.hashed_password = Set(auth.passwords.hash(password).await?);
    }
    if !row.is_changed() {
        return find(db.reader(), user_id).await;
    }
    row.updated_at = Set(now);
    let (_turn, transaction) = db.begin().await?;
    let changed = row.update(&transaction).await.map_err(|error| match error {
        DbErr::RecordNotUpdated => Error::Unauthenticated,
        other => taken(other),
    })?;
    if new_password {
        end_sessions(&transaction, user_id).await?;
    }
    if new_name {
        search::mark_of_uploader(&transaction, user_id).await?;
    }
    transaction.commit().await?;
    Ok(changed.into())
}

/// Deletes the account of the caller; the database takes its videos, history and sessions along.
///
/// # Errors
/// [`Error::LastAdministrator`]; [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn leave(db: &Database, user_id: i64) -> Result<(), Error> {
    let (_turn, transaction) = db.exclusive("users").await?;
    authenticate(&transaction, user_id).await?;
    keep_an_administrator(&transaction, user_id).await?;
    let mut last = 0;
    loop {
        let videos = search::of_uploader(&transaction, user_id, last).await?;
        let Some(next) = videos.last() else { break };
        last = *next;
        search::forget_grams(&transaction, &videos).await?;
    }
    remember_deleted(&transaction, video::Column::UserId.eq(user_id)).await?;
    user::Entity::delete_by_id(user_id).exec(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// The account with this name or e-mail, whatever the case; an exact spelling wins over another one.
pub(crate) async fn find_by_login(db: &impl ConnectionTrait, login: &str) -> Result<Option<user::Model>, Error> {
    let (key, exact, folded) = if login.contains('@') {
        (text::key(login), user::Column::Email, user::Column::EmailKey)
    } else {
        (text::key(login), user::Column::Username, user::Column::UsernameKey)
    };
    let either = Condition::any().add(exact.eq(login)).add(folded.eq(key));
    let found = user::Entity::find().filter(either).order_by_desc(exact.eq(login)).one(db).await?;
    Ok(found)
}

/// Notes a sign-in; `None` when the account is gone.
pub(crate) async fn touch_last_login(
    db: &impl ConnectionTrait,
    id: i64,
    now: DateTime<Utc>,
) -> Result<Option<()>, Error> {
    let update = user::Entity::update_many().col_expr(user::Column::LastLogin, Expr::value(now));
    let updated = update.filter(user::Column::Id.eq(id)).exec(db).await?;
    Ok((updated.rows_affected > 0).then_some(()))
}

/// Refuses when `leaving` is the only active administrator. Asked inside of a transaction that nobody else changes
/// `users` in, or two could leave each other alone at once.
async fn keep_an_administrator(transaction: &DatabaseTransaction, leaving: i64) -> Result<(), Error> {
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
