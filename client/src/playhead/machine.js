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
 * | event          | waiting          | resuming          | following       | suspended  | closed |
 * |----------------|------------------|-------------------|-----------------|------------|--------|
 * | loadedmetadata | read, start      | read              | read            | -          | -      |
 * | durationchange | note             | note              | note            | -          | -      |
 * | progress       | count, start     | count             | count           | -          | -      |
 * | change         | count            | count             | count           | -          | -      |
 * | playing        | count, timer on  | count, timer on   | count, timer on | -          | -      |
 * | pause          | count, timer off | count, timer off  | save, timer off | -          | -      |
 * | ended          | count, timer off | count, timer off  | save, timer off | -          | -      |
 * | seeking        | choose           | own: -            | choose          | -          | -      |
 * |                |                  | else choose, wait |                 |            |        |
 * | seeked         | start            | start             | save            | -          | -      |
 * | emptied        | reset            | reset, waiting    | reset, waiting  | -          | -      |
 * | interval       | count            | count             | save            | -          | -      |
 * | leave          | start, save      | count             | save            | flush      | -      |
 * | overdue        | note, start      | note              | note            | note       | -      |
 * | sessionOpened  | note             | note              | note, save      | note       | -      |
 * | durationRead   | note             | note              | note, save end  | note       | -      |
 * | historyRead    | note, start      | note              | note; further:  | note       | -      |
 * |                |                  |                   | wait, start     |            |        |
 * | historyDelayed | retry, start     | retry             | retry           | retry      | -      |
 * | historyRefused | closed           | closed            | closed          | closed     | -      |
 * | saveAnswered   | report           | the same          | the same        | the same   | report |
 * | startOver      | choose 0         | choose 0, wait    | choose 0, save  | choose 0   | seek 0 |
 * | goTo           | choose           | choose, wait      | choose          | choose     | seek   |
 * | forget         | hold saves       | hold saves        | hold saves      | hold saves | -      |
 * | forgotten      | go on            | go on             | go on           | go on      | -      |
 * | forgetFailed   | go on            | go on             | go on           | go on      | -      |
 * | suspend        | suspend          | suspend           | save, suspend   | -          | -      |
 * | unsuspend      | -                | -                 | -               | start      | -      |
 * | detach         | leave, closed    | closed            | save, closed    | closed     | -      |
 *
 * A seek is chosen by the viewer unless the player or a looping browser began it. startOver and
 * goTo are always chosen, and seek there.
 *
 * Events of the element have their own names, but "canplay" and "timeupdate" come as progress, and
 * "ratechange", "play" and "waiting" as change. The others:
 * - interval: the timer between saves
 * - leave: the page is hidden or about to go away
 * - overdue: the history was not read in time
 * - sessionOpened: the account is known, so saves can go to the queue
 * - durationRead, historyRead, historyDelayed, historyRefused: the server's answers; a delayed
 *   history is read again later
 * - saveAnswered: what the outbox reports
 * - startOver, goTo, forget, suspend, unsuspend, detach: the page has called the handle
 * - forgotten, forgetFailed: the outcome of forget
 */
import * as actions from "./actions.js";
import {
  announceDuration,
  extendDuration,
  fragmentOf,
  isBeginningAgain,
  newPlayback,
} from "./playback.js";
import { count, record } from "./saving.js";
import { suspend, unsuspend } from "./suspension.js";

/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./outbox.js").PlayerSave} PlayerSave */
/** @typedef {import("./playback.js").Playback} Playback */
/** @typedef {import("./playback.js").Reading} Reading */
/** @typedef {import("./queue.js").Moment} Moment */
/** @typedef {import("./request.js").PlayheadError} PlayheadError */
/** @typedef {"waiting" | "resuming" | "following" | "suspended" | "closed"} Phase */

/**
 * Positions and durations are seconds.
 * - history: "unknown" at first; "overdue" when no answer came in time; "local" when the position
 *   comes from this browser's queue; "server" when the server has answered
 * - resume: whether the viewer is taken to the resume position
 * - hasSession: whether saves can be written to the queue
 * - serverPosition: resume position of the server: NaN until loaded, 0 if `resume` is off
 * - serverDuration: duration of the video as the server has it, null while unknown
 * - resumeTarget: the position to take the viewer to, 0 for none
 * - seekTarget: the target of the player's last seek, NaN for none
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
 * @typedef {{ phase: Phase, history: "unknown" | "overdue" | "local" | "server", resume: boolean,
 *   hasSession: boolean, serverPosition: number, serverDuration: number | null,
 *   resumeTarget: number, seekTarget: number, startedAt: number, playbackStart: number,
 *   lastPosition: number, savedPosition: number, hasSavedStart: boolean, savedWatched: number,
 *   watchedBefore: number, isChosen: boolean, isStartOverPending: boolean,
 *   isForgetting: boolean, hasLooped: boolean, isCutOff: boolean,
 *   cutOffAt: number, wasPaused: boolean, isReloading: boolean, fragment: string | null, reachedAt:
 *   Moment, playback: Playback
 * }} PlayerState
 *
 * `watched` of a history: seconds watched in all. `kept`: a save of an earlier player session that
 * still waits in this browser's queue.
 * @typedef {"loadedmetadata" | "durationchange" | "progress" | "change" | "playing" | "pause"
 *   | "ended" | "seeking" | "seeked" | "emptied" | "interval" | "leave" | "overdue"
 *   | "sessionOpened" | "startOver" | "forget" | "forgotten" | "forgetFailed" | "suspend"
 *   | "unsuspend"} PlainEvent
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
 *   | { type: "save", save: PlayerSave, keepalive: boolean }
 *   | { type: "flush" }
 *   | { type: "report", event: PlayheadEvent }
 *   | { type: "startInterval" | "stopInterval" }
 *   | { type: "retryHistory", inMs: number }
 *   | { type: "close" }} PlayerEffect
 *
 * One transition under way: `state` is a copy that the actions change.
 * @typedef {{ state: PlayerState, reading: Reading, effects: PlayerEffect[] }} Step
 */
