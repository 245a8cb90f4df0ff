//! What the code of a step depends on besides the table.

use super::live_definitions::{Backends, LiveDefinitions};
use crate::schema::SchemaItem;

/// The direction, and the definitions of the live database.
#[derive(Clone, Copy)]
pub(super) struct StepContext<'a> {
    pub(super) live: &'a LiveDefinitions,
    pub(super) is_downgrade: bool,
}

impl StepContext<'_> {
    pub(super) fn drop_code(self, table: &str, item: SchemaItem, code: String, backends: Backends) -> Vec<String> {
        self.live.drop_code(table, &item, vec![code], backends)
    }

    pub(super) fn create_code(
        self,
        table: &str,
        item: SchemaItem,
        portable: Vec<String>,
        backends: Backends,
    ) -> Vec<String> {
        // In an upgrade, a new item may have the name of the live one that it replaces.
        if self.is_downgrade { self.live.create_code(table, &item, portable, backends) } else { portable }
    }
}
