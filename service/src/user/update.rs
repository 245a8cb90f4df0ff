//! What people change about their own account, and how they leave.

use super::register::is_taken;
use super::{User, authenticate, find, refuse_last_administrator, refuse_own_name};
use crate::auth::{AttemptedAccount, Auth, TokenSubject, Verdict, sessions};
use crate::error::unique_violation;
use crate::library::remember_deleted;
use crate::{Database, Error, names, search, text};
use chrono::{DateTime, Utc};
use entity::{user, video};
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, IntoActiveModel};
use serde::Deserialize;
use std::net::IpAddr;
use utoipa::ToSchema;
use validator::Validate;

/// What changes of an account; a field that is absent stays as it is.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange, example = json!({"full_name": "Ann Example"}))]
pub struct UserUpdate {
    /// A new name, by the rules of a registration; needs `current_password`.
    #[validate(length(max = 400), custom(function = text::storable))]
    #[schema(
        min_length = 3,
        max_length = 100,
        pattern = r"^[^\s@\u0000-\u001f\u007f-\u009f]([^@\u0000-\u001f\u007f-\u009f]*[^\s@\u0000-\u001f\u007f-\u009f])?$",
        example = "ann"
    )]
    pub username: Option<String>,
    /// A new address; needs `current_password`.
    #[serde(default, deserialize_with = "text::nfc_or_null")]
    #[validate(email, length(max = 255), custom(function = text::email))]
    #[schema(format = "email", max_length = 255, example = "ann@example.org")]
    pub email: Option<String>,
    /// A new name to show; `null` removes it.
    #[serde(default, deserialize_with = "text::nfc_double_option")]
    #[validate(length(max = 255), custom(function = text::storable))]
    #[schema(value_type = Option<String>, max_length = 255, example = "Ann Example")]
    pub full_name: Option<Option<String>>,
    /// A new password, by the rules of a registration; needs `current_password`. It ends every session but the caller's own.
    #[validate(custom(function = text::new_password))]
    #[schema(min_length = 8, max_length = 100, format = Password, example = "correct horse")]
    pub password: Option<String>,
    /// The password of now.
    #[validate(custom(function = text::password))]
    #[schema(max_length = 100, format = Password, example = "correct horse")]
    pub current_password: Option<String>,
}

/// The word of somebody who deletes their account.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserDeparture)]
pub struct AccountDeletion {
    /// The password of now.
    #[validate(custom(function = text::password))]
    #[schema(min_length = 1, max_length = 100, format = Password, example = "correct horse")]
    pub current_password: String,
}

/// Changes the account of the caller.
///
/// # Errors
/// [`Error::Taken`]; [`Error::Invalid`] when a value breaks a rule, or the current password is missing or wrong; [`Error::TooManyAttempts`] when it was wrong too often.
pub async fn update(
    db: &Database,
    auth: &Auth,
    subject: TokenSubject,
    update: UserUpdate,
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<User, Error> {
    let UserUpdate { username, email, full_name, password, current_password } = update;
    let active = user::Entity::find_by_id(subject.user_id).filter(user::Column::IsActive.eq(true));
    let row = active.one(db.reader()).await?.ok_or(Error::Unauthenticated)?;
    // A name of before the rules stays one, also where a form sends it along.
    let username = username.filter(|name| *name != row.username);
    if let Some(name) = &username {
        names::check(name).map_err(|message| invalid("username", message))?;
    }
    let username = username.map(|name| names::normalized(&name)).filter(|name| *name != row.username);
    let email = email.filter(|email| *email != row.email);
    let (new_name, new_email) = (username.as_ref().unwrap_or(&row.username), email.as_ref().unwrap_or(&row.email));
    if let Some(password) = &password {
        refuse_own_name(password, new_name, new_email)?;
    }
    if password.is_some() || email.is_some() || username.is_some() {
        let given = current_password
            .ok_or_else(|| invalid("current_password", "is needed for a new name, e-mail or password"))?;
        // Without a new password, the one of now must not become guessable by a new name.
        let becomes_guessable = password.is_none() && refuse_own_name(&given, new_name, new_email).is_err();
        confirm(db, auth, &row, given, from, now).await?;
        if becomes_guessable {
            let field = if username.is_some() { "username" } else { "email" };
            return Err(invalid(field, "must not be the password"));
        }
    }
    if is_taken(db.reader(), username.as_deref(), email.as_deref(), Some(subject.user_id)).await? {
        return Err(Error::Taken);
    }
    let mut row = row.into_active_model();
    if let Some(username) = username {
        row.username_key.set_if_not_equals(Some(names::fold(&username)));
        row.username_skeleton.set_if_not_equals(Some(names::skeleton(&username)));
        row.username = Set(username);
    }
    if let Some(email) = email {
        row.email_key.set_if_not_equals(Some(text::email_key(&email)));
        row.email = Set(email);
        row.is_verified = Set(false);
    }
    if let Some(full_name) = full_name {
        row.full_name.set_if_not_equals(full_name);
    }
    let is_renamed = row.username.is_set();
    let new_password = password.is_some();
    if let Some(password) = password {
        row.hashed_password = Set(auth.passwords.hash(password).await?);
    }
    if !row.is_changed() {
        return find(db.reader(), subject.user_id).await;
    }
    row.updated_at = Set(now);
    let (_turn, transaction) = db.begin().await?;
    let changed = row.update(&transaction).await.map_err(|error| match error {
        DbErr::RecordNotUpdated => Error::Unauthenticated,
        other => unique_violation(other),
    })?;
    let ended =
        if new_password { sessions::end(&transaction, sessions::others(subject), now).await? } else { Vec::new() };
    if is_renamed {
        search::mark_of_uploader(&transaction, subject.user_id).await?;
    }
    transaction.commit().await?;
    auth.ended.note(&ended, now);
    Ok(changed.into())
}

/// Deletes the account of the caller; the database takes its videos, history and sessions along.
///
/// # Errors
/// [`Error::LastAdministrator`]; [`Error::Unauthenticated`] when the account is gone or deactivated; [`Error::Invalid`] when the
/// password is wrong, [`Error::TooManyAttempts`] when it was wrong too often.
pub async fn delete_account(
    db: &Database,
    auth: &Auth,
    subject: TokenSubject,
    deletion: AccountDeletion,
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let AccountDeletion { current_password } = deletion;
    let active = user::Entity::find_by_id(subject.user_id).filter(user::Column::IsActive.eq(true));
    let row = active.one(db.reader()).await?.ok_or(Error::Unauthenticated)?;
    confirm(db, auth, &row, current_password, from, now).await?;
    let (_turn, transaction) = db.exclusive("users").await?;
    authenticate(&transaction, subject).await?;
    refuse_last_administrator(&transaction, subject.user_id).await?;
    search::forget_uploader(&transaction, subject.user_id).await?;
    remember_deleted(&transaction, video::Column::UserId.eq(subject.user_id)).await?;
    user::Entity::delete_by_id(subject.user_id).exec(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Refuses what the owner of the account does not confirm with the password.
async fn confirm(
    db: &Database,
    auth: &Auth,
    row: &user::Model,
    given: String,
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let stored = Some(row.hashed_password.clone());
    match auth.try_password(db, &AttemptedAccount::SignedIn(row.id), from, given, stored, now).await? {
        Verdict::Wrong => Err(invalid("current_password", "is wrong")),
        Verdict::Right | Verdict::Outdated => Ok(()),
    }
}

fn invalid(field: &str, message: &str) -> Error {
    Error::Invalid { field: field.into(), message: message.into() }
}
