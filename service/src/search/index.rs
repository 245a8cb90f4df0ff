//! Keeps what the search reads in step with the videos.
//!
//! A change of a video through the service updates it in the same transaction. What others wrote (an older process, plain SQL) is
//! found by [`pending`] before the next search.

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

/// Videos in one transaction: on SQLite nobody else writes as long as it lasts.
pub(super) const BATCH: u64 = 250;

/// What is read of a video.
#[derive(FromQueryResult)]
struct Source {
    id: i64,
    created_at: DateTime<Utc>,
    title: String,
    description: Option<String>,
    uploader: String,
}

/// What is stored of a video.
#[derive(FromQueryResult)]
struct Row {
    video_id: i64,
    place: i64,
    title: String,
    description: String,
    uploader: String,
}

impl Row {
    fn grams(&self) -> BTreeSet<i32> {
        grams_of([&self.title, &self.description, &self.uploader])
    }

    /// The same as words for FTS5.
    fn words(&self) -> String {
        self.grams().into_iter().fold(String::new(), |mut words, gram| {
            // Writing to a text cannot fail.
            let _ = write!(words, "{} ", word(gram));
            words
        })
    }
}

impl From<Source> for Row {
    fn from(source: Source) -> Self {
        let Source { id, created_at, title, description, uploader } = source;
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

/// Brings what is stored of these videos up to date, in the transaction that changed them.
///
/// # Errors
/// Those of the database.
pub(crate) async fn index(transaction: &impl ConnectionTrait, ids: &[i64]) -> Result<(), Error> {
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
    // A change of one of them waits meanwhile, and then stores the newer texts.
    let sources = match transaction.get_database_backend() {
        DatabaseBackend::Postgres => sources.lock_shared(),
        _ => sources,
    };
    let rows: Vec<Row> = sources.into_model::<Source>().all(transaction).await?.into_iter().map(Into::into).collect();
    if rows.is_empty() {
        return Ok(());
    }
    if transaction.get_database_backend() == DatabaseBackend::Sqlite {
        forget_grams(transaction, ids).await?;
        let mut insert = Query::insert().into_table(GRAMS_TABLE).columns(["rowid", "grams"]).take();
        for row in &rows {
            insert.values([row.place.into(), row.words().into()]).map_err(unfit)?;
        }
        transaction.execute(&insert).await?;
    }
    store(transaction, rows).await
}

async fn store(transaction: &impl ConnectionTrait, rows: Vec<Row>) -> Result<(), Error> {
    let has_grams = transaction.get_database_backend() == DatabaseBackend::Postgres;
    let mut columns = vec!["video_id", "place", "title", "description", "uploader", "video_updated_at"];
    columns.extend(has_grams.then_some("grams"));
    let mut insert = Query::insert().into_table(TABLE).columns(columns.iter().copied()).take();
    for row in rows {
        // As it stands there, because databases of older sites write times in other forms.
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
        insert.values(values).map_err(unfit)?;
    }
    let newer = OnConflict::column("video_id").update_columns(columns.into_iter().skip(1)).to_owned();
    transaction.execute(insert.on_conflict(newer)).await?;
    Ok(())
}

/// Takes the grams of these videos out of SQLite's index, before the rows go or change: FTS5 wants to hear what it holds. On
/// PostgreSQL they go with the row.
///
/// # Errors
/// Those of the database.
pub(crate) async fn forget_grams(transaction: &impl ConnectionTrait, ids: &[i64]) -> Result<(), Error> {
    if transaction.get_database_backend() != DatabaseBackend::Sqlite {
        return Ok(());
    }
    let rows = Query::select()
        .columns(["video_id", "place", "title", "description", "uploader"])
        .from(TABLE)
        .and_where(Expr::col("video_id").is_in(ids.iter().copied()))
        .take();
    let rows = Row::find_by_statement(transaction.get_database_backend().build(&rows)).all(transaction).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut delete = Query::insert().into_table(GRAMS_TABLE).columns([GRAMS_TABLE, "rowid", "grams"]).take();
    for row in &rows {
        delete.values(["delete".into(), row.place.into(), row.words().into()]).map_err(unfit)?;
    }
    transaction.execute(&delete).await?;
    Ok(())
}

/// [`forget_grams`] of every video of an account.
///
/// # Errors
/// Those of the database.
pub(crate) async fn forget_uploader(transaction: &impl ConnectionTrait, user_id: i64) -> Result<(), Error> {
    if transaction.get_database_backend() != DatabaseBackend::Sqlite {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let ids = video::Entity::find().select_only().column(video::Column::Id);
        let ids = ids.filter(video::Column::UserId.eq(user_id)).filter(video::Column::Id.gt(after));
        let ids: Vec<i64> = ids.order_by_asc(video::Column::Id).limit(BATCH).into_tuple().all(transaction).await?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = *last;
        forget_grams(transaction, &ids).await?;
    }
}

/// Notes that the name of an account changed: its videos are indexed anew before the next search.
///
/// # Errors
/// Those of the database.
pub(crate) async fn mark_of_uploader(transaction: &impl ConnectionTrait, user_id: i64) -> Result<(), Error> {
    let of_user = video::Column::UserId.eq(user_id);
    let own = Query::select().column(video::Column::Id).from(video::Entity).and_where(of_user).take();
    let update = Query::update()
        .table(TABLE)
        .value("video_updated_at", Option::<DateTime<Utc>>::None)
        .and_where(Expr::col("video_id").in_subquery(own))
        .take();
    transaction.execute(&update).await?;
    Ok(())
}

/// The first videos with a larger id than `after` of which nothing is stored, or what they were before they changed.
pub(super) async fn pending(db: &impl ConnectionTrait, after: i64) -> Result<Vec<i64>, Error> {
    ids(
        db,
        "SELECT v.id FROM videos v LEFT JOIN video_search s ON s.video_id = v.id WHERE v.id > $1 \
            AND (s.video_updated_at IS NULL OR s.video_updated_at <> v.updated_at) ORDER BY v.id LIMIT $2",
        after,
    )
    .await
}

/// The first videos with a larger id than `after` that [`mark_of_uploader`] marked.
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

/// The largest id of a video, and whether there are marked ones.
pub(super) async fn newest(db: &impl ConnectionTrait) -> Result<(i64, bool), Error> {
    let sql = "SELECT coalesce((SELECT max(id) FROM videos), 0) AS newest, \
        EXISTS (SELECT 1 FROM video_search WHERE video_updated_at IS NULL) AS marked";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| Error::Internal("the database answers nothing".into()))?;
    Ok((row.try_get("", "newest")?, row.try_get("", "marked")?))
}

fn unfit(error: impl ToString) -> Error {
    Error::Internal(error.to_string())
}