/** @template E @typedef {(step: Step, event: E) => void} Act */

/**
 * The state of a player that has just been attached.
 * @param {boolean} resume whether the viewer is taken to the resume position
 * @param {Reading} reading
 * @param {number} [startedAt] the second at which the page has the player begin, NaN for none
 * @returns {PlayerState}
 */
export function initialState(resume, reading, startedAt = NaN) {
  /** @type {PlayerState} */
  const state = {
    phase: "waiting",
    history: "unknown",
    resume,
    hasSession: false,
    serverPosition: resume ? NaN : 0,
    serverDuration: null,
    resumeTarget: 0,
    seekTarget: NaN,
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
    playback: newPlayback(),
  };
  if (!reading.hasMetadata) return state;
  const step = { state, reading, effects: [] };
  announceDuration(state.playback, reading);
  count(step);
  state.fragment = fragmentOf(reading.source);
  if (!actions.hasStarted(step) && state.fragment !== null) actions.chooseCurrent(step);
  return state;
}

/**
 * @param {PlayerState} state is left as it is
 * @param {PlayerEvent} event @param {Reading} reading of the element, at the event
 * @returns {{ state: PlayerState, effects: PlayerEffect[] }} effects in the order to carry them out
 */
export function transition(state, event, reading) {
  /** @type {Step} */
  const step = { state: { ...state, playback: { ...state.playback } }, reading, effects: [] };
  /** @type {(step: Step, event: any) => void} */
  const act = TRANSITIONS[event.type][state.phase];
  act(step, event);
  if (!isBeginningAgain(reading)) step.state.wasPaused = reading.paused;
  return { state: step.state, effects: step.effects };
}

const nothing = () => {};

/** In the states in which the element has the video. @template E @param {Act<E>} act */
const whilePlaying = (act) => ({
  ...{ waiting: act, resuming: act, following: act },
  ...{ suspended: nothing, closed: nothing },
});

/** The same in every state but closed. @template E @param {Act<E>} act */
const whileOpen = (act) => ({ ...whilePlaying(act), suspended: act });

/**
 * @type {{ [T in PlayerEvent["type"]]:
 *   Record<Phase, (step: Step, event: Extract<PlayerEvent, { type: T }>) => void> }}
 */
export const TRANSITIONS = {
  loadedmetadata: whilePlaying(actions.readSource),
  durationchange: whilePlaying(({ state, reading }) => extendDuration(state.playback, reading)),
  progress: whilePlaying((step) => {
    count(step);
    actions.start(step);
  }),
  change: whilePlaying(count),
  playing: whilePlaying((step) => {
    count(step);
    step.effects.push({ type: "startInterval" });
  }),
  pause: whilePlaying((step) => {
    step.effects.push({ type: "stopInterval" });
    record(step);
  }),
  ended: whilePlaying(actions.end),
  seeking: whilePlaying(actions.seek),
  seeked: {
    waiting: (step) => actions.start(step),
    resuming: actions.endResume,
    following(step) {
      if (!step.state.hasLooped) record(step, { isDeliberate: true });
    },
    suspended: nothing,
    closed: nothing,
  },
  emptied: whilePlaying(actions.reset),
  interval: whilePlaying((step) => record(step)),
  leave: whileOpen(actions.leave),
  overdue: whileOpen((step) => {
    if (step.state.history === "unknown") step.state.history = "overdue";
    actions.start(step);
  }),
  sessionOpened: {
    ...whileOpen(rememberSession),
    following(step) {
      rememberSession(step);
      record(step, { isDeliberate: step.state.isChosen });
    },
  },
  durationRead: whileOpen((step, { duration }) => {
    step.state.serverDuration = duration;
    // The video may have ended by its file already.
    if (step.reading.ended) record(step);
  }),
  historyRead: whileOpen(actions.readHistory),
  historyDelayed: whileOpen(actions.delayHistory),
  historyRefused: whileOpen(actions.refuseHistory),
  saveAnswered: { ...whileOpen(actions.reportAnswer), closed: actions.reportAnswer },
  startOver: {
    ...whileOpen(actions.startOver),
    closed: (step) => seekTo(step, { position: 0 }),
  },
  goTo: { ...whileOpen(actions.goTo), closed: seekTo },
  forget: whileOpen(({ state }) => {
    // A save during the deletion would bring the history back.
    state.isForgetting = true;
    state.savedPosition = -1;
  }),
  forgotten: whileOpen(actions.finishForgetting),
  forgetFailed: whileOpen(({ state }) => {
    state.isForgetting = false;
  }),
  suspend: whilePlaying(suspend),
  unsuspend: { ...whilePlaying(nothing), suspended: unsuspend },
  detach: whileOpen((step, { save }) => {
    if (save) actions.leave(step);
    actions.close(step);
  }),
};

/** @param {Step} step */
function rememberSession({ state }) {
  state.hasSession = true;
}

/** @param {Step} step @param {{ position: number }} target */
function seekTo({ reading, effects }, { position }) {
  if (reading.hasMetadata) effects.push({ type: "seek", to: position });
}
