//! The copy of a history that a device keeps.

use chrono::DateTime;
use serde_json::Value;
use std::collections::BTreeMap;

/// The entries by video, as the API shows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryCopy(pub BTreeMap<i64, Value>);

impl HistoryCopy {
    /// Takes over a message of a live socket, or a change, which has no type.
    pub fn apply(&mut self, message: &Value) {
        match message["type"].as_str() {
            Some("cleared") => {
                let before = time_of(&message["before"]);
                self.0.retain(|_, entry| time_of(&entry["last_watched_at"]) >= before);
            }
            None | Some("entry" | "forgotten") => match &message["entry"] {
                Value::Null => drop(self.0.remove(&message["video_id"].as_i64().unwrap())),
                entry => drop(self.0.insert(entry["video_id"].as_i64().unwrap(), entry.clone())),
            },
            Some(_) => {}
        }
    }
}

fn time_of(text: &Value) -> DateTime<chrono::Utc> {
    text.as_str().unwrap().parse().unwrap()
}
