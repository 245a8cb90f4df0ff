//! Deleting the own account.

use super::refuse_last_administrator;
use super::update::{confirm_password, find_active};
use crate::auth::{Auth, TokenSubject, authenticate, sessions};
use crate::storage::{Event, Transaction};
use crate::{Database, Error, text, video};
use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::prelude::*;
use serde::Deserialize;
use std::net::IpAddr;
use utoipa::ToSchema;
use validator::Validate;

/// The password that confirms the deletion of an account.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountDeletion {
    /// The password that the account has now.
    #[validate(custom(function = text::password))]
    #[schema(min_length = 1, max_length = 100, format = Password, example = "correct horse")]
    pub current_password: String,
}

/// A deletion whose password was checked, for [`delete_account`].
#[derive(Debug)]
pub struct ConfirmedDeletion(TokenSubject);

/// Checks the password that confirms the deletion of the caller's account. Call it outside of a
/// transaction: nobody must wait for a hash.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is deleted or deactivated; [`Error::Invalid`] when
/// the password is wrong, [`Error::TooManyAttempts`] when it was wrong too often.
pub async fn confirm_deletion(
    db: &Database,
    auth: &Auth,
    subject: TokenSubject,
    deletion: AccountDeletion,
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<ConfirmedDeletion, Error> {
    let row = find_active(db.reader(), subject.user_id).await?;
    confirm_password(db, auth, &row, deletion.current_password, from, now).await?;
    Ok(ConfirmedDeletion(subject))
}

/// Deletes the account of the caller. The database deletes its videos, history and sessions too.
///
/// # Errors
/// [`Error::LastAdministrator`]; [`Error::Unauthenticated`] when the account or session was deleted
/// or deactivated.
pub async fn delete_account(
    tx: &Transaction,
    ConfirmedDeletion(subject): ConfirmedDeletion,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    tx.lock_table(user::Entity).await?;
    authenticate(tx, subject, None, now).await?;
    refuse_last_administrator(tx, subject.user_id).await?;
    video::prepare_deletion_of_uploader(tx, subject.user_id, now).await?;
    // The other processes learn from it that the sessions are over.
    sessions::delete(tx, sessions::all_of(subject.user_id), now).await?;
    user::Entity::delete_by_id(subject.user_id).exec(tx).await?;
    tx.record(Event::UserDeleted { user_id: subject.user_id });
    Ok(())
}
