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
 *   hasSession: boolean, serverPosition: number, serverDuration: number | null, resumeTarget:
 *   number, seekTarget: number, startedAt: number, playbackStart: number, lastPosition: number, savedPosition: number,
 *   hasSavedStart: boolean, savedWatched: number, watchedBefore: number, isChosen: boolean,
 *   isStartOverPending: boolean, isForgetting: boolean, hasLooped: boolean, isCutOff: boolean,
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
export function initialState(resume: boolean, reading: Reading, startedAt?: number): PlayerState;
/**
 * @param {PlayerState} state is left as it is
 * @param {PlayerEvent} event @param {Reading} reading of the element, at the event
 * @returns {{ state: PlayerState, effects: PlayerEffect[] }} effects in the order to carry them out
 */
export function transition(state: PlayerState, event: PlayerEvent, reading: Reading): {
    state: PlayerState;
    effects: PlayerEffect[];
};
/**
 * @type {{ [T in PlayerEvent["type"]]:
 *   Record<Phase, (step: Step, event: Extract<PlayerEvent, { type: T }>) => void> }}
 */
export const TRANSITIONS: { [T in PlayerEvent["type"]]: Record<Phase, (step: Step, event: Extract<PlayerEvent, {
    type: T;
}>) => void>; };
export type PlayheadEvent = import("../playhead.js").PlayheadEvent;
export type PlayerSave = import("./outbox.js").PlayerSave;
export type Playback = import("./playback.js").Playback;
export type Reading = import("./playback.js").Reading;
export type Moment = import("./queue.js").Moment;
export type PlayheadError = import("./request.js").PlayheadError;
export type Phase = "waiting" | "resuming" | "following" | "suspended" | "closed";
/**
 * `watched` of a history: seconds watched in all. `kept`: a save of an earlier player session that
 * still waits in this browser's queue.
 */
export type PlayerState = {
    phase: Phase;
    history: "unknown" | "overdue" | "local" | "server";
    resume: boolean;
    hasSession: boolean;
    serverPosition: number;
    serverDuration: number | null;
    resumeTarget: number;
    seekTarget: number;
    startedAt: number;
    playbackStart: number;
    lastPosition: number;
    savedPosition: number;
    hasSavedStart: boolean;
    savedWatched: number;
    watchedBefore: number;
    isChosen: boolean;
    isStartOverPending: boolean;
    isForgetting: boolean;
    hasLooped: boolean;
    isCutOff: boolean;
    cutOffAt: number;
    wasPaused: boolean;
    isReloading: boolean;
    fragment: string | null;
    reachedAt: Moment;
    playback: Playback;
};
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
 */
export type PlainEvent = "loadedmetadata" | "durationchange" | "progress" | "change" | "playing" | "pause" | "ended" | "seeking" | "seeked" | "emptied" | "interval" | "leave" | "overdue" | "sessionOpened" | "startOver" | "forget" | "forgotten" | "forgetFailed" | "suspend" | "unsuspend";
/**
 * `keepalive`: the page may be about to go away.
 */
export type PlayerEvent = { [T in PlainEvent]: {
    type: T;
}; }[PlainEvent] | {
    type: "durationRead";
    duration: number | null;
} | {
    type: "historyRead";
    resumeAt: number;
    watched: number;
} | {
    type: "historyDelayed";
    kept?: {
        position: number;
        watched: number;
    };
    retryInMs: number;
    error: PlayheadError;
} | {
    type: "historyRefused";
    error: PlayheadError;
} | {
    type: "saveAnswered";
    answer: PlayheadEvent;
} | {
    type: "goTo";
    position: number;
} | {
    type: "detach";
    save: boolean;
};
/**
 * One transition under way: `state` is a copy that the actions change.
 */
export type PlayerEffect = {
    type: "seek";
    to: number;
} | {
    type: "save";
    save: PlayerSave;
    keepalive: boolean;
} | {
    type: "flush";
} | {
    type: "report";
    event: PlayheadEvent;
} | {
    type: "startInterval" | "stopInterval";
} | {
    type: "retryHistory";
    inMs: number;
} | {
    type: "close";
};
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
 */
export type Step = {
    state: PlayerState;
    reading: Reading;
    effects: PlayerEffect[];
};
export type Act<E> = (step: Step, event: E) => void;
