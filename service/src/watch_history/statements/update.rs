//! What a save changes of an entry, and when, in SQL.

use super::concat;
use crate::progress::ProgressRules;
use crate::watch_history::rules::{COUNTED_SESSIONS_LENGTH, FAR, MAX_UNREPORTED_STEP, NEW_PLAY_AFTER, WATCHED_SLACK};
use chrono::TimeDelta;
use entity::watch_history::Column;
use sea_orm::prelude::*;
use sea_orm::sea_query::{BinOper, CaseStatement, ExprTrait, Func};

/// A column of the entry as it is stored.
fn stored(column: Column) -> Expr {
    column.into_expr()
}

/// A column of the row that conflicts: the entry that the INSERT would have made of the save. Its
/// `last_watched_at` is when the player was at the position, its `updated_at` when the save
/// arrived, and its `play_watched_ms` what the player reports.
fn excluded(column: Column) -> Expr {
    Expr::col(("excluded", column))
}

/// The new value of a column; `None` where a save never changes it.
pub(super) fn updated_value(column: Column) -> Option<Expr> {
    let if_counted = |value: Expr| when(is_counted(), value, stored(column));
    let if_given_up = |value: Expr| when(gives_position_up(), value, stored(column));
    Some(match column {
        Column::Id | Column::UserId | Column::VideoId | Column::CreatedAt | Column::Revision => return None,
        Column::WatchPosition | Column::Completed | Column::Device | Column::PlayIsKept | Column::PlayHasSession => {
            excluded(column)
        }
        Column::WatchDuration | Column::LastWatchedAt | Column::WatchedHour => {
            greatest([column.into_expr(), excluded(column)])
        }
        Column::PlayerSession => last_session(),
        Column::Sequence => last_sequence(),
        Column::PlayCount => if_counted(stored(column).add(1)),
        Column::CompletedAt => if_counted(excluded(column)),
        Column::CountedSessions => if_counted(counted_sessions()),
        Column::Hidden => stored(column).and(is_moved().not()),
        Column::HiddenUntil => when(is_moved(), Expr::cust("NULL"), stored(column)),
        Column::PreviousPosition => if_given_up(stored(Column::WatchPosition)),
        Column::PreviousDevice => if_given_up(stored(Column::Device)),
        Column::PreviousAt => if_given_up(stored(Column::LastWatchedAt)),
        Column::PlayNumber => {
            let begins_kept = continues_play().not().and(excluded(Column::PlayIsKept));
            when(begins_kept, stored(column).add(1), stored(column))
        }
        Column::PlayStartedAt | Column::PlayStartPosition => when(continues_play(), stored(column), excluded(column)),
        Column::PlayWatchedMs => {
            let at_first = Func::least([excluded(column), milliseconds(WATCHED_SLACK)]);
            when(continues_play(), watched_ms(), at_first.into())
        }
        Column::PlayCompleted => continues_play().and(stored(column)).or(is_counted()),
        Column::UpdatedAt => when(is_replay(), stored(column), excluded(column)),
    })
}

fn when(condition: Expr, value: Expr, otherwise: Expr) -> Expr {
    CaseStatement::new().case(condition, value).finally(otherwise).into()
}

fn greatest(values: [Expr; 2]) -> Expr {
    Func::greatest(values).into()
}

/// The entry keeps its session if the save has none.
fn last_session() -> Expr {
    Func::coalesce([excluded(Column::PlayerSession), stored(Column::PlayerSession)]).into()
}

/// The entry keeps its number if the save has no session, or the same session and no number.
fn last_sequence() -> Expr {
    let column = Column::Sequence;
    let is_without_number = excluded(column).is_null().and(is_same_session());
    when(excluded(Column::PlayerSession).is_null().or(is_without_number), stored(column), excluded(column))
}

/// NULL if one of the two has no session.
fn is_same_session() -> Expr {
    excluded(Column::PlayerSession).eq(stored(Column::PlayerSession))
}

/// Whether the save completes the video, and its session was not counted before.
fn is_counted() -> Expr {
    let sessions = concat(" ", or_empty(stored(Column::CountedSessions)));
    let session = concat(concat(" ", excluded(Column::PlayerSession)), " ");
    let is_new = Expr::from(Func::cust("strpos").arg(sessions).arg(session)).eq(0);
    let completes = excluded(Column::Completed).and(stored(Column::Completed).not());
    completes.and(excluded(Column::PlayerSession).is_null().or(is_new))
}

/// Puts the session of the save in front of the counted ones, and cuts the text to the column's
/// size; NULL if there is none.
fn counted_sessions() -> Expr {
    let column = Column::CountedSessions;
    let sessions = concat(or_empty(excluded(column)), or_empty(stored(column)));
    let cut = Func::cust("substr").arg(sessions).arg(1).arg(COUNTED_SESSIONS_LENGTH as u64);
    Func::cust("nullif").arg(cut).arg("").into()
}

