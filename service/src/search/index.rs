//! Keeps the search index up to date with the videos.
//!
//! A use case that changes a video updates the index in the same tx. Changes by others (an
//! older process, plain SQL) are found by [`pending`] before the next search.

use super::fold::{fold, grams_of, place};
use crate::Error;
use chrono::{DateTime, Utc};
use entity::video_search::{GRAMS_TABLE, TABLE};
use entity::{user, video};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{DatabaseBackend, FromQueryResult, QueryOrder, QuerySelect, Statement};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Videos that one transaction indexes; on SQLite it blocks all other writers.
pub(super) const BATCH: u64 = 250;

/// The columns of a video that are indexed.
#[derive(FromQueryResult)]
struct SearchSource {
    id: i64,
    created_at: DateTime<Utc>,
    title: String,
    description: Option<String>,
    uploader: String,
}

/// The row of a video in the search table.
#[derive(FromQueryResult)]
struct SearchRow {
    video_id: i64,
    place: i64,
    title: String,
    description: String,
    uploader: String,
}

impl SearchRow {
    fn grams(&self) -> BTreeSet<i32> {
        grams_of([&self.title, &self.description, &self.uploader])
    }

    /// The grams as words for FTS5.
    fn words(&self) -> String {
        self.grams().into_iter().fold(String::new(), |mut words, gram| {
            // Writing to a String cannot fail.
            let _ = write!(words, "{} ", word(gram));
            words
        })
    }
}

impl From<SearchSource> for SearchRow {
    fn from(source: SearchSource) -> Self {
        let SearchSource { id, created_at, title, description, uploader } = source;
        Self {
            video_id: id,
            place: place(created_at, id),
            title: fold(&title),
            description: fold(description.as_deref().unwrap_or_default()),
            uploader: fold(&uploader),
        }
    }
}

/// A gram as a word for FTS5.
pub(super) fn word(gram: i32) -> String {
    format!("{:x}", gram.cast_unsigned())
}

