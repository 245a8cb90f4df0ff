/**
 * The player as a state machine. `transition` takes a state, an event and a reading of the element,
 * and returns the next state and the effects that the player then carries out. It has no element,
 * no network and no timers, so tests run through it in milliseconds.
 *
 * States:
 * - waiting: the resume position or the metadata is missing, or the video is not loaded far enough
 * - resuming: the player seeks to the resume position
 * - following: the element is where the viewer is meant to be, so its positions are saved
 * - suspended: the element plays something else, such as an advertisement
 * - closed: nothing is saved any more
 *
 * What each event does in each state. "wait" goes to waiting, and "start" from there or from
 * resuming on to resuming or following, once the history and the metadata are there. "save" saves
 * the position if it is new. A dash does nothing.
 *
 * | event          | waiting     | resuming          | following       | suspended  | closed |
 * |----------------|-------------|-------------------|-----------------|------------|--------|
 * | loadedmetadata | read, start | read              | read            | -          | -      |
 * | durationchange | note        | note              | note            | -          | -      |
 * | canplay        | start       | count             | save if due     | -          | -      |
 * | timeupdate     | start       | count             | save if due     | -          | -      |
 * | ratechange     | count       | count             | count           | -          | -      |
 * | play, playing, | count       | count             | count           | -          | -      |
 * | waiting        |             |                   |                 |            |        |
 * | pause, ended   | count       | count             | save            | -          | -      |
 * | seeking        | choose      | own: -            | choose          | -          | -      |
 * |                |             | else choose, wait |                 |            |        |
 * | seeked         | start       | start             | save            | -          | -      |
 * | emptied        | reset       | reset, waiting    | reset, waiting  | -          | -      |
 * | leave          | start, save | count             | save            | flush      | -      |
 * | sessionOpened  | note        | note              | note, save      | note       | -      |
 * | durationRead   | note        | note              | note, save end  | note       | -      |
 * | historyRead    | note, start | note              | note; further:  | note       | -      |
 * |                |             |                   | wait, start     |            |        |
 * | historyDelayed | retry,start | retry             | retry           | retry      | -      |
 * | historyRefused | closed      | closed            | closed          | closed     | -      |
 * | saveAnswered   | report      | report            | report          | report     | report |
 * | startOver      | choose 0    | choose 0, wait    | choose 0, save  | choose 0   | -      |
 * | goTo           | choose      | choose, wait      | choose          | choose     | -      |
 * | forget         | hold saves  | hold saves        | hold saves      | hold saves | -      |
 * | forgotten      | go on       | go on             | go on           | go on      | -      |
 * | forgetFailed   | go on       | go on             | go on           | go on      | -      |
 * | suspend        | suspend     | suspend           | save, suspend   | -          | -      |
 * | unsuspend      | -           | -                 | -               | start      | -      |
 * | detach         | leave,closed| closed            | save, closed    | closed     | -      |
 *
 * When playback begins, the next save is due `saveEveryMs` later. It goes on after a stall without
 * beginning, so that many stalls do not put the save off.
 *
 * A seek is chosen by the viewer unless the player or a looping browser began it. startOver and
 * goTo are always chosen; the player seeks there.
 *
 * Events of the element have their own names. The others:
 * - leave: the page is hidden or about to go away
 * - sessionOpened: the account is known, so saves can go to the queue
 * - durationRead, historyRead, historyDelayed, historyRefused: the server's answers; a delayed
 *   history is read again later
 * - saveAnswered: what the outbox reports
 * - startOver, goTo, suspend, unsuspend, detach: the page has called the handle
 * - forget, forgotten, forgetFailed: the page deletes the entry, and what came of it
 */
import * as actions from "./actions.js";
import {
  announceDuration,
  extendDuration,
  fragmentOf,
  isBeginningAgain,
  isCutShort,
  newPlayback,
} from "./playback.js";
import { count, record, recordWhenDue } from "./saving.js";
import { suspend, unsuspend } from "./suspension.js";

/** @typedef {import("../playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./outbox.js").PlayerSave} PlayerSave */
/** @typedef {import("./playback.js").Playback} Playback */
/** @typedef {import("./playback.js").Reading} Reading */
/** @typedef {import("./queue.js").Moment} Moment */
/** @typedef {import("./request.js").PlayheadError} PlayheadError */
/** @typedef {"waiting" | "resuming" | "following" | "suspended" | "closed"} Phase */

