//! New accounts: who may make one, and what is looked at before a password is hashed.

use super::{Registration, User, refuse_own_name};
use crate::auth::Passwords;
use crate::error::unique_violation;
use crate::{Database, Error, names, text};
use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, QuerySelect};

/// Who may make an account, and what it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Everybody may; the first one becomes the administrator.
    Open,
    /// Everybody may once there is an administrator; a stranger must not become it.
    OpenAfterFirst,
    /// Nobody may.
    Closed,
    /// The operator does it. The first one becomes an administrator in any case.
    Operator {
        /// Whether the account becomes an administrator.
        admin: bool,
    },
}

impl RegistrationPolicy {
    /// The same for a request that may come from elsewhere, whatever address it comes from: a stranger must not become
    /// the administrator through a proxy.
    pub fn for_remote_clients(self) -> Self {
        if self == Self::Open { Self::OpenAfterFirst } else { self }
    }

    /// What the account becomes.
    fn role(self, first: bool) -> Result<user::Role, Error> {
        match (self, first) {
            (Self::Closed, _) => Err(Error::RegistrationClosed),
            (Self::OpenAfterFirst, true) => Err(Error::FirstAccountByCommand),
            (Self::Open | Self::Operator { .. }, true) | (Self::Operator { admin: true }, _) => Ok(user::Role::Admin),
            (Self::Open | Self::OpenAfterFirst | Self::Operator { admin: false }, false) => Ok(user::Role::User),
        }
    }
}

/// An account that was just made.
#[derive(Debug)]
pub struct RegisteredUser {
    /// The account.
    pub user: User,
    /// Whether it is the first ever made.
    pub is_first: bool,
}

/// Makes an account.
///
/// # Errors
/// [`Error::Taken`], [`Error::RegistrationClosed`], [`Error::FirstAccountByCommand`].
pub async fn register(
    db: &Database,
    passwords: &Passwords,
    policy: RegistrationPolicy,
    registration: Registration,
    now: DateTime<Utc>,
) -> Result<RegisteredUser, Error> {
    if policy == RegistrationPolicy::Closed {
        return Err(Error::RegistrationClosed);
    }
    let Registration { email, username, password, full_name } = registration;
    let (email, username) = (names::nfc(&email).into_owned(), names::normalized(&username));
    refuse_own_name(&password, &username, &email)?;
    // What will be refused is refused before the hash, which costs more than all the rest.
    let first = is_first(db.reader()).await?;
    policy.role(first)?;
    if is_taken(db.reader(), Some(&username), Some(&email), None).await? {
        return Err(Error::Taken);
    }
    let hashed_password = passwords.hash(password).await?;
    // While there is nobody it is exclusive, so that two first ones at once do not both become the administrator. Later
    // sign-ups keep no sign-in from writing.
    let (_turn, transaction) = if first { db.exclusive("users").await? } else { db.begin().await? };
    let first = first && is_first(&transaction).await?;
    let row = user::ActiveModel {
        email_key: Set(Some(text::email_key(&email))),
        email: Set(email),
        username_key: Set(Some(names::fold(&username))),
        username_skeleton: Set(Some(names::skeleton(&username))),
        username: Set(username),
        hashed_password: Set(hashed_password),
        full_name: Set(full_name),
        role: Set(policy.role(first)?),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let user = user::Entity::insert(row).exec_with_returning(&transaction).await.map_err(unique_violation)?;
    transaction.commit().await?;
    Ok(RegisteredUser { user: user.into(), is_first: first })
}

async fn is_first(db: &impl ConnectionTrait) -> Result<bool, Error> {
    let anybody: Option<i64> = user::Entity::find().select_only().column(user::Column::Id).into_tuple().one(db).await?;
    Ok(anybody.is_none())
}

/// Whether an account other than `own` has this name, one that looks like it, or this e-mail, by one statement that takes the same time for each.
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
