//! What the operator does to accounts, by command.

use super::{User, refuse_last_administrator, refuse_own_name};
use crate::auth::{Passwords, find_by_login, sessions};
use crate::storage::Transaction;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder};

/// Deactivates an account: it cannot sign in, and its tokens are invalid from now on.
///
/// # Errors
/// [`Error::UserNotFound`], [`Error::LastAdministrator`].
pub async fn deactivate(tx: &Transaction, login: &str, now: DateTime<Utc>) -> Result<User, Error> {
    tx.lock_table(user::Entity).await?;
    let user_id = find_by_login(tx, login).await?.ok_or(Error::UserNotFound)?.id;
    refuse_last_administrator(tx, user_id).await?;
    let change = user::ActiveModel { is_active: Set(false), ..Default::default() };
    let user = update(tx, user_id, change, now).await?;
    sessions::delete(tx, sessions::all_of(user_id), now).await?;
    // Lists in Redis are those of active accounts.
    tx.outdate_summaries();
    Ok(user)
}

/// The hash of a new password of an account, for [`set_password`].
#[derive(Debug)]
pub struct NewPassword {
    user_id: i64,
    hash: String,
}

/// Finds the account and hashes its new password. Call it outside of a transaction: nobody must
/// wait for a hash.
///
/// # Errors
/// [`Error::UserNotFound`]; [`Error::Invalid`] when it is the name or the e-mail of the account.
pub async fn prepare_new_password(
    db: &Database,
    passwords: &Passwords,
    login: &str,
    password: String,
) -> Result<NewPassword, Error> {
    let user = find_by_login(db.reader(), login).await?.ok_or(Error::UserNotFound)?;
    refuse_own_name(&password, &user.username, &user.email)?;
    Ok(NewPassword { user_id: user.id, hash: passwords.hash(password).await? })
}

/// Gives an account a new password, and ends its sessions.
///
/// # Errors
/// [`Error::UserNotFound`] when the account was deleted.
pub async fn set_password(tx: &Transaction, new: NewPassword, now: DateTime<Utc>) -> Result<User, Error> {
    let NewPassword { user_id, hash } = new;
    let change = user::ActiveModel { hashed_password: Set(hash), ..Default::default() };
    let user = update(tx, user_id, change, now).await?;
    sessions::delete(tx, sessions::all_of(user_id), now).await?;
    Ok(user)
}

/// The account that a scan registers videos for: the named one, or the first administrator.
///
/// # Errors
/// [`Error::UserNotFound`].
pub async fn find_scan_owner(db: &impl ConnectionTrait, login: Option<&str>) -> Result<User, Error> {
    let owner = match login {
        Some(login) => find_by_login(db, login).await?,
        None => {
            let administrators = user::Entity::find().filter(user::Column::Role.eq(user::Role::Admin));
            administrators.order_by_asc(user::Column::Id).one(db).await?
        }
    };
    owner.map(Into::into).ok_or(Error::UserNotFound)
}

async fn update(tx: &Transaction, user_id: i64, change: user::ActiveModel, now: DateTime<Utc>) -> Result<User, Error> {
    let change = user::ActiveModel { id: Set(user_id), updated_at: Set(now), ..change };
    match change.update(tx).await {
        Ok(row) => Ok(row.into()),
        Err(DbErr::RecordNotUpdated) => Err(Error::UserNotFound),
        Err(error) => Err(error.into()),
    }
}
