//! What a save changes of an entry, and when.

use super::concat;
use crate::progress::ProgressRules;
use entity::watch_history::Column;
use sea_orm::DatabaseBackend::{self, Postgres};
use sea_orm::prelude::*;
use sea_orm::sea_query::{BinOper, CaseStatement, ExprTrait, Func};

/// A column of the entry as it is stored.
fn stored(column: Column) -> Expr {
    column.into_expr()
}

/// A column of the row that conflicts: the entry that the INSERT would have made of the save. Its
/// `last_watched_at` is when the player was at the position, its `updated_at` when the save
/// arrived.
fn excluded(column: Column) -> Expr {
    Expr::col(("excluded", column))
}

/// The new value of a column; `None` where a save never changes it.
pub(super) fn updated_value(column: Column, backend: DatabaseBackend) -> Option<Expr> {
    let if_counted = |value: Expr| {
        let counted = is_counted(backend);
        CaseStatement::new().case(counted, value).finally(stored(column)).into()
    };
    Some(match column {
        Column::Id
        | Column::UserId
        | Column::VideoId
        | Column::CreatedAt
        | Column::Hidden
        | Column::HiddenUntil
        | Column::PreviousPosition
        | Column::PreviousDevice
        | Column::PreviousAt
        | Column::PlayNumber
        | Column::PlayIsKept
        | Column::PlayHasSession
        | Column::PlayStartedAt
        | Column::PlayStartPosition
        | Column::PlayWatchedMs
        | Column::PlayCompleted => return None,
        Column::WatchPosition | Column::Completed | Column::Device => excluded(column),
        Column::WatchDuration | Column::LastWatchedAt | Column::WatchedHour => greatest(column),
        Column::PlayerSession => last_session(),
        Column::Sequence => last_sequence(),
        Column::PlayCount => if_counted(stored(column).add(1)),
        Column::CompletedAt => if_counted(excluded(column)),
        Column::CountedSessions => if_counted(counted_sessions()),
        Column::UpdatedAt => CaseStatement::new().case(is_replay(), stored(column)).finally(excluded(column)).into(),
    })
}

/// The greater one of the two values; the functions of this name differ between the databases.
fn greatest(column: Column) -> Expr {
    let is_greater = excluded(column).gt(stored(column));
    CaseStatement::new().case(is_greater, excluded(column)).finally(stored(column)).into()
}

/// The entry keeps its session if the save has none.
fn last_session() -> Expr {
    Func::coalesce([excluded(Column::PlayerSession), stored(Column::PlayerSession)]).into()
}

/// The entry keeps its number if the save has no session, or the same session and no number.
fn last_sequence() -> Expr {
    let column = Column::Sequence;
    let is_without_number = excluded(column).is_null().and(is_same_session());
    CaseStatement::new()
        .case(excluded(Column::PlayerSession).is_null().or(is_without_number), stored(column))
        .finally(excluded(column))
        .into()
}

/// NULL if one of the two has no session.
fn is_same_session() -> Expr {
    excluded(Column::PlayerSession).eq(stored(Column::PlayerSession))
}

/// Whether the save completes the video, and its session was not counted before.
fn is_counted(backend: DatabaseBackend) -> Expr {
    let find = if backend == Postgres { "strpos" } else { "instr" };
    let sessions = concat(" ", or_empty(stored(Column::CountedSessions)));
    let session = concat(concat(" ", excluded(Column::PlayerSession)), " ");
    let is_new = Expr::from(Func::cust(find).arg(sessions).arg(session)).eq(0);
    let completes = excluded(Column::Completed).and(stored(Column::Completed).not());
    completes.and(excluded(Column::PlayerSession).is_null().or(is_new))
}

/// Puts the session of the save in front of the counted ones, and cuts the text to the column's
/// size.
fn counted_sessions() -> Expr {
    let column = Column::CountedSessions;
    let sessions = concat(or_empty(excluded(column)), or_empty(stored(column)));
    Func::cust("substr").arg(sessions).arg(1).arg(1040).into()
}

fn or_empty(text: Expr) -> Expr {
    Func::coalesce([text, "".into()]).into()
}

/// Whether the save is newer than the entry.
///
/// Within one session the sequence alone decides. Otherwise the later time of watching wins. A save
/// that has no age is never older: the entry's time may come from another server's clock, so it is
/// compared with the arrival of the save at most.
pub(super) fn is_newer() -> Expr {
    let column = Column::Sequence;
    let have_numbers = excluded(column).gt(0).and(stored(column).gt(0));
    let time = || excluded(Column::LastWatchedAt);
    let is_older = time().lt(stored(Column::LastWatchedAt)).and(time().lt(excluded(Column::UpdatedAt)));
    CaseStatement::new()
        .case(is_same_session().and(have_numbers), excluded(column).gt(stored(column)))
        .finally(is_older.not())
        .into()
}

/// Whether the save may come from a player that failed to start, and would lose the position of
/// another session.
pub(super) fn is_failed_start(rules: &ProgressRules) -> Expr {
    let session = excluded(Column::PlayerSession);
    let is_other = session.clone().binary(IS_DISTINCT_FROM, stored(Column::PlayerSession));
    let starts_over = stored(Column::WatchPosition)
        .gt(rules.resume_min_seconds)
        .and(excluded(Column::WatchPosition).lte(rules.resume_min_seconds));
    session.is_not_null().and(is_other).and(starts_over)
}

/// Whether the save changes no indexed column of the list "continue watching".
pub(super) fn is_index_unchanged() -> Expr {
    let hour = Column::WatchedHour;
    stored(Column::Completed).eq(excluded(Column::Completed)).and(stored(hour).gte(excluded(hour)))
}

/// Whether a column changes only together with an indexed column. The count of plays is one: it
/// rises only when `completed` changes.
pub(super) fn changes_with_index(column: Column) -> bool {
    use Column::{Completed, CompletedAt, CountedSessions, PlayCount, WatchedHour};
    matches!(column, Completed | WatchedHour | PlayCount | CompletedAt | CountedSessions)
}

/// Whether the save says nothing new, such as one that is sent again.
fn is_replay() -> Expr {
    const COMPARED: [Column; 4] = [Column::Device, Column::WatchPosition, Column::Completed, Column::LastWatchedAt];
    let with = |session: Expr, side: fn(Column) -> Expr| {
        let columns = COMPARED.into_iter().map(side);
        Expr::tuple([session].into_iter().chain(columns))
    };
    let (new, old) = (with(last_session(), excluded), with(stored(Column::PlayerSession), stored));
    let is_not_longer = excluded(Column::WatchDuration).lte(stored(Column::WatchDuration));
    excluded(Column::Sequence).is_null().and(is_not_longer).and(new.binary(IS_NOT_DISTINCT_FROM, old))
}

const IS_DISTINCT_FROM: BinOper = BinOper::Custom("IS DISTINCT FROM");
const IS_NOT_DISTINCT_FROM: BinOper = BinOper::Custom("IS NOT DISTINCT FROM");