/**
 * Positions and durations are seconds.
 * - isResumeKnown: the resume position was read, from the server or from this browser's queue
 * - resume: whether the viewer is taken to the resume position
 * - saveEveryMs: milliseconds between saves while playing
 * - dueAt: the `tick` at which the next of them is due
 * - overdueAt: the `tick` from which the history is not waited for
 * - hasSession: whether saves can be written to the queue
 * - serverPosition: resume position of the server: NaN until loaded, 0 if `resume` is off
 * - resumeTarget: the position to take the viewer to, 0 for none
 * - seekTarget: the target of the player's last seek, NaN for none
 * - isSeekAwaited: its "seeking" event has not come yet
 * - startedAt: where the page has the player begin, NaN for nowhere and once it has begun
 * - playbackStart: where playback began
 * - lastPosition: the position at the last reading
 * - savedPosition: the newest position in the queue, -1 for none
 * - hasSavedStart: that position was saved, and is near the start
 * - savedWatched: whole seconds watched in the newest save
 * - watchedBefore: seconds watched before this player session
 * - isChosen: the viewer chose the position
 * - isStartOverPending: the start is to be saved once the player follows
 * - isForgetting: the history is being deleted
 * - hasLooped: the video was played to its end and goes on from its start by itself
 * - isCutOff: the browser reports the end of a video whose file ended too early
 * - cutOffAt: where that file ended, while it is played from its start again by itself; 0 otherwise
 * - wasPaused: the element was paused at the last event that was not of a seek to the start
 * - isReloading: the page loads the same video again, which goes on where it was
 * - fragment: what the address of the file says about where to begin
 * - reachedAt: when the position last moved by playing or seeking
 * @typedef {{ phase: Phase, isResumeKnown: boolean, resume: boolean, saveEveryMs: number,
 *   dueAt: number, overdueAt: number, hasSession: boolean, serverPosition: number,
 *   resumeTarget: number, seekTarget: number, isSeekAwaited: boolean, startedAt: number,
 *   playbackStart: number, lastPosition: number, savedPosition: number, hasSavedStart: boolean,
 *   savedWatched: number, watchedBefore: number, isChosen: boolean, isStartOverPending: boolean,
 *   isForgetting: boolean, hasLooped: boolean, isCutOff: boolean, cutOffAt: number,
 *   wasPaused: boolean, isReloading: boolean, fragment: string | null,
 *   reachedAt: Moment } & Playback} PlayerState
 *
 * `watched` of a history: seconds watched in all. `kept`: a save of an earlier player session that
 * still waits in this browser's queue.
 * @typedef {"loadedmetadata" | "durationchange" | "canplay" | "timeupdate" | "ratechange" | "play"
 *   | "waiting" | "playing" | "pause" | "ended" | "seeking" | "seeked" | "emptied"} ElementEvent
 * @typedef {ElementEvent | "leave" | "sessionOpened" | "startOver" | "forget" | "forgotten"
 *   | "forgetFailed" | "suspend" | "unsuspend"} PlainEvent
 * @typedef {{ [T in PlainEvent]: { type: T } }[PlainEvent]
 *   | { type: "durationRead", duration: number | null }
 *   | { type: "historyRead", resumeAt: number, watched: number }
 *   | { type: "historyDelayed", kept?: { position: number, watched: number }, retryInMs: number,
 *       error: PlayheadError }
 *   | { type: "historyRefused", error: PlayheadError }
 *   | { type: "saveAnswered", answer: PlayheadEvent }
 *   | { type: "goTo", position: number }
 *   | { type: "detach", save: boolean }} PlayerEvent
 *
 * `keepalive`: the page may be about to go away.
 * @typedef {{ type: "seek", to: number }
 *   | { type: "save", save: PlayerSave, keepalive?: boolean }
 *   | { type: "flush" }
 *   | { type: "report", event: PlayheadEvent }
 *   | { type: "retryHistory", inMs: number }} PlayerEffect
 *
 * One transition under way: `state` is a copy that the actions change. `isLeaving`: the page may be
 * about to go away.
 * @typedef {{ state: PlayerState, reading: Reading, effects: PlayerEffect[],
 *   isLeaving?: boolean }} Step
 */

/** How long the history is waited for. */
const OVERDUE_MS = 10_000;

/**
 * The state of a player that has just been attached.
 * @param {Reading} reading
 * @param {Pick<AttachOptions, "resume" | "startedAt" | "saveEveryMs">} options
 * @returns {PlayerState}
 */
