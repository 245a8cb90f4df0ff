//! Background jobs, each of which one process of all runs at a time.

use sea_orm::entity::prelude::*;

/// When a job was last begun. A process that begins it sets the time first, so that the others see
/// that it is done.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "background_jobs")]
pub struct Model {
    /// The name of the job.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(50))")]
    pub name: String,
    /// The time when it was last begun.
    pub begun_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
