//! The statements of the search. Each finds the ids of one page, in order.
//!
//! There are two plans. **Nearby** compares the first videos of the order, which is fast for a text
//! that most videos contain. **Indexed** reads the index of grams, compares the texts, and sorts,
//! which is fast for a rare text. SQLite's index is ordered by place, so that by age it stops when
//! the page is full, and needs no other plan.

use super::{ResultOrder, SearchScope, TextSearch};
use sea_orm::{DatabaseBackend, Statement, Value};

/// Videos that are compared before the index is used, in addition to the skipped ones.
const NEARBY: i64 = 500;

/// The values of a statement that is being built.
struct StatementBuilder {
    backend: DatabaseBackend,
    values: Vec<Value>,
}

impl StatementBuilder {
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn on_postgres(&self) -> bool {
        self.backend == DatabaseBackend::Postgres
    }

    /// The condition that a text of `s` contains the searched one.
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

/// A lookup for each remaining row, so that no planner reads all videos.
const READY: &str = "(SELECT status FROM videos WHERE videos.id = s.video_id) = 'ready'";

/// The plan that compares the first videos of the order; `None` where the index is as fast.
pub(super) fn nearby(backend: DatabaseBackend, query: &TextSearch) -> Option<Statement> {
    let mut sql = StatementBuilder { backend, values: Vec::new() };
    if query.sort == ResultOrder::Age && !sql.on_postgres() {
        return None;
    }
    let contains = sql.contains(query);
    let nearby = sql.bind(NEARBY + query.skip);
    let text = match query.sort {
        ResultOrder::Age => {
            let after = query.after.map(|place| format!("WHERE place < {}", sql.bind(place))).unwrap_or_default();
            let page = sql.page(query);
            format!(
                "SELECT s.video_id FROM (SELECT * FROM video_search {after} ORDER BY place DESC LIMIT {nearby}) s \
                 WHERE {contains} AND {READY} ORDER BY s.place DESC {page}"
            )
        }
        ResultOrder::Views => {
            let page = sql.page(query);
            format!(
                "SELECT s.video_id FROM (SELECT id, view_count FROM videos WHERE status = 'ready' \
                     ORDER BY view_count DESC, id DESC LIMIT {nearby}) v JOIN video_search s ON s.video_id = v.id \
                 WHERE {contains} ORDER BY v.view_count DESC, v.id DESC {page}"
            )
        }
        ResultOrder::Title => {
            let page = sql.page(query);
            format!(
                "SELECT s.video_id FROM (SELECT * FROM video_search ORDER BY substr(title, 1, 200), video_id \
                     LIMIT {nearby}) s \
                 WHERE {contains} AND {READY} ORDER BY substr(s.title, 1, 200), s.video_id {page}"
            )
        }
    };
    Some(sql.statement(text))
}

/// The plan that uses the index of grams.
pub(super) fn indexed(backend: DatabaseBackend, query: &TextSearch, grams: &[i32]) -> Statement {
    let sql = StatementBuilder { backend, values: Vec::new() };
    if sql.on_postgres() { on_postgres(sql, query, grams) } else { on_sqlite(sql, query, grams) }
}

fn on_postgres(mut sql: StatementBuilder, query: &TextSearch, grams: &[i32]) -> Statement {
    let contains = sql.contains(query);
    let grams = sql.bind(grams.to_vec());
    let after = query.after.map(|place| format!(" AND s.place < {}", sql.bind(place))).unwrap_or_default();
    let page = sql.page(query);
    let order = match query.sort {
        ResultOrder::Age => "place DESC",
        ResultOrder::Views => "(SELECT view_count FROM videos WHERE videos.id = video_id) DESC, video_id DESC",
        ResultOrder::Title => "title, video_id",
    };
    // Find, then sort, then check row by row until the page is full: MATERIALIZED and OFFSET keep
    // the planner from merging the steps.
    let text = format!(
        "WITH matching AS MATERIALIZED (SELECT s.video_id, s.place, substr(s.title, 1, 200) AS title FROM video_search s \
             WHERE s.grams @> {grams} AND {contains}{after}) \
         SELECT s.video_id FROM (SELECT video_id FROM matching ORDER BY {order} OFFSET 0) s WHERE {READY} {page}"
    );
    sql.statement(text)
}

fn on_sqlite(mut sql: StatementBuilder, query: &TextSearch, grams: &[i32]) -> Statement {
    let words: Vec<_> = grams.iter().map(|gram| format!("\"{}\"", super::index::word(*gram))).collect();
    let (words, contains) = (sql.bind(words.join(" AND ")), sql.contains(query));
    let after = query.after.map(|place| format!("AND g.rowid < {}", sql.bind(place))).unwrap_or_default();
    let page = sql.page(query);
    let order = match query.sort {
        ResultOrder::Age => "g.rowid DESC",
        ResultOrder::Views => "v.view_count DESC, v.id DESC",
        ResultOrder::Title => "substr(s.title, 1, 200), s.video_id",
    };
    let text = format!(
        "SELECT s.video_id FROM video_grams g CROSS JOIN video_search s ON s.place = g.rowid \
             CROSS JOIN videos v ON v.id = s.video_id \
         WHERE g.video_grams MATCH {words} {after} AND {contains} AND v.status = 'ready' ORDER BY {order} {page}"
    );
    sql.statement(text)
}
