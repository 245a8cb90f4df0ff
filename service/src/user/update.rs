//! Changing the own account.

use super::register::is_taken;
use super::{User, find, refuse_own_name};
use crate::auth::{AttemptedAccount, Auth, TokenSubject, Verdict, sessions};
use crate::error::unique_violation;
use crate::storage::Transaction;
use crate::{Database, Error, names, search, text};
use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, IntoActiveModel};
use serde::Deserialize;
use std::net::IpAddr;
use utoipa::ToSchema;
use validator::Validate;

/// The changes of an account; a field that is absent stays unchanged.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange, example = json!({"full_name": "Ann Example"}))]
pub struct UserUpdate {
    /// A new name by the rules of a registration; needs `current_password`.
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
    /// A new password by the rules of a registration; needs `current_password`. It ends every
    /// session except the caller's own.
    #[validate(custom(function = text::new_password))]
    #[schema(min_length = 8, max_length = 100, format = Password, example = "correct horse")]
    pub password: Option<String>,
    /// The password that the account has now.
    #[validate(custom(function = text::password))]
    #[schema(max_length = 100, format = Password, example = "correct horse")]
    pub current_password: Option<String>,
}

/// A checked [`UserUpdate`], for [`update`].
#[derive(Debug)]
pub struct PreparedUpdate {
    subject: TokenSubject,
    row: user::ActiveModel,
}

/// Checks an update of the caller's account, and hashes a new password. Call it outside of a
/// transaction: nobody must wait for a hash.
///
/// # Errors
/// [`Error::Taken`]; [`Error::Invalid`] when a value breaks a rule, or the current password is
/// missing or wrong; [`Error::TooManyAttempts`] when it was wrong too often.
pub async fn prepare_update(
    db: &Database,
    auth: &Auth,
    subject: TokenSubject,
    update: UserUpdate,
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<PreparedUpdate, Error> {
    let UserUpdate { username, email, full_name, password, current_password } = update;
    let row = find_active(db.reader(), subject.user_id).await?;
    let username = changed_name(&row, username)?;
    let email = email.filter(|email| *email != row.email);
    let (new_name, new_email) = (username.as_ref().unwrap_or(&row.username), email.as_ref().unwrap_or(&row.email));
    if let Some(password) = &password {
        refuse_own_name(password, new_name, new_email)?;
    }
    if password.is_some() || email.is_some() || username.is_some() {
        let given = current_password
            .ok_or_else(|| invalid("current_password", "is needed for a new name, e-mail or password"))?;
        // If the password stays, it must not become guessable by a new name.
        let becomes_guessable = password.is_none() && refuse_own_name(&given, new_name, new_email).is_err();
        confirm_password(db, auth, &row, given, from, now).await?;
        if becomes_guessable {
            let field = if username.is_some() { "username" } else { "email" };
            return Err(invalid(field, "must not be the password"));
        }
    }
    if is_taken(db.reader(), username.as_deref(), email.as_deref(), Some(subject.user_id)).await? {
        return Err(Error::Taken);
    }
    let mut row = row.into_active_model();
    set_names(&mut row, username, email, full_name);
    if let Some(password) = password {
        row.hashed_password = Set(auth.passwords.hash(password).await?);
    }
    Ok(PreparedUpdate { subject, row })
}

/// The new name in the form that is stored; `None` when it does not change.
fn changed_name(row: &user::Model, username: Option<String>) -> Result<Option<String>, Error> {
    // A name that is older than the rules may stay, also when a form sends it.
    let username = username.filter(|name| *name != row.username);
    if let Some(name) = &username {
        names::check(name).map_err(|message| invalid("username", message))?;
    }
    Ok(username.map(|name| names::normalize(&name)).filter(|name| *name != row.username))
}

fn set_names(
    row: &mut user::ActiveModel,
    username: Option<String>,
    email: Option<String>,
    full_name: Option<Option<String>>,
) {
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
}

/// Changes the account of the caller. A new password ends all other sessions.
///
/// # Errors
/// [`Error::Taken`]; [`Error::Unauthenticated`] when the account was deleted or deactivated.
pub async fn update(
    tx: &Transaction,
    auth: &Auth,
    prepared: PreparedUpdate,
    now: DateTime<Utc>,
) -> Result<User, Error> {
    let PreparedUpdate { subject, mut row } = prepared;
    if !row.is_changed() {
        return find(tx, subject.user_id).await;
    }
    let (is_renamed, has_new_password) = (row.username.is_set(), row.hashed_password.is_set());
    row.updated_at = Set(now);
    let updated = row.update(tx).await.map_err(|error| match error {
        DbErr::RecordNotUpdated => Error::Unauthenticated,
        other => unique_violation(other),
    })?;
    if has_new_password {
        sessions::end(tx, auth, sessions::others(subject), now).await?;
    }
    if is_renamed {
        tx.outdate_summaries();
        search::mark_outdated(tx, subject.user_id).await?;
    }
    Ok(updated.into())
}

/// The row of an account that is active.
pub(crate) async fn find_active(db: &impl ConnectionTrait, user_id: i64) -> Result<user::Model, Error> {
    let active = user::Entity::find_by_id(user_id).filter(user::Column::IsActive.eq(true));
    active.one(db).await?.ok_or(Error::Unauthenticated)
}

/// Checks the password that confirms a change of an account.
pub(super) async fn confirm_password(
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
