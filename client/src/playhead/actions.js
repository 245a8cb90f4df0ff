/**
 * What the transitions of the state machine do. The functions change the state of a step, and add
 * effects to it.
 */
import { finalState } from "./answers.js";
import {
  announceDuration,
  fragmentOf,
  hasBeenAtEnd,
  isAtStart,
  isBeginningAgain,
  isStartFragment,
  loopReason,
  resetPlayback,
  startSeek,
} from "./playback.js";
import {
  hasEnded,
  isLate,
  lastSecond,
  positionOf,
  record,
  save,
  saveStart,
} from "./saving.js";

/** @typedef {import("./machine.js").PlayerEvent} PlayerEvent */
/** @typedef {import("./machine.js").Step} Step */

/** Without an answer of the server, positions are saved from this second of the video on. */
const ALONE_SECONDS = 10;
/** A seek of the player may end this far from its target. */
export const SEEK_TOLERANCE_SECONDS = 2;

/** @param {Step} step @param {number} second */
const isSeekable = ({ reading: { seekable } }, second) =>
  seekable !== null && seekable[0] <= second && second <= seekable[1];

/**
 * Resumes, or follows where the element is, once history and metadata are there: a seek before the
 * metadata would be lost.
 * @param {Step} step
 */
export function start(step) {
  const { state, reading } = step;
  if (state.phase !== "waiting" || !reading.hasMetadata) return;
  if (reading.seeking && hasStarted(step)) return;
  // An overdue answer is not waited for once it could no longer move the viewer.
  const isOverdue = reading.moment.tick >= state.overdueAt;
  const isAlone = isOverdue && reading.currentTime >= ALONE_SECONDS;
  if (!state.isResumeKnown && !state.isChosen && !isAlone) return;
  const { resumeTarget, seekTarget } = state;
  const isNewTarget = resumeTarget > 0 && resumeTarget !== seekTarget;
  const isElsewhere = isNewTarget && resumeTarget < lastSecond(step) && !isLate(step);
  if (isElsewhere && isSeekable(step, resumeTarget)) {
    state.phase = "resuming";
    state.seekTarget = resumeTarget;
    state.isSeekAwaited = true;
    step.effects.push({ type: "seek", to: resumeTarget });
  } else if (!isElsewhere || positionOf(step) >= resumeTarget) {
    follow(step);
  } // Otherwise more of the video has to be loaded first.
}

/** From here on the positions are saved. @param {Step} step */
function follow(step) {
  const { state } = step;
  state.phase = "following";
  state.startedAt = NaN;
  const position = positionOf(step);
  if (hasEnded(step)) state.savedPosition = -1;
  else if (!state.isChosen) state.savedPosition = state.playbackStart || position;
  const resumedAt = position === state.playbackStart ? position : 0;
  report(step, { answer: { state: "ready", position: resumedAt } });
  if (state.isStartOverPending) saveStart(step);
  else record(step);
}

/**
 * The viewer goes somewhere, perhaps while the player seeks.
 * @param {Step} step @param {number} position
 */
function choose({ state }, position) {
  if (!state.isChosen) state.savedPosition = -1;
  if (state.phase === "resuming") state.phase = "waiting";
  state.isChosen = true;
  state.hasLooped = false;
  state.isCutOff = false;
  state.cutOffAt = 0;
  state.resumeTarget = 0;
  state.startedAt = NaN;
  state.lastPosition = position;
}

/**
 * The source or the page begins the video at the current position, which is saved once the video is
 * played from there.
 * @param {Step} step
 */
export function chooseCurrent(step) {
  choose(step, step.reading.currentTime);
  step.state.savedPosition = Math.floor(step.reading.currentTime);
}

/**
 * Whether the player begins where the page has told it to, or at the start because it cannot seek
 * there. Nobody chose that.
 * @param {Step} step
 */
export function hasStarted(step) {
  const { state, reading } = step;
  const { startedAt } = state;
  if (state.phase !== "waiting" || Number.isNaN(startedAt)) return false;
  const isThere = Math.abs(reading.currentTime - startedAt) < SEEK_TOLERANCE_SECONDS;
  if (!isThere) return isAtStart(reading) && !isSeekable(step, startedAt);
  state.seekTarget = startedAt;
  state.playbackStart = startedAt;
  return true;
}

/**
 * The metadata has arrived. By then a browser has begun to seek to what the source names, or to a
 * position that the page set before.
 * @param {Step} step
 */
export function readSource(step) {
  const { state, reading } = step;
  announceDuration(state, reading);
  const before = state.fragment;
  state.fragment = fragmentOf(reading.source);
  const isSame = state.isReloading && state.fragment === before;
  state.isReloading = false;
  const isElsewhere = reading.seeking || isStartFragment(state.fragment);
  const isChoice = !isSame && state.phase !== "resuming" && isElsewhere;
  if (!hasStarted(step) && isChoice) chooseCurrent(step);
  start(step);
}

/**
 * A seek has begun, by the player, by a browser that loops, or by the viewer.
 * @param {Step} step
 */
export function seek(step) {
  const { state, reading } = step;
  const isRestart = state.isCutOff && isAtStart(reading);
  const loop = isRestart ? "cut" : loopReason(state, reading);
  const isSought = state.phase === "resuming" || state.isSeekAwaited;
  const isOwn = isSought ? isAtTarget(step) : hasStarted(step);
  // An element at its end may have left the target already. Then that of others is unknown.
  const isPast = reading.ended && (isOwn || !reading.seeking);
  const target = isOwn ? state.seekTarget : state.position;
  startSeek(state, isPast ? { ...reading, currentTime: target } : reading);
  state.reachedAt = reading.moment;
  if (isOwn) state.isSeekAwaited = false;
  if (isOwn || isPast) return;
  if (loop === "end") loopFromEnd(step);
  else if (loop === "cut") loopFromCut(step);
  else choose(step, positionOf(step));
}

