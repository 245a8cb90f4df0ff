//! What a sign-in reads and writes of accounts.

use super::sessions;
use super::token::TokenSubject;
use crate::caller::Caller;
use crate::retention::retention_cutoff;
use crate::{Error, text};
use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{Condition, QueryOrder, QuerySelect};

/// Accounts that one statement looks for.
const ACCOUNTS_PER_STATEMENT: usize = 1_000;

/// The account of a verified token, read from the database. `max_days` is the setting
/// `HISTORY_MAX_DAYS`.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is deleted or deactivated, or the session has ended.
pub async fn authenticate(
    db: &impl ConnectionTrait,
    subject: TokenSubject,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Caller, Error> {
    let TokenSubject { user_id, session_id } = subject;
    let mut account = user::Entity::find_by_id(user_id);
    if let Some(session_id) = session_id {
        account = account.filter(Expr::exists(sessions::of_user(user_id, session_id)));
    }
    let columns = [user::Column::Role, user::Column::RetentionDays];
    let account = account.filter(user::Column::IsActive.eq(true)).select_only().columns(columns);
    let row: Option<(user::Role, Option<i32>)> = account.into_tuple().one(db).await?;
    let (role, retention_days) = row.ok_or(Error::Unauthenticated)?;
    Ok(Caller { id: user_id, role: role.into(), history_since: retention_cutoff(retention_days, max_days, now) })
}

/// Those of the accounts that exist and are active, in no order.
///
/// # Errors
/// Database errors.
pub async fn active_accounts(db: &impl ConnectionTrait, user_ids: &[i64]) -> Result<Vec<i64>, Error> {
    let mut active = Vec::with_capacity(user_ids.len());
    for user_ids in user_ids.chunks(ACCOUNTS_PER_STATEMENT) {
        let accounts = user::Entity::find().filter(user::Column::Id.is_in(user_ids.iter().copied()));
        let ids = accounts.filter(user::Column::IsActive.eq(true)).select_only().column(user::Column::Id);
        active.extend(ids.into_tuple::<i64>().all(db).await?);
    }
    Ok(active)
}

/// The account with this name or e-mail, ignoring case; an exact match wins.
pub(crate) async fn find_by_login(db: &impl ConnectionTrait, login: &str) -> Result<Option<user::Model>, Error> {
    let (exact, folded) = if login.contains('@') {
        (user::Column::Email, user::Column::EmailKey)
    } else {
        (user::Column::Username, user::Column::UsernameKey)
    };
    let either = Condition::any().add(exact.eq(login)).add(folded.eq(text::login_key(login)));
    Ok(user::Entity::find().filter(either).order_by_desc(exact.eq(login)).one(db).await?)
}

/// Stores the time of a sign-in, if the password hash is still `checked_hash`. Returns whether it
/// is.
pub(super) async fn touch_last_login(
    db: &impl ConnectionTrait,
    user_id: i64,
    checked_hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let update = user::Entity::update_many()
        .col_expr(user::Column::LastLogin, Expr::value(now))
        .filter(user::Column::Id.eq(user_id))
        .filter(user::Column::HashedPassword.eq(checked_hash));
    Ok(update.exec(db).await?.rows_affected > 0)
}

/// The password hash of an account; `None` when the account is deleted.
pub(super) async fn current_hash(db: &impl ConnectionTrait, user_id: i64) -> Result<Option<String>, Error> {
    let hash = user::Entity::find_by_id(user_id).select_only().column(user::Column::HashedPassword);
    Ok(hash.into_tuple().one(db).await?)
}

/// Replaces the hash of the password that was just checked by a better one of the same password.
pub(super) async fn replace_hash(
    db: &impl ConnectionTrait,
    user_id: i64,
    checked_hash: &str,
    new_hash: String,
) -> Result<(), Error> {
    let update = user::Entity::update_many()
        .col_expr(user::Column::HashedPassword, Expr::value(new_hash))
        .filter(user::Column::Id.eq(user_id))
        .filter(user::Column::HashedPassword.eq(checked_hash));
    update.exec(db).await?;
    Ok(())
}