fn or_empty(text: Expr) -> Expr {
    Func::coalesce([text, "".into()]).into()
}

/// Whether the save moves the position.
fn is_moved() -> Expr {
    excluded(Column::WatchPosition).ne(stored(Column::WatchPosition))
}

/// Whether the save is of the entry's last play, running or ended.
fn is_of_last_play() -> Expr {
    let column = Column::PlayHasSession;
    let is_recent = excluded(Column::LastWatchedAt).lt(stored(Column::LastWatchedAt).add(interval(NEW_PLAY_AFTER)));
    when(excluded(column), stored(column).and(is_same_session()), stored(column).not().and(is_recent))
}

/// Whether the save goes on with the running play.
fn continues_play() -> Expr {
    let column = Column::PlayIsKept;
    let runs = stored(Column::PlayStartedAt).is_not_null();
    runs.and(stored(column).eq(excluded(column))).and(is_of_last_play())
}

/// Whether the save goes on with the running play, or begins one where there is none to close and
/// none to reopen.
pub(super) fn is_simple() -> Expr {
    let has_no_plays = stored(Column::PlayNumber).eq(0).or(excluded(Column::PlayIsKept).not());
    stored(Column::PlayIsKept).not().and(has_no_plays).or(continues_play())
}

/// Whether another play, or a start over, moves the position far away.
fn gives_position_up() -> Expr {
    let position = Column::WatchPosition;
    let distance = Func::abs(excluded(position).sub(stored(position)));
    let starts_over = excluded(position).eq(0).and(excluded(Column::PlayerSession).is_null());
    Expr::from(distance).gt(FAR).and(starts_over.or(is_of_last_play().not()))
}

/// The time watched of a play that goes on.
fn watched_ms() -> Expr {
    let column = Column::PlayWatchedMs;
    let event = || excluded(Column::LastWatchedAt);
    let step = Func::least([
        greatest([milliseconds_between(event(), stored(Column::LastWatchedAt)), 0.into()]),
        milliseconds(MAX_UNREPORTED_STEP),
    ]);
    let unreported = when(is_moved(), stored(column).add(Expr::from(step)), stored(column));
    let watched = when(excluded(column).gt(0), excluded(column), unreported);
    let since_start = milliseconds_between(event(), stored(Column::PlayStartedAt));
    let limit = since_start.add(milliseconds(WATCHED_SLACK));
    greatest([stored(column), Func::least([watched, limit]).into()])
}

/// Both times are in whole milliseconds.
fn milliseconds_between(later: Expr, earlier: Expr) -> Expr {
    let seconds = Func::cust("date_part").arg("epoch").arg(later.sub(earlier));
    Expr::from(seconds).mul(1000).cast_as("bigint")
}

fn milliseconds(time: TimeDelta) -> Expr {
    Expr::value(time.num_milliseconds())
}

fn interval(time: TimeDelta) -> Expr {
    Expr::cust(format!("interval '{} seconds'", time.num_seconds()))
}

/// Whether the save is newer than the entry.
///
/// Within one session the sequence alone decides. Otherwise the later time of watching wins. A save
/// that has no age is never older: the entry's time may come from another server's clock, so it is
/// compared with the arrival of the save at the latest.
pub(super) fn is_newer() -> Expr {
    let column = Column::Sequence;
    let have_numbers = excluded(column).is_not_null().and(stored(column).is_not_null());
    let time = || excluded(Column::LastWatchedAt);
    let is_older = time().lt(stored(Column::LastWatchedAt)).and(time().lt(excluded(Column::UpdatedAt)));
    when(is_same_session().and(have_numbers), excluded(column).gt(stored(column)), is_older.not())
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

/// Whether the save says nothing new, such as one that is sent again.
fn is_replay() -> Expr {
    const COMPARED: [Column; 4] = [Column::Device, Column::WatchPosition, Column::Completed, Column::LastWatchedAt];
    let with = |session: Expr, side: fn(Column) -> Expr| {
        let columns = COMPARED.into_iter().map(side);
        Expr::tuple([session].into_iter().chain(columns))
    };
    let (new, old) = (with(last_session(), excluded), with(stored(Column::PlayerSession), stored));
    let is_not_longer = excluded(Column::WatchDuration).lte(stored(Column::WatchDuration));
    let is_same = new.binary(IS_NOT_DISTINCT_FROM, old);
    let is_same_play = continues_play().and(watched_ms().eq(stored(Column::PlayWatchedMs)));
    excluded(Column::Sequence).is_null().and(is_not_longer).and(is_same).and(is_same_play)
}

const IS_DISTINCT_FROM: BinOper = BinOper::Custom("IS DISTINCT FROM");
const IS_NOT_DISTINCT_FROM: BinOper = BinOper::Custom("IS NOT DISTINCT FROM");
