//! Creating accounts.

use super::{Registration, User, refuse_own_name};
use crate::auth::Passwords;
use crate::error::unique_violation;
use crate::storage::Transaction;
use crate::{Database, Error, names, text};
use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, QuerySelect};

/// Who may create an account, and which role it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Everybody may; the first account becomes the administrator.
    Open,
    /// Everybody may after the first account: a stranger must not become the administrator.
    OpenAfterFirst,
    /// Nobody may.
    Closed,
    /// The operator creates it by command. The first account always becomes an administrator.
    Operator {
        /// Whether the account becomes an administrator.
        admin: bool,
    },
}

impl RegistrationPolicy {
    /// The policy for a request that may come from another machine, whatever its address says: a
    /// stranger must not become the administrator through a proxy.
    pub fn for_remote_clients(self) -> Self {
        if self == Self::Open { Self::OpenAfterFirst } else { self }
    }

    /// The role of a new account.
    fn role(self, is_first: bool) -> Result<user::Role, Error> {
        match (self, is_first) {
            (Self::Closed, _) => Err(Error::RegistrationClosed),
            (Self::OpenAfterFirst, true) => Err(Error::FirstAccountByCommand),
            (Self::Open | Self::Operator { .. }, true) | (Self::Operator { admin: true }, _) => Ok(user::Role::Admin),
            (Self::Open | Self::OpenAfterFirst | Self::Operator { admin: false }, false) => Ok(user::Role::User),
        }
    }
}

/// A new account.
#[derive(Debug)]
pub struct RegisteredUser {
    /// The account.
    pub user: User,
    /// Whether it is the first account of the site.
    pub is_first: bool,
}

/// A checked [`Registration`], for [`register`].
#[derive(Debug)]
pub struct PreparedRegistration {
    row: user::ActiveModel,
    policy: RegistrationPolicy,
    is_first: bool,
}

/// Checks a registration and hashes its password. Call it outside of a transaction: nobody must
/// wait for a hash.
///
/// # Errors
/// [`Error::Taken`], [`Error::RegistrationClosed`], [`Error::FirstAccountByCommand`];
/// [`Error::Invalid`] when the password is the name or the e-mail.
pub async fn prepare_registration(
    db: &Database,
    passwords: &Passwords,
    policy: RegistrationPolicy,
    registration: Registration,
) -> Result<PreparedRegistration, Error> {
    if policy == RegistrationPolicy::Closed {
        return Err(Error::RegistrationClosed);
    }
    let Registration { email, username, password, full_name } = registration;
    let (email, username) = (names::nfc(&email).into_owned(), names::normalize(&username));
    refuse_own_name(&password, &username, &email)?;
    // All checks come before the hash, which costs more than all of them.
    let is_first = is_first(db.reader()).await?;
    policy.role(is_first)?;
    if is_taken(db.reader(), Some(&username), Some(&email), None).await? {
        return Err(Error::Taken);
    }
    let row = user::ActiveModel {
        email_key: Set(Some(text::email_key(&email))),
        email: Set(email),
        username_key: Set(Some(names::fold(&username))),
        username_skeleton: Set(Some(names::skeleton(&username))),
        username: Set(username),
        hashed_password: Set(passwords.hash(password).await?),
        full_name: Set(full_name),
        ..Default::default()
    };
    Ok(PreparedRegistration { row, policy, is_first })
}

/// Creates an account.
///
/// # Errors
/// [`Error::Taken`], [`Error::RegistrationClosed`], [`Error::FirstAccountByCommand`].
pub async fn register(
    tx: &Transaction,
    prepared: PreparedRegistration,
    now: DateTime<Utc>,
) -> Result<RegisteredUser, Error> {
    let PreparedRegistration { row, policy, is_first: was_first } = prepared;
    // The table is locked only while it is empty, so that two first registrations do not both
    // become the administrator. Later ones delay no sign-in.
    if was_first {
        tx.lock_table(user::Entity).await?;
    }
    let is_first = was_first && is_first(tx).await?;
    let row =
        user::ActiveModel { role: Set(policy.role(is_first)?), created_at: Set(now), updated_at: Set(now), ..row };
    let user = user::Entity::insert(row).exec_with_returning(tx).await.map_err(unique_violation)?;
    Ok(RegisteredUser { user: user.into(), is_first })
}

async fn is_first(db: &impl ConnectionTrait) -> Result<bool, Error> {
    let any_id: Option<i64> = user::Entity::find().select_only().column(user::Column::Id).into_tuple().one(db).await?;
    Ok(any_id.is_none())
}

/// Whether an account other than `own` has this name, a name that looks like it, or this e-mail. It
/// is one statement, so that its time does not reveal which of them.
pub(super) async fn is_taken(
    db: &impl ConnectionTrait,
    username: Option<&str>,
    email: Option<&str>,
    own: Option<i64>,
) -> Result<bool, Error> {
    use user::Column::{Email, EmailKey, Id, Username, UsernameKey, UsernameSkeleton};
    let mut holders = Condition::any();
    if let Some(username) = username {
        holders = holders.add(Username.eq(username)).add(UsernameKey.eq(names::fold(username)));
        holders = holders.add(UsernameSkeleton.eq(names::skeleton(username)));
    }
    if let Some(email) = email {
        holders = holders.add(Email.eq(email)).add(EmailKey.eq(text::email_key(email)));
    }
    if holders.is_empty() {
        return Ok(false);
    }
    let others = user::Entity::find().select_only().column(Id).filter(holders);
    let others = own.into_iter().fold(others, |others, own| others.filter(Id.ne(own)));
    let holder: Option<i64> = others.into_tuple().one(db).await?;
    Ok(holder.is_some())
}
