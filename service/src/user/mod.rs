//! Accounts: created, read, changed and deleted.

mod delete;
mod operator;
mod register;
mod update;

use crate::caller::UserRole;
use crate::common_passwords::is_own_name;
use crate::storage::Transaction;
use crate::time::Timestamp;
use crate::{Error, text};
pub use delete::{AccountDeletion, ConfirmedDeletion, confirm_deletion, delete_account};
use entity::user;
pub use operator::{NewPassword, deactivate, find_scan_owner, prepare_new_password, set_password};
pub use register::{PreparedRegistration, RegisteredUser, RegistrationPolicy, prepare_registration, register};
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use serde::{Deserialize, Serialize};
pub(crate) use update::find_active;
pub use update::{PreparedUpdate, UserUpdate, prepare_update, update};
use utoipa::ToSchema;
use validator::Validate;

/// The fields of a new account.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Unique, ignoring case.
    #[serde(deserialize_with = "text::nfc")]
    #[validate(email, length(max = 255), custom(function = text::email))]
    #[schema(format = "email", max_length = 255, example = "ann@example.org")]
    pub email: String,
    /// Unique, ignoring case and look-alike letters; 3 to 100 visible characters of one script,
    /// without `@`. It is stored in Unicode's form NFKC.
    #[validate(custom(function = text::username))]
    #[schema(
        min_length = 3,
        max_length = 100,
        pattern = r"^[^\s@\u0000-\u001f\u007f-\u009f]([^@\u0000-\u001f\u007f-\u009f]*[^\s@\u0000-\u001f\u007f-\u009f])?$",
        example = "ann"
    )]
    pub username: String,
    /// 8 to 100 characters; not one of the 10,000 most common passwords, not the name or the
    /// e-mail.
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
    /// Checks the rules, for callers that do not read it from a request.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the first broken rule.
    pub fn check(&self) -> Result<(), Error> {
        self.validate().map_err(|errors| Error::first_of(&errors))
    }
}

/// Checks a password by the rules of [`Registration`].
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_password(password: &str) -> Result<(), Error> {
    let update = UserUpdate { password: Some(password.to_owned()), ..Default::default() };
    update.validate().map_err(|errors| Error::first_of(&errors))
}

/// Refuses a password that anyone who knows the account can guess.
fn refuse_own_name(password: &str, username: &str, email: &str) -> Result<(), Error> {
    if !is_own_name(password, username, email) {
        return Ok(());
    }
    Err(Error::Invalid { field: "password".into(), message: "must not be the user name or the e-mail address".into() })
}

/// An account as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// As its owner typed it.
    #[schema(format = "email", example = "ann@example.org")]
    pub email: String,
    /// As its owner typed it.
    #[schema(example = "ann")]
    pub username: String,
    /// The name to show.
    #[schema(required = true, example = "Ann Example")]
    pub full_name: Option<String>,
    /// What the account may do.
    pub role: UserRole,
    /// Whether it can sign in; false for a deactivated account.
    pub is_active: bool,
    /// Always true: this server sends no mail, so no address needs a confirmation.
    pub is_verified: bool,
    /// The time of the registration.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// The time of the last change.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub updated_at: Timestamp,
    /// The time of the last sign-in with the password.
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
            // For `false`, pages would ask people to open a mail that nobody sent. The column
            // stays, for servers that will send mail.
            is_verified: true,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_login: row.last_login.map(Into::into),
        }
    }
}

/// The account of the caller.
///
/// # Errors
/// [`Error::Unauthenticated`] when it is deleted or deactivated.
pub async fn find(db: &impl ConnectionTrait, user_id: i64) -> Result<User, Error> {
    find_active(db, user_id).await.map(Into::into)
}

/// Refuses when the account is the only active administrator. The transaction must have locked the
/// table `users`, or two administrators could be deleted at once.
async fn refuse_last_administrator(tx: &Transaction, user_id: i64) -> Result<(), Error> {
    let administrators: Vec<i64> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Role.eq(user::Role::Admin))
        .filter(user::Column::IsActive.eq(true))
        .limit(2)
        .into_tuple()
        .all(tx)
        .await?;
    if administrators == [user_id] { Err(Error::LastAdministrator) } else { Ok(()) }
}
