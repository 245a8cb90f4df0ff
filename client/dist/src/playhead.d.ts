/**
 * The entry of one viewer and one video. Positions and durations are whole seconds, the percentage
 * is 0 to 100, and timestamps are RFC 3339. `resume_at` is where playback should begin, 0 for the
 * start. `applied` is false if a save changed nothing. "Continue watching" leaves out what is
 * `hidden`. `previous` is the place that was given up last, with its device and time, for `undo`.
 * @typedef {{ position: number, device: string | null, at: string }} PreviousPlace
 */
/**
 * @typedef {{ id: number, user_id: number, video_id: number, watch_position: number,
 *   watch_duration: number, completed: boolean, progress_percentage: number, resume_at: number,
 *   device: string | null, play_count: number, completed_at: string | null,
 *   last_watched_at: string, created_at: string, updated_at: string, hidden: boolean,
 *   previous: PreviousPlace | null, applied?: boolean }} Entry
 */
/**
 * One item of the "continue watching" list.
 * @typedef {{ video_id: number, video_title: string, video_description: string | null,
 *   video_duration: number | null, video_thumbnail_path: string | null, uploader_username: string,
 *   watch_position: number, progress_percentage: number, resume_at: number, device: string | null,
 *   play_count: number, last_watched_at: string,
 *   previous: PreviousPlace | null }} ContinueItem
 */
/** @typedef {import("./playhead/edits.js").Preferences} Preferences */
/** @typedef {import("./playhead/edits.js").Time} Time */
/** @typedef {import("./playhead/lists.js").HistoryItem} HistoryItem */
/** @typedef {import("./playhead/lists.js").Play} Play */
/** @typedef {import("./playhead/lists.js").Recommendation} Recommendation */
/** @typedef {import("./playhead/lists.js").VideoItem} VideoItem */
/** @typedef {import("./playhead/lists.js").ViewingStatistics} ViewingStatistics */
/**
 * Returns an access token, or null when nobody is signed in.
 * - refused: a token that the server has just answered with 401; return a newer one or null
 * - keepalive: the page may be about to go away; answer from memory, without a request
 * @typedef {{ refused?: string, keepalive?: boolean }} TokenRequest
 */
/** @typedef {(request: TokenRequest) => string | null | Promise<string | null>} TokenProvider */
/**
 * - baseUrl: the server's origin and the path below which it is shown, without a slash at the end
 *   (default: the origin of the page)
 * - fetch: another transport
 * - device: the name of this device, for people, such as "Living room"; 1 to 100 characters
 * - getUser: the user of an access token, for tokens that are not the server's own; while it is
 *   unknown, saves are kept in memory only
 * - signal: calls `destroy` when it aborts
 * @typedef {{ getToken: TokenProvider, baseUrl?: string, device?: string,
 *   fetch?: typeof globalThis.fetch, getUser?: (token: string) => string | number | null,
 *   signal?: AbortSignal }} PlayheadOptions
 */
/**
 * What happens to an attached player. `position` is in whole seconds.
 * - ready: the history is read, and playback was taken to `position`; 0: it stays where it was
 * - saved: the server has stored `position`
 * - superseded: the server keeps `position`: it is newer, or nobody chose to go back from it
 * - not-stored: the server has stored nothing: the viewer keeps no history, or has deleted this one
 *   after `position` was reached
 * - retrying: a save (or the first read) has failed and is tried again after `retryInMs`;
 *   `error.status` is 0 if the server was not reached, `kept` says that the save outlives the page
 * - failed: the server has refused the save for good; the position is dropped
 * - gone: the video was deleted; nothing is saved any more
 * - signed-out: no token is accepted; nothing is saved any more, and waiting saves go out when the
 *   user is back
 * @typedef {"ready" | "saved" | "superseded" | "not-stored" | "retrying" | "failed" | "gone"
 *   | "signed-out"} PlayheadState
 */
/**
 * @typedef {{ state: PlayheadState, position: number, retryInMs?: number, kept?: boolean,
 *   error?: PlayheadError }} PlayheadEvent
 */
/**
 * - onState: called at each event, until `detach`
 * - onEntry: called with the entry whenever the server says what it has, null for none, until
 *   `detach`
 * - resume: false leaves the element where it is (default true)
 * - startedAt: the second from `resumeAt` at which the page has the player begin by itself
 * - saveEveryMs: milliseconds between saves while playing (default 10 000)
 * - signal: detaches when it aborts
 * @typedef {{ onState?: (event: PlayheadEvent) => void, onEntry?: (entry: Entry | null) => void,
 *   resume?: boolean, startedAt?: number, saveEveryMs?: number,
 *   signal?: AbortSignal }} AttachOptions
 */