/**
 * Whether the element is where the player has sought to, or at the end of a file that ends before.
 * @param {Step} step
 */
const isAtTarget = ({ state, reading }) =>
  reading.ended || Math.abs(reading.currentTime - state.seekTarget) < SEEK_TOLERANCE_SECONDS;

/** @param {Step} step */
function loopFromEnd(step) {
  if (step.state.hasLooped) return;
  step.state.hasLooped = true;
  record(step);
}

/** @param {Step} step */
function loopFromCut(step) {
  const { state } = step;
  state.isCutOff = true;
  state.cutOffAt = Math.max(1, state.cutOffAt, state.lastPosition);
  const isNew = state.lastPosition > 0 && state.lastPosition !== state.savedPosition;
  if (state.phase === "following" && isNew) save(step, state.lastPosition);
}

/**
 * The file ends before the resume position if the element begins again there by being played, or by
 * looping. That may happen before any event says that it has ended.
 * @param {Step} step
 */
export function noticeCut({ state, reading }) {
  const isByItself =
    reading.loop || (state.wasPaused && !reading.paused) || hasBeenAtEnd(reading);
  if (state.phase !== "resuming" || !isByItself || !isBeginningAgain(reading)) return;
  state.isCutOff = true;
  state.lastPosition = state.seekTarget;
}

/** A seek has ended. @param {Step} step */
export function endSeek(step) {
  const { state, reading } = step;
  if (state.phase === "resuming") {
    if (reading.seeking && isAtTarget(step)) return; // it was an earlier seek that has ended
    state.playbackStart = state.seekTarget;
    state.phase = "waiting";
  }
  start(step); // a newer position may have arrived meanwhile
  if (!state.hasLooped) record(step);
}

/** Another file is loaded, or the same one again. @param {Step} step */
export function reset({ state }) {
  // The viewer goes on where they were; the position 0 of a reload is not theirs.
  state.isReloading = state.phase === "following" || state.isChosen;
  if (state.isReloading) state.resumeTarget = state.lastPosition;
  state.phase = "waiting";
  state.hasLooped = false;
  state.isCutOff = false;
  state.playbackStart = state.resumeTarget;
  state.seekTarget = NaN;
  state.isSeekAwaited = false;
  resetPlayback(state);
}

/** The page may be about to go away. @param {Step} step */
export function leave(step) {
  const { phase } = step.state;
  step.isLeaving = true;
  if (phase === "suspended") step.effects.push({ type: "flush" });
  start(step);
  // The reading is older than a seek that has just begun.
  const hasBegunSeek = phase === "waiting" && step.state.phase === "resuming";
  if (!hasBegunSeek) record(step);
}

/**
 * A resume position is known, from the server or from this browser's queue.
 * @param {Step} step @param {number} resumeAt @param {number} watched seconds watched before
 */
function learnResume(step, resumeAt, watched) {
  const { state } = step;
  state.isResumeKnown = true;
  // What was saved before the history was read is part of its sum already.
  if (watched > state.watchedBefore + state.played) state.watchedBefore = watched;
  if (state.resume && !state.isChosen) state.resumeTarget = resumeAt;
  // A viewer who began at the start because no answer came is still taken to their position.
  const isFurther = !state.isChosen && state.resumeTarget > positionOf(step);
  if (state.phase === "following" && isFurther && !isLate(step)) state.phase = "waiting";
  start(step);
}

/** @param {Step} step @param {Extract<PlayerEvent, { type: "historyRead" }>} event */
export function readHistory(step, { resumeAt, watched }) {
  const { state } = step;
  if (state.resume) state.serverPosition = resumeAt;
  learnResume(step, state.serverPosition, watched);
}

/** @param {Step} step @param {Extract<PlayerEvent, { type: "historyDelayed" }>} event */
export function delayHistory(step, { kept, retryInMs, error }) {
  const { state, effects } = step;
  if (kept && !state.isResumeKnown) learnResume(step, kept.position, kept.watched);
  effects.push({ type: "retryHistory", inMs: retryInMs });
  if (state.isResumeKnown) return;
  state.overdueAt = 0;
  report(step, { answer: { state: "retrying", position: 0, retryInMs, error } });
}

/**
 * The history cannot be read: a save could overwrite it.
 * @param {Step} step @param {Extract<PlayerEvent, { type: "historyRefused" }>} event
 */
export function refuseHistory(step, { error }) {
  report(step, { answer: { state: finalState(error), position: 0, error } });
  step.state.phase = "closed";
}

/** @param {Step} step @param {{ answer: import("../playhead.js").PlayheadEvent }} event */
export function report(step, { answer }) {
  if (answer.state === "gone" || answer.state === "signed-out") step.state.phase = "closed";
  step.effects.push({ type: "report", event: answer });
}

/** @param {Step} step */
export function startOver(step) {
  step.state.isStartOverPending = true;
  choose(step, 0);
  if (step.state.phase === "following") saveStart(step);
}

/** @param {Step} step @param {Extract<PlayerEvent, { type: "goTo" }>} event */
export function goTo(step, { position }) {
  choose(step, position);
  const isThere = step.reading.hasMetadata && step.state.phase !== "suspended";
  if (!isThere) step.state.resumeTarget = position;
}

/** @param {Step} step */
export function finishForgetting(step) {
  const { state } = step;
  state.watchedBefore = 0;
  state.played = 0;
  state.savedWatched = 0;
  state.hasSavedStart = false;
  state.savedPosition = positionOf(step);
  state.isForgetting = false;
}
