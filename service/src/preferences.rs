//! What is kept of what a viewer watches, and for how long: the viewer's own choices.

use crate::changes::reset_histories;
use crate::storage::{Event, Transaction};
use crate::user::find_active;
use crate::{Error, number};
use chrono::{DateTime, Utc};
use entity::user::{self, HistoryMode};
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use sea_orm::prelude::*;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// What is kept of what the caller watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(example = "positions")]
pub enum HistoryPreference {
    /// Positions and plays.
    On,
    /// Positions only: nothing is counted in statistics or recommendations.
    Positions,
    /// Nothing new. What is stored stays until it is deleted.
    Off,
}

/// The preferences of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preferences {
    /// What is kept; `on` at first.
    pub history: HistoryPreference,
    /// Entries and plays that were last watched more days ago are not shown, and are deleted within
    /// the hour; null at first, which keeps them. The server may have a shorter limit for
    /// everybody.
    #[schema(required = true, minimum = 1, maximum = 3650, example = 365)]
    pub retention_days: Option<i32>,
    /// Whether the caller gets recommendations, and others get recommendations from what the caller
    /// completed; false at first.
    pub recommendations: bool,
}

/// The changes of the preferences; a field that is absent stays unchanged.
#[derive(Clone, Copy, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreferencesChange, example = json!({"recommendations": true, "retention_days": 365}))]
pub struct PreferencesUpdate {
    /// What is kept from now on.
    #[serde(default, deserialize_with = "word")]
    #[schema(value_type = HistoryPreference, required = false)]
    pub history: Option<HistoryPreference>,
    /// How many days entries and plays are kept; `null` keeps them until they are deleted.
    #[serde(default, deserialize_with = "number::double_option")]
    #[validate(range(min = 1, max = 3650))]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3650, example = 365)]
    pub retention_days: Option<Option<i32>>,
    /// Whether the caller takes part in recommendations.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = bool, required = false, example = true)]
    pub recommendations: Option<bool>,
}

impl From<HistoryMode> for HistoryPreference {
    fn from(mode: HistoryMode) -> Self {
        match mode {
            HistoryMode::On => Self::On,
            HistoryMode::Positions => Self::Positions,
            HistoryMode::Off => Self::Off,
        }
    }
}

impl From<HistoryPreference> for HistoryMode {
    fn from(preference: HistoryPreference) -> Self {
        match preference {
            HistoryPreference::On => Self::On,
            HistoryPreference::Positions => Self::Positions,
            HistoryPreference::Off => Self::Off,
        }
    }
}

impl From<user::Model> for Preferences {
    fn from(row: user::Model) -> Self {
        Self {
            history: row.history_mode.into(),
            retention_days: row.retention_days,
            recommendations: row.recommendations,
        }
    }
}

/// The preferences of the caller.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is deleted or deactivated.
pub async fn find(db: &impl ConnectionTrait, user_id: i64) -> Result<Preferences, Error> {
    find_active(db, user_id).await.map(Into::into)
}

/// Changes the preferences of the caller. The next save follows them, and reads do at once.
///
/// # Errors
/// As [`find`].
pub async fn update(
    tx: &Transaction,
    user_id: i64,
    update: PreferencesUpdate,
    now: DateTime<Utc>,
) -> Result<Preferences, Error> {
    let PreferencesUpdate { history, retention_days, recommendations } = update;
    let stored = find_active(tx, user_id).await?;
    let mut row = stored.clone().into_active_model();
    if let Some(history) = history {
        row.history_mode.set_if_not_equals(history.into());
    }
    if let Some(retention_days) = retention_days {
        row.retention_days.set_if_not_equals(retention_days);
    }
    if let Some(recommendations) = recommendations {
        row.recommendations.set_if_not_equals(recommendations);
    }
    if !row.is_changed() {
        return Ok(stored.into());
    }
    if row.retention_days.is_set() {
        reset_histories(tx, [user_id]).await?;
    }
    row.updated_at = Set(now);
    let updated = row.update(tx).await.map_err(|error| match error {
        DbErr::RecordNotUpdated => Error::Unauthenticated,
        other => other.into(),
    })?;
    tx.record(Event::PreferencesChanged { user_id });
    Ok(updated.into())
}

/// Reads one of the words of a type. Of a number or null, serde itself would only say "expected
/// value".
fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(String::deserialize(value)?.into_deserializer()).map(Some)
}

/// Reads a field that may be absent, but not null.
fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}