/**
 * Handles send the same as events: "state" with a PlayheadEvent as its `detail`, and "entry".
 * - detach: saves the last position if it is new, unless `save` is false; done when the save is
 *   answered
 * - startOver: goes to 0, saves it at once, and plays
 * - goTo: goes to a position in seconds that the viewer has chosen, and saves it
 * - forget: deletes the entry; nothing is saved again until playback moves; rejects with a
 *   PlayheadError
 * - suspend: saves the position; what the element then plays is not of the video, such as an
 *   advertisement, or has no position, such as a live stream
 * - unsuspend: the element plays the video again, from where it was or will be taken there
 * @typedef {{ detach: (options?: { save?: boolean }) => Promise<void>,
 *   startOver: () => Promise<void>, goTo: (position: number) => Promise<void>,
 *   forget: () => Promise<void>, suspend: () => void, unsuspend: () => void }} HandleCalls
 */
/**
 * @typedef {EventTarget & HandleCalls & {
 *   addEventListener(type: "state", listener: (event: CustomEvent<PlayheadEvent>) => void,
 *     options?: AddEventListenerOptions | boolean): void,
 *   addEventListener(type: "entry", listener: (event: CustomEvent<Entry | null>) => void,
 *     options?: AddEventListenerOptions | boolean): void }} Handle
 */
/**
 * - account: send it with a token of this account only
 * @typedef {{ signal?: AbortSignal, account?: string }} ReadOptions
 */
/** @typedef {ReturnType<typeof createPlayhead>} Playhead */
/**
 * @typedef {import("./playhead/request.js").Requests
 *   & { outbox: import("./playhead/outbox.js").Outbox }} Connection
 */
/**
 * Nothing happens before this call, and it may be made on a server, where no player is attached.
 * All functions reject with a PlayheadError.
 * @param {PlayheadOptions} options
 */
export function createPlayhead({ getToken, getUser, baseUrl, device, signal, fetch, }: PlayheadOptions): {
    /**
     * Reads the entry of a video, null if there is none.
     * @type {(videoId: number | string, options?: ReadOptions) => Promise<Entry | null>}
     */
    load: (videoId: number | string, options?: ReadOptions) => Promise<Entry | null>;
    duration(videoId: number | string, options?: ReadOptions): Promise<number | null>;
    /**
     * Finds the second at which a video should begin, for players that are told when they load.
     * Pass it to `attach` as `startedAt`.
     * @param {number | string} videoId @param {{ signal?: AbortSignal }} [options]
     * @returns {Promise<number>} 0 for the start, also when nobody is signed in or no answer came
     *   within 3 seconds; then `attach` takes the viewer there later
     */
    resumeAt: (videoId: number | string, { signal: wanted }?: {
        signal?: AbortSignal;
    }) => Promise<number>;
    /**
     * Saves one position as that of now, without retries.
     * @param {number | string} videoId @param {number} position seconds
     * @param {{ watchDuration?: number, keepalive?: boolean, signal?: AbortSignal }} [options]
     *   `watchDuration`: seconds watched in all
     * @returns {Promise<Entry | null>} null if the viewer keeps no history
     */
    save(videoId: number | string, position: number, { watchDuration, ...options }?: {
        watchDuration?: number;
        keepalive?: boolean;
        signal?: AbortSignal;
    }): Promise<Entry | null>;
    /**
     * Deletes the entry of a video with its plays, if there is one.
     * @param {number | string} videoId @param {{ account?: string }} [options] `account`: send it
     *   with a token of this account only
     * @returns {Promise<void>}
     */
    forget(videoId: number | string, options?: {
        account?: string;
    }): Promise<void>;
    /**
     * Sends the queued saves of the signed-in user now; done when they are answered or have
     * failed. This happens by itself when the page loads, a player is attached, or the network is
     * back. Call it after a sign-in.
     */
    deliver: () => Promise<void>;
    /**
     * Resumes and saves a video until it is detached. Any number of players may be attached.
     * @param {HTMLVideoElement} video @param {number | string} videoId
     * @param {AttachOptions} [options] @returns {Handle}
     */
    attach: (video: HTMLVideoElement, videoId: number | string, options?: AttachOptions) => Handle;
    /**
     * Detaches all players, which save their last positions, and ends all timers and listeners.
     * What is not delivered then waits in the browser for the next page.
     * @returns {Promise<void>} done when the saves are answered
     */
    destroy(): Promise<void>;
    /** The signed-in user's requests and saves, for the other modules of this package. */
    connection: Connection;
};
export { PlayheadError };
/**
 * The entry of one viewer and one video. Positions and durations are whole seconds, the percentage
 * is 0 to 100, and timestamps are RFC 3339. `resume_at` is where playback should begin, 0 for the
 * start. `applied` is false if a save changed nothing. "Continue watching" leaves out what is
 * `hidden`. `previous` is the place that was given up last, with its device and time, for `undo`.
 */
export type PreviousPlace = {
    position: number;
    device: string | null;
    at: string;
};
export type Entry = {
    id: number;
    user_id: number;
    video_id: number;
    watch_position: number;
    watch_duration: number;
    completed: boolean;
    progress_percentage: number;
    resume_at: number;
    device: string | null;
    play_count: number;
    completed_at: string | null;
    last_watched_at: string;
    created_at: string;
    updated_at: string;
    hidden: boolean;
    previous: PreviousPlace | null;
    applied?: boolean;
};
/**
 * One item of the "continue watching" list.
 */