/// Updates the index of these videos, in the transaction that changed them.
///
/// # Errors
/// Database errors.
pub(crate) async fn index(tx: &impl ConnectionTrait, ids: &[i64]) -> Result<(), Error> {
    let of_user = Query::select()
        .column(user::Column::Username)
        .from(user::Entity)
        .and_where(Expr::col((user::Entity, user::Column::Id)).equals((video::Entity, video::Column::UserId)))
        .take();
    let sources = video::Entity::find()
        .select_only()
        .columns([video::Column::Id, video::Column::CreatedAt, video::Column::Title, video::Column::Description])
        .expr_as(Expr::SubQuery(None, Box::new(of_user.into())), "uploader")
        .filter(video::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(video::Column::Id);
    // A concurrent change of a video waits for this one, and then stores the newer texts.
    let sources = match tx.get_database_backend() {
        DatabaseBackend::Postgres => sources.lock_shared(),
        _ => sources,
    };
    let rows: Vec<SearchRow> =
        sources.into_model::<SearchSource>().all(tx).await?.into_iter().map(Into::into).collect();
    if rows.is_empty() {
        return Ok(());
    }
    if tx.get_database_backend() == DatabaseBackend::Sqlite {
        remove_grams(tx, ids).await?;
        let mut insert = Query::insert().into_table(GRAMS_TABLE).columns(["rowid", "grams"]).take();
        for row in &rows {
            insert.values([row.place.into(), row.words().into()]).map_err(internal)?;
        }
        tx.execute(&insert).await?;
    }
    store(tx, rows).await
}

async fn store(tx: &impl ConnectionTrait, rows: Vec<SearchRow>) -> Result<(), Error> {
    let has_grams = tx.get_database_backend() == DatabaseBackend::Postgres;
    let mut columns = vec!["video_id", "place", "title", "description", "uploader", "video_updated_at"];
    columns.extend(has_grams.then_some("grams"));
    let mut insert = Query::insert().into_table(TABLE).columns(columns.iter().copied()).take();
    for row in rows {
        // Copied inside the database, because older sites stored times in other text forms.
        let updated_at = Query::select()
            .column(video::Column::UpdatedAt)
            .from(video::Entity)
            .and_where(video::Column::Id.eq(row.video_id))
            .take();
        let grams = has_grams.then(|| Expr::value(row.grams().into_iter().collect::<Vec<i32>>()));
        let mut values: Vec<Expr> = vec![
            row.video_id.into(),
            row.place.into(),
            row.title.into(),
            row.description.into(),
            row.uploader.into(),
            Expr::SubQuery(None, Box::new(updated_at.into())),
        ];
        values.extend(grams);
        insert.values(values).map_err(internal)?;
    }
    let newer = OnConflict::column("video_id").update_columns(columns.into_iter().skip(1)).to_owned();
    tx.execute(insert.on_conflict(newer)).await?;
    Ok(())
}

/// Removes the grams of these videos from SQLite's index, before the rows are deleted or changed:
/// FTS5 needs their old values. On PostgreSQL they are a column of the row.
///
/// # Errors
/// Database errors.
pub(crate) async fn remove_grams(tx: &impl ConnectionTrait, ids: &[i64]) -> Result<(), Error> {
    if tx.get_database_backend() != DatabaseBackend::Sqlite {
        return Ok(());
    }
    let rows = Query::select()
        .columns(["video_id", "place", "title", "description", "uploader"])
        .from(TABLE)
        .and_where(Expr::col("video_id").is_in(ids.iter().copied()))
        .take();
    let rows = SearchRow::find_by_statement(tx.get_database_backend().build(&rows)).all(tx).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut delete = Query::insert().into_table(GRAMS_TABLE).columns([GRAMS_TABLE, "rowid", "grams"]).take();
    for row in &rows {
        delete.values(["delete".into(), row.place.into(), row.words().into()]).map_err(internal)?;
    }
    tx.execute(&delete).await?;
    Ok(())
}

/// [`remove_grams`] of every video of an account.
///
/// # Errors
/// Database errors.
pub(crate) async fn remove_grams_of_uploader(tx: &impl ConnectionTrait, user_id: i64) -> Result<(), Error> {
    if tx.get_database_backend() != DatabaseBackend::Sqlite {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let ids = video::Entity::find().select_only().column(video::Column::Id);
        let ids = ids.filter(video::Column::UserId.eq(user_id)).filter(video::Column::Id.gt(after));
        let ids: Vec<i64> = ids.order_by_asc(video::Column::Id).limit(BATCH).into_tuple().all(tx).await?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = *last;
        remove_grams(tx, &ids).await?;
    }
}

/// Marks the videos of an account whose name has changed. The next search indexes them again.
///
/// # Errors
/// Database errors.
pub(crate) async fn mark_outdated(tx: &impl ConnectionTrait, user_id: i64) -> Result<(), Error> {
    let of_user = video::Column::UserId.eq(user_id);
    let own = Query::select().column(video::Column::Id).from(video::Entity).and_where(of_user).take();
    let update = Query::update()
        .table(TABLE)
        .value("video_updated_at", Option::<DateTime<Utc>>::None)
        .and_where(Expr::col("video_id").in_subquery(own))
        .take();
    tx.execute(&update).await?;
    Ok(())
}

/// The first videos with a larger id than `after` that are not indexed, or were changed since.
pub(super) async fn pending(db: &impl ConnectionTrait, after: i64) -> Result<Vec<i64>, Error> {
    ids(
        db,
        "SELECT v.id FROM videos v LEFT JOIN video_search s ON s.video_id = v.id WHERE v.id > $1 \
            AND (s.video_updated_at IS NULL OR s.video_updated_at <> v.updated_at) ORDER BY v.id LIMIT $2",
        after,
    )
    .await
}

/// The first videos with a larger id than `after` that [`mark_outdated`] marked.
pub(super) async fn marked(db: &impl ConnectionTrait, after: i64) -> Result<Vec<i64>, Error> {
    ids(
        db,
        "SELECT video_id AS id FROM video_search WHERE video_updated_at IS NULL AND video_id > $1 \
            AND EXISTS (SELECT 1 FROM videos WHERE videos.id = video_id) ORDER BY video_id LIMIT $2",
        after,
    )
    .await
}

async fn ids(db: &impl ConnectionTrait, sql: &str, after: i64) -> Result<Vec<i64>, Error> {
    let values = [after.into(), BATCH.cast_signed().into()];
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// The largest id of a video, and whether there are marked videos.
pub(super) async fn newest(db: &impl ConnectionTrait) -> Result<(i64, bool), Error> {
    let sql = "SELECT coalesce((SELECT max(id) FROM videos), 0) AS newest, \
        EXISTS (SELECT 1 FROM video_search WHERE video_updated_at IS NULL) AS marked";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| Error::Internal("the database returned no row".into()))?;
    Ok((row.try_get("", "newest")?, row.try_get("", "marked")?))
}

fn internal(error: impl ToString) -> Error {
    Error::Internal(error.to_string())
}
