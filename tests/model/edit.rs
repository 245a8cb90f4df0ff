use crate::answer::{Answer, EntryFields, PlayFields};
use crate::expected::Expected;
use crate::rules::Time;
use crate::site::TestSite;
use crate::story::{Edit, State};

impl TestSite {
    pub async fn edit(&self, _: &Expected, _: usize, _: &Edit, _: Time) -> Answer {
        todo!()
    }
    pub async fn history(&self, _: i64, _: State, _: u32, _: Time) -> Vec<EntryFields> {
        todo!()
    }
    pub async fn plays(&self, _: i64, _: Option<i64>, _: u32, _: Time) -> Vec<PlayFields> {
        todo!()
    }
}