export type ContinueItem = {
    video_id: number;
    video_title: string;
    video_description: string | null;
    video_duration: number | null;
    video_thumbnail_path: string | null;
    uploader_username: string;
    watch_position: number;
    progress_percentage: number;
    resume_at: number;
    device: string | null;
    play_count: number;
    last_watched_at: string;
    previous: PreviousPlace | null;
};
export type Preferences = import("./playhead/edits.js").Preferences;
export type Time = import("./playhead/edits.js").Time;
export type HistoryItem = import("./playhead/lists.js").HistoryItem;
export type Play = import("./playhead/lists.js").Play;
export type Recommendation = import("./playhead/lists.js").Recommendation;
export type VideoItem = import("./playhead/lists.js").VideoItem;
export type ViewingStatistics = import("./playhead/lists.js").ViewingStatistics;
/**
 * Returns an access token, or null when nobody is signed in.
 * - refused: a token that the server has just answered with 401; return a newer one or null
 * - keepalive: the page may be about to go away; answer from memory, without a request
 */
export type TokenRequest = {
    refused?: string;
    keepalive?: boolean;
};
export type TokenProvider = (request: TokenRequest) => string | null | Promise<string | null>;
/**
 * - baseUrl: the server's origin and the path below which it is shown, without a slash at the end
 *   (default: the origin of the page)
 * - fetch: another transport
 * - device: the name of this device, for people, such as "Living room"; 1 to 100 characters
 * - getUser: the user of an access token, for tokens that are not the server's own; while it is
 *   unknown, saves are kept in memory only
 * - signal: calls `destroy` when it aborts
 */
export type PlayheadOptions = {
    getToken: TokenProvider;
    baseUrl?: string;
    device?: string;
    fetch?: typeof globalThis.fetch;
    getUser?: (token: string) => string | number | null;
    signal?: AbortSignal;
};
/**
 * What happens to an attached player. `position` is in whole seconds.
 * - ready: the history is read, and playback was taken to `position`; 0: it stays where it was
 * - saved: the server has stored `position`
 * - superseded: the server keeps `position`: it is newer, or nobody chose to go back from it
 * - not-stored: the server has stored nothing: the viewer keeps no history, or has deleted this one
 *   after `position` was reached
 * - retrying: a save (or the first read) has failed and is tried again after `retryInMs`;
 *   `error.status` is 0 if the server was not reached, `kept` says that the save outlives the page
 * - failed: the server has refused the save for good; the position is dropped
 * - gone: the video was deleted; nothing is saved any more
 * - signed-out: no token is accepted; nothing is saved any more, and waiting saves go out when the
 *   user is back
 */
export type PlayheadState = "ready" | "saved" | "superseded" | "not-stored" | "retrying" | "failed" | "gone" | "signed-out";
export type PlayheadEvent = {
    state: PlayheadState;
    position: number;
    retryInMs?: number;
    kept?: boolean;
    error?: PlayheadError;
};
/**
 * - onState: called at each event, until `detach`
 * - onEntry: called with the entry whenever the server says what it has, null for none, until
 *   `detach`
 * - resume: false leaves the element where it is (default true)
 * - startedAt: the second from `resumeAt` at which the page has the player begin by itself
 * - saveEveryMs: milliseconds between saves while playing (default 10 000)
 * - signal: detaches when it aborts
 */
export type AttachOptions = {
    onState?: (event: PlayheadEvent) => void;
    onEntry?: (entry: Entry | null) => void;
    resume?: boolean;
    startedAt?: number;
    saveEveryMs?: number;
    signal?: AbortSignal;
};
/**
 * Handles send the same as events: "state" with a PlayheadEvent as its `detail`, and "entry".
 * - detach: saves the last position if it is new, unless `save` is false; done when the save is
 *   answered
 * - startOver: goes to 0, saves it at once, and plays
 * - goTo: goes to a position in seconds that the viewer has chosen, and saves it
 * - forget: deletes the entry; nothing is saved again until playback moves; rejects with a
 *   PlayheadError
 * - suspend: saves the position; what the element then plays is not of the video, such as an
 *   advertisement, or has no position, such as a live stream
 * - unsuspend: the element plays the video again, from where it was or will be taken there
 */
export type HandleCalls = {
    detach: (options?: {
        save?: boolean;
    }) => Promise<void>;
    startOver: () => Promise<void>;
    goTo: (position: number) => Promise<void>;
    forget: () => Promise<void>;
    suspend: () => void;
    unsuspend: () => void;
};
export type Handle = EventTarget & HandleCalls & {
    addEventListener(type: "state", listener: (event: CustomEvent<PlayheadEvent>) => void, options?: AddEventListenerOptions | boolean): void;
    addEventListener(type: "entry", listener: (event: CustomEvent<Entry | null>) => void, options?: AddEventListenerOptions | boolean): void;
};
/**
 * - account: send it with a token of this account only
 */
export type ReadOptions = {
    signal?: AbortSignal;
    account?: string;
};
export type Playhead = ReturnType<typeof createPlayhead>;
export type Connection = import("./playhead/request.js").Requests & {
    outbox: import("./playhead/outbox.js").Outbox;
};
import { PlayheadError } from "./playhead/request.js";
