/**
 * Which position is saved, and when. The functions change the state of a step of the state machine,
 * and add effects to it.
 */
import { countPlayed, explainedPosition, hasPlayedToEnd } from "./playback.js";

/** @typedef {import("./machine.js").Step} Step */

/** A history that arrives after this much playback no longer moves the viewer. */
const LATE_SECONDS = 60;
/**
 * A server takes a save up to its RESUME_MIN_SECONDS (5 by default) for a failed start. The player
 * does not know that setting, and allows for this much.
 */
const NEAR_START_SECONDS = 30;

/** @param {Step} step */
export const hasEnded = ({ state, reading }) =>
  (state.hasLooped && reading.loop) ||
  hasPlayedToEnd(state, reading);

/** The position as it is saved, in whole seconds. @param {Step} step */
export function positionOf(step) {
  const { state, reading } = step;
  const position = explainedPosition(state, reading);
  if (!hasEnded(step)) return Math.floor(position);
  // The server rounds durations to whole seconds, and a save of the end has to reach its duration.
  const end = Number.isFinite(reading.duration) ? reading.duration : position;
  return state.serverDuration ?? Math.max(1, Math.round(end));
}

/** @param {Step} step */
export const isLate = ({ state, reading }) =>
  explainedPosition(state, reading) - state.playbackStart >= LATE_SECONDS;

/** @param {Step} step */
export const lastSecond = ({ reading }) => (reading.duration > 0 ? reading.duration - 1 : Infinity);

/** Takes in where the element is. @param {Step} step */
export function count(step) {
  const { state, reading } = step;
  if (state.phase === "suspended") return;
  if (countPlayed(state, reading)) state.reachedAt = reading.moment;
  // A video that is loaded again is at 0 before its "emptied" event says so, and one that begins
  // again before its "seeking" event does.
  const isInPlace = reading.hasMetadata && !reading.seeking;
  if (state.phase === "following" && isInPlace) state.lastPosition = positionOf(step);
}

/** Counts, and saves the position if it is new. @param {Step} step */
export function record(step) {
  const { state, reading, isLeaving } = step;
  // A paused element that reports another fraction hours later has not moved.
  if (!reading.paused || !isLeaving) count(step);
  if (state.phase !== "following" || state.isForgetting) return;
  const position = positionOf(step);
  const hasWatchedMore = watchedOf(step) > state.savedWatched;
  const isNew = position !== state.savedPosition || (state.hasLooped && hasWatchedMore);
  if (!isNew || position < state.cutOffAt) {
    if (isLeaving) step.effects.push({ type: "flush" });
    return;
  }
  // A 0 that nobody chose comes from a player that failed to start; it would delete the position.
  if (position === 0 && (!state.isChosen || reading.hasError)) return;
  // The server may take a chosen start for a failed one, and this page cannot send it again. It
  // does not after a save near the start, and then this one is part of its play.
  const isNearStart = position <= NEAR_START_SECONDS && !(position * 2 > reading.duration);
  const isDoubtful = state.isChosen && isNearStart && !state.hasSavedStart;
  save(step, position, isLeaving && isDoubtful);
}

/** Whole seconds watched in all player sessions. @param {Step} step */
const watchedOf = ({ state }) => Math.floor(state.watchedBefore + state.played);

/** Counts, and saves what the player has not saved for a while. @param {Step} step */
export function recordWhenDue(step) {
  const { state, reading } = step;
  if (reading.moment.tick < state.dueAt) return count(step);
  state.dueAt = reading.moment.tick + state.saveEveryMs;
  record(step);
}

/**
 * Writes a position to the queue. Without a session its account is unknown, and it is not saved.
 * @param {Step} step @param {number} position @param {boolean} [withoutSession]
 */
export function save(step, position, withoutSession = false) {
  const { state } = step;
  if (!state.hasSession) return;
  state.savedPosition = position;
  state.hasSavedStart = position <= NEAR_START_SECONDS;
  state.savedWatched = watchedOf(step);
  // A position before the server's that nobody chose is unsure: the outbox reads the entry first.
  // One second is allowed for seeks that end early. A server position at the end is ignored.
  const isBehind = !(position >= state.serverPosition - 1);
  const unsure = !state.isChosen && isBehind && !(state.serverPosition >= lastSecond(step));
  step.effects.push({
    type: "save",
    keepalive: step.isLeaving,
    save: {
      position,
      watched: state.savedWatched,
      played: Math.floor(state.played),
      chosen: state.isChosen,
      withoutSession,
      unsure,
      resumed: state.isResumeKnown,
      ended: hasEnded(step),
      ...state.reachedAt,
    },
  });
}

/** @param {Step} step */
export function saveStart(step) {
  step.state.isStartOverPending = false;
  step.state.reachedAt = step.reading.moment;
  if (!step.state.isForgetting) save(step, 0, true);
}