export function initialState(reading, options) {
  const { resume = true, startedAt = NaN, saveEveryMs = 10_000 } = options;
  /** @type {PlayerState} */
  const state = {
    phase: "waiting",
    isResumeKnown: false,
    resume,
    saveEveryMs,
    dueAt: 0,
    overdueAt: reading.moment.tick + OVERDUE_MS,
    hasSession: false,
    serverPosition: resume ? NaN : 0,
    resumeTarget: 0,
    seekTarget: NaN,
    isSeekAwaited: false,
    startedAt,
    playbackStart: 0,
    lastPosition: 0,
    savedPosition: -1,
    hasSavedStart: false,
    savedWatched: 0,
    watchedBefore: 0,
    isChosen: false,
    isStartOverPending: false,
    isForgetting: false,
    hasLooped: false,
    isCutOff: false,
    cutOffAt: 0,
    wasPaused: reading.paused,
    isReloading: false,
    fragment: null,
    reachedAt: reading.moment,
    ...newPlayback(),
  };
  if (!reading.hasMetadata) return state;
  const step = { state, reading, effects: [] };
  announceDuration(state, reading);
  count(step);
  state.fragment = fragmentOf(reading.source);
  if (!actions.hasStarted(step) && state.fragment !== null) actions.chooseCurrent(step);
  return state;
}

/**
 * @param {PlayerState} state is left as it is
 * @param {PlayerEvent} event @param {Reading} reading of the element, at the event
 * @returns {Step} effects in the order to carry them out
 */
export function transition(state, event, reading) {
  const step = { state: { ...state }, reading, effects: [] };
  if (isIgnored(event.type, state.phase)) return step;
  /** @type {(step: Step, event: any) => void} */
  const act = ACTIONS[event.type];
  actions.noticeCut(step);
  act(step, event);
  // After its "ended" event the element may have begun again already.
  const isAtEnd = reading.ended || event.type === "ended";
  if (isAtEnd && step.state.phase !== "suspended") step.state.isCutOff = isCutShort(step.state, reading);
  if (isBeginningAgain(reading)) return step;
  if (state.wasPaused && !reading.paused) step.state.dueAt = reading.moment.tick + state.saveEveryMs;
  step.state.wasPaused = reading.paused;
  return step;
}

/** @param {PlayerEvent["type"]} type @param {Phase} phase */
function isIgnored(type, phase) {
  if (phase === "closed") return type !== "saveAnswered";
  if (phase !== "suspended") return type === "unsuspend";
  return type === "suspend" || type in ELEMENT_ACTIONS;
}

/**
 * What the events of the element do. While suspended, it sends those of something else.
 * @type {Record<ElementEvent, (step: Step) => void>}
 */
const ELEMENT_ACTIONS = {
  loadedmetadata: actions.readSource,
  durationchange: ({ state, reading }) => extendDuration(state, reading),
  canplay: progress,
  timeupdate: progress,
  ratechange: count,
  play: count,
  waiting: count,
  playing: count,
  pause: record,
  ended: record,
  seeking: actions.seek,
  seeked: actions.endSeek,
  emptied: actions.reset,
};
/** The names of these events. */
export const ELEMENT_EVENTS = /** @type {ElementEvent[]} */ (Object.keys(ELEMENT_ACTIONS));

/**
 * What the events do where they are not ignored.
 * @type {{ [T in PlayerEvent["type"]]:
 *   (step: Step, event: Extract<PlayerEvent, { type: T }>) => void }}
 */
export const ACTIONS = {
  ...ELEMENT_ACTIONS,
  leave: actions.leave,
  sessionOpened(step) {
    step.state.hasSession = true;
    record(step);
  },
  durationRead(step, { duration }) {
    step.state.serverDuration = duration;
    // The video may have ended by its file already.
    if (step.reading.ended) record(step);
  },
  historyRead: actions.readHistory,
  historyDelayed: actions.delayHistory,
  historyRefused: actions.refuseHistory,
  saveAnswered: actions.report,
  startOver: actions.startOver,
  goTo: actions.goTo,
  forget({ state }) {
    // A save during the deletion would bring the history back.
    state.isForgetting = true;
    state.savedPosition = -1;
  },
  forgotten: actions.finishForgetting,
  forgetFailed({ state }) {
    state.isForgetting = false;
  },
  suspend,
  unsuspend,
  detach(step, { save }) {
    if (save) actions.leave(step);
    step.state.phase = "closed";
  },
};

/** @param {Step} step */
function progress(step) {
  recordWhenDue(step);
  actions.start(step);
}
