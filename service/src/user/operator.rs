//! What the operator does to accounts, by command.

use super::{User, find_by_login, refuse_last_administrator, refuse_own_name};
use crate::auth::{Passwords, sessions};
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, QueryOrder};

/// Deactivates an account: it cannot sign in, and its tokens are worth nothing from now on.
///
/// # Errors
/// [`Error::UserNotFound`], [`Error::LastAdministrator`].
pub async fn deactivate(db: &Database, name: &str, now: DateTime<Utc>) -> Result<User, Error> {
    let found = find_by_login(db.reader(), name).await?.ok_or(Error::UserNotFound)?;
    let (_turn, transaction) = db.exclusive("users").await?;
    refuse_last_administrator(&transaction, found.id).await?;
    let change = user::ActiveModel { is_active: Set(false), ..Default::default() };
    let user = update(&transaction, found.id, change, now).await?;
    sessions::end(&transaction, sessions::all_of(found.id), now).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Gives an account a new password, by the operator's word, and ends its sessions.
///
/// # Errors
/// [`Error::UserNotFound`]; [`Error::Invalid`] when it is the name or the e-mail of the account.
pub async fn set_password(
    db: &Database,
    passwords: &Passwords,
    name: &str,
    password: String,
    now: DateTime<Utc>,
) -> Result<User, Error> {
    let found = find_by_login(db.reader(), name).await?.ok_or(Error::UserNotFound)?;
    refuse_own_name(&password, &found.username, &found.email)?;
    let hashed_password = passwords.hash(password).await?;
    let (_turn, transaction) = db.begin().await?;
    let change = user::ActiveModel { hashed_password: Set(hashed_password), ..Default::default() };
    let user = update(&transaction, found.id, change, now).await?;
    sessions::end(&transaction, sessions::all_of(found.id), now).await?;
    transaction.commit().await?;
    Ok(user)
}

/// The account that a scan registers videos for: the named one, or the first administrator.
///
/// # Errors
/// [`Error::UserNotFound`].
pub async fn find_scan_owner(db: &impl ConnectionTrait, name: Option<&str>) -> Result<User, Error> {
    let found = match name {
        Some(name) => find_by_login(db, name).await?,
        None => {
            let administrators = user::Entity::find().filter(user::Column::Role.eq(user::Role::Admin));
            administrators.order_by_asc(user::Column::Id).one(db).await?
        }
    };
    found.map(Into::into).ok_or(Error::UserNotFound)
}

async fn update(
    db: &DatabaseTransaction,
    id: i64,
    change: user::ActiveModel,
    now: DateTime<Utc>,
) -> Result<User, Error> {
    let change = user::ActiveModel { id: Set(id), updated_at: Set(now), ..change };
    match change.update(db).await {
        Ok(row) => Ok(row.into()),
        Err(DbErr::RecordNotUpdated) => Err(Error::UserNotFound),
        Err(error) => Err(error.into()),
    }
}
