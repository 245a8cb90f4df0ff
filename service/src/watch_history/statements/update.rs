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

/// A column of the new row: the entry that the save would insert. Its `last_watched_at` is when the
/// player was at the position, its `updated_at` when the save arrived, and its `play_watched_ms`
/// what the player reports.
fn excluded(column: Column) -> Expr {
    Expr::col((EXCLUDED, column))
}

/// The name of the new row in `ON CONFLICT`; the UPDATE for heartbeats gives the same name to its
/// saves.
pub(super) const EXCLUDED: &str = "excluded";

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
        Column::HiddenUntil => when(is_moved(), Expr::null(), stored(column)),
        Column::PreviousPosition => if_given_up(stored(Column::WatchPosition)),
        Column::PreviousDevice => if_given_up(stored(Column::Device)),
        Column::PreviousAt => if_given_up(stored(Column::LastWatchedAt)),
        Column::PlayNumber => greatest([stored(column), 1.into()]),
        Column::PlayStartedAt | Column::PlayStartPosition => when(goes_on(), stored(column), excluded(column)),
        Column::PlayWatchedMs => {
            let at_first = Func::least([excluded(column), milliseconds(WATCHED_SLACK)]);
            when(goes_on(), watched_ms(), at_first.into())
        }
        Column::PlayCompleted => goes_on().and(stored(column)).or(is_counted()),
        Column::UpdatedAt => excluded(column),
    })
}

/// The new value of a column when a save [is a heartbeat](is_heartbeat); `None` for the id.
pub(super) fn heartbeat_value(column: Column) -> Option<Expr> {
    match column {
        Column::PlayWatchedMs => Some(watched_ms()),
        _ => updated_value(column),
    }
}

/// Whether a save changes nothing but the columns of a heartbeat, and is no replay.
pub(super) fn is_heartbeat() -> Expr {
    let is_later = excluded(Column::LastWatchedAt).gt(stored(Column::LastWatchedAt));
    let is_same_hour = excluded(Column::WatchedHour).lte(stored(Column::WatchedHour));
    let is_as_completed = excluded(Column::Completed).eq(stored(Column::Completed));
    let is_shown = stored(Column::Hidden).not();
    let all = [is_later, is_same_hour, is_as_completed, is_shown, starts_over().not()];
    all.into_iter().fold(continues_play(), ExprTrait::and)
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

/// Whether the save goes on with the running play, or begins the first one. The viewer keeps plays,
/// and the save is no replay.
pub(super) fn is_simple() -> Expr {
    let is_first = stored(Column::PlayNumber).eq(0);
    let has_other_time = excluded(Column::LastWatchedAt).ne(stored(Column::LastWatchedAt));
    let is_simple = when(goes_on(), is_of_last_play(), is_first);
    excluded(Column::PlayIsKept).and(has_other_time).and(starts_over().not()).and(is_simple)
}

/// Whether a [simple](is_simple) save goes on with the running play.
fn goes_on() -> Expr {
    stored(Column::PlayIsKept)
}

/// Whether a first play moves the position far away.
fn gives_position_up() -> Expr {
    let position = Column::WatchPosition;
    let distance = Func::abs(excluded(position).sub(stored(position)));
    goes_on().not().and(Expr::from(distance).gt(FAR)).and(is_of_last_play().not())
}

fn starts_over() -> Expr {
    excluded(Column::WatchPosition).eq(0).and(excluded(Column::PlayerSession).is_null())
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

/// Whether the save has the higher sequence, if both are of one session and have one; true
/// otherwise. Both statements take only saves that are not older by time.
pub(super) fn is_newer() -> Expr {
    let column = Column::Sequence;
    let have_numbers = excluded(column).is_not_null().and(stored(column).is_not_null());
    let is_later_number = excluded(column).gt(stored(column));
    when(have_numbers.and(is_same_session()), is_later_number, true.into())
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

const IS_DISTINCT_FROM: BinOper = BinOper::Custom("IS DISTINCT FROM");
