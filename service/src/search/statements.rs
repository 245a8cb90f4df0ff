//! The statements of the search, written out. Each finds the ids of one page, in order, and so many as it was asked for.
//!
//! Two ways lead to them. **Nearby** looks through the first videos of the order themselves: what nearly every video has is found
//! there after a few. **Indexed** takes what the index of grams offers, looks at the texts, and sorts: what few videos have. SQLite's
//! index is in the order of the places, so that by age it stops as soon as the page is full, and needs no other way.

use super::{ResultOrder, SearchScope, TextSearch};
use sea_orm::{DatabaseBackend, Statement, Value};

/// Videos that are looked through before the index is asked, beside those that the page leaves out.
const NEARBY: i64 = 500;

/// The words of one statement and what is bound to it.
struct Sql {
    backend: DatabaseBackend,
    values: Vec<Value>,
}

impl Sql {
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn on_postgres(&self) -> bool {
        self.backend == DatabaseBackend::Postgres
    }

    /// Whether the texts of `s` hold what is sought.
    fn contains(&mut self, query: &TextSearch) -> String {
        let (text, find) = (self.bind(query.text.clone()), if self.on_postgres() { "strpos" } else { "instr" });
        let columns: &[_] = match query.scope {
            SearchScope::Texts => &["title", "description"],
            SearchScope::TextsAndUploader => &["title", "description", "uploader"],
        };
        let each: Vec<_> = columns.iter().map(|column| format!("{find}(s.{column}, {text}) > 0")).collect();
        format!("({})", each.join(" OR "))
    }

    fn page(&mut self, query: &TextSearch) -> String {
        let (limit, skip) = (self.bind(query.limit), self.bind(query.skip));
        format!("LIMIT {limit} OFFSET {skip}")
    }

    fn statement(self, text: String) -> Statement {
        Statement::from_sql_and_values(self.backend, text, self.values)
    }
}

/// Looked up for each row that is left, so that no planner reads all videos for it.
const READY: &str = "(SELECT status FROM videos WHERE videos.id = s.video_id) = 'ready'";

/// Through the first videos of the order; `None` where the index is as quick.
pub(super) fn nearby(backend: DatabaseBackend, query: &TextSearch) -> Option<Statement> {
    let mut sql = Sql { backend, values: Vec::new() };
    if query.sort == ResultOrder::Newest && !sql.on_postgres() {
        return None;
    }
    let contains = sql.contains(query);
    let most = sql.bind(NEARBY + query.skip);
    let text = match query.sort {
        ResultOrder::Newest => {
            let behind = query.behind.map(|place| format!("WHERE place < {}", sql.bind(place))).unwrap_or_default();
            let page = sql.page(query);
            format!(
                "SELECT s.video_id FROM (SELECT * FROM video_search {behind} ORDER BY place DESC LIMIT {most}) s \
                 WHERE {contains} AND {READY} ORDER BY s.place DESC {page}"
            )
        }
        ResultOrder::Views => {
            let page = sql.page(query);
            format!(
                "SELECT s.video_id FROM (SELECT id, view_count FROM videos WHERE status = 'ready' \
                     ORDER BY view_count DESC, id DESC LIMIT {most}) v JOIN video_search s ON s.video_id = v.id \
                 WHERE {contains} ORDER BY v.view_count DESC, v.id DESC {page}"
            )
        }
        ResultOrder::Title => {
            let page = sql.page(query);
            format!(
                "SELECT s.video_id FROM (SELECT * FROM video_search ORDER BY substr(title, 1, 200), video_id \
                     LIMIT {most}) s \
                 WHERE {contains} AND {READY} ORDER BY substr(s.title, 1, 200), s.video_id {page}"
            )
        }
    };
    Some(sql.statement(text))
}

/// Through the index of grams.
pub(super) fn indexed(backend: DatabaseBackend, query: &TextSearch, grams: &[i32]) -> Statement {
    let sql = Sql { backend, values: Vec::new() };
    if sql.on_postgres() { on_postgres(sql, query, grams) } else { on_sqlite(sql, query, grams) }
}

fn on_postgres(mut sql: Sql, query: &TextSearch, grams: &[i32]) -> Statement {
    let contains = sql.contains(query);
    let grams = sql.bind(grams.to_vec());
    let behind = query.behind.map(|place| format!(" AND s.place < {}", sql.bind(place))).unwrap_or_default();
    let page = sql.page(query);
    let order = match query.sort {
        ResultOrder::Newest => "place DESC",
        ResultOrder::Views => "(SELECT view_count FROM videos WHERE videos.id = video_id) DESC, video_id DESC",
        ResultOrder::Title => "title, video_id",
    };
    // Found, then sorted, then looked at one after the other until the page is full: what is materialized or has an offset is
    // planned by itself.
    let text = format!(
        "WITH matching AS MATERIALIZED (SELECT s.video_id, s.place, substr(s.title, 1, 200) AS title FROM video_search s \
             WHERE s.grams @> {grams} AND {contains}{behind}) \
         SELECT s.video_id FROM (SELECT video_id FROM matching ORDER BY {order} OFFSET 0) s WHERE {READY} {page}"
    );
    sql.statement(text)
}

fn on_sqlite(mut sql: Sql, query: &TextSearch, grams: &[i32]) -> Statement {
    let words: Vec<_> = grams.iter().map(|gram| format!("\"{}\"", super::index::word(*gram))).collect();
    let (words, contains) = (sql.bind(words.join(" AND ")), sql.contains(query));
    let behind = query.behind.map(|place| format!("AND g.rowid < {}", sql.bind(place))).unwrap_or_default();
    let page = sql.page(query);
    let order = match query.sort {
        ResultOrder::Newest => "g.rowid DESC",
        ResultOrder::Views => "v.view_count DESC, v.id DESC",
        ResultOrder::Title => "substr(s.title, 1, 200), s.video_id",
    };
    let text = format!(
        "SELECT s.video_id FROM video_grams g CROSS JOIN video_search s ON s.place = g.rowid \
             CROSS JOIN videos v ON v.id = s.video_id \
         WHERE g.video_grams MATCH {words} {behind} AND {contains} AND v.status = 'ready' ORDER BY {order} {page}"
    );
    sql.statement(text)
}
