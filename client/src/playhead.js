/**
 * Playhead in the browser: remembers where a viewer stopped and takes them back there.
 *
 *     const playhead = createPlayhead({ getToken: () => myToken });
 *     const video = document.querySelector("video");
 *     const handle = playhead.attach(video, 3, { onState: console.log });
 *     // …and when the player goes away:
 *     await handle.detach();
 *     // …or with all players, timers and listeners:
 *     await playhead.destroy();
 *
 * It consists of this file and the folder `playhead` beside it, has no dependencies, and works with
 * any framework. Detach before the element gets another video or is removed.
 *
 * Time watched is the viewer's time, whatever the playback speed. A video is at its end only if it
 * was played to its end. A position in the source (`#t=10`) takes precedence over the resume
 * position.
 *
 * Every save is stored in localStorage before it is sent, under its own account. Saves that the
 * server has not answered survive a reload, and go out together when the network is back, never
 * with the token of another user that `getUser` tells apart. A browser writes localStorage to the
 * disk some seconds later, so a browser that is killed may lose the newest save.
 */
import { attach } from "./playhead/attach.js";
import { createOutbox } from "./playhead/outbox.js";
import { PlayheadError, anySignal, createRequests, subjectOf } from "./playhead/request.js";
import { readEntry } from "./playhead/sender.js";

export { PlayheadError };

/**
 * The place that was given up last, with its device and time, for `undo`.
 * @typedef {{ position: number, device: string | null, at: string }} PreviousPlace
 */

/**
 * The entry of one viewer and one video. Positions and durations are whole seconds, the percentage
 * is 0 to 100, and timestamps are RFC 3339. `resume_at` is where playback should begin, 0 for the
 * start. `applied` is false if a save changed nothing. "Continue watching" leaves out what is
 * `hidden`.
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
 * - refused: a token that the server has just answered with 401; return a newer one or null
 * - keepalive: the page may be about to go away; answer from memory, without a request
 * @typedef {{ refused?: string, keepalive?: boolean }} TokenRequest
 */

/**
 * Returns an access token, or null when nobody is signed in.
 * @typedef {(request: TokenRequest) => string | null | Promise<string | null>} TokenProvider
 */

/**
 * - baseUrl: the server's origin and the path below which it is shown, without a slash at the end
 *   (default: the origin of the page)
 * - fetch: another transport
 * - device: the name of this device, for people, such as "Living room"; 1 to 100 characters
 * - getUser: the user of an access token, for tokens that are not the server's own; while it is
 *   unknown, saves are kept in memory only
 * - signal: ends the client as `destroy` does when it aborts
 * @typedef {{ getToken: TokenProvider, baseUrl?: string, device?: string,
 *   fetch?: typeof globalThis.fetch, getUser?: (token: string) => string | number | null,
 *   signal?: AbortSignal }} PlayheadOptions
 */

/**
 * What happens to an attached player.
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
 * `position` is in whole seconds.
 * @typedef {{ state: PlayheadState, position: number, retryInMs?: number, kept?: boolean,
 *   error?: PlayheadError }} PlayheadEvent
 */

/**
 * - onState: called at each event, until `detach`
 * - onEntry: called with the entry whenever the server says what it has, null for none, until
 *   `detach`
 * - resume: false leaves the element where it is (default true)
 * - startedAt: the second from `resumeAt` (`playhead/start`) at which the page has the player begin
 *   by itself
 * - saveEveryMs: milliseconds between saves while playing (default 10 000)
 * - signal: detaches when it aborts
 * @typedef {{ onState?: (event: PlayheadEvent) => void, onEntry?: (entry: Entry | null) => void,
 *   resume?: boolean, startedAt?: number, saveEveryMs?: number,
 *   signal?: AbortSignal }} AttachOptions
 */

/**
 * - detach: saves the last position if it is new, unless `save` is false; done when the save is
 *   answered
 * - startOver: goes to 0, saves it at once, and plays
 * - goTo: goes to a position in seconds that the viewer has chosen, and saves it
 * - suspend: saves the position; what the element then plays is not of the video, such as an
 *   advertisement, or has no position, such as a live stream
 * - unsuspend: the element plays the video again, from where it was or will be taken there
 * @typedef {{ detach: (options?: { save?: boolean }) => Promise<void>,
 *   startOver: () => Promise<void>, goTo: (position: number) => Promise<void>,
 *   suspend: () => void, unsuspend: () => void }} HandleCalls
 */

/**
 * An attached player. It sends the events "state", whose `detail` is a PlayheadEvent, and "entry",
 * whose `detail` is an entry or null.
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
 * What the other modules of this package use of a client.
 * - signal: aborted by `destroy`
 * - onDeliver: called by `deliver`
 * @typedef {import("./playhead/request.js").Requests
 *   & { outbox: import("./playhead/outbox.js").Outbox, baseUrl: string, signal: AbortSignal,
 *     onDeliver: Set<() => void> }} Connection
 */

/**
 * Nothing happens before this call, and it may be made on a server, where no player is attached.
 * All functions reject with a PlayheadError.
 * @param {PlayheadOptions} options
 */
export function createPlayhead({
  getToken,
  getUser = subjectOf,
  baseUrl = "",
  device,
  signal,
  fetch = (...args) => globalThis.fetch(...args),
}) {
  const life = new AbortController();
  const end = anySignal(life.signal, signal);
  const requests = createRequests({ getToken, getUser, baseUrl, fetch });
  const outbox = createOutbox(requests, end, device);
  /** @type {Connection} */
  const connection = {
    ...requests,
    ...{ outbox, baseUrl, signal: end, onDeliver: new Set() },
  };
  const client = {
    /**
     * Reads the entry of a video, null if there is none.
     * @type {(videoId: number | string, options?: ReadOptions) => Promise<Entry | null>}
     */
    load: (videoId, options) => readEntry(requests.request, videoId, options),

    /**
     * Sends the queued saves of the signed-in user now; done when they are answered or have
     * failed. This happens by itself when the page loads, a player is attached, or the network is
     * back. Call it after a sign-in and a sign-out.
     */
    deliver() {
      for (const listener of connection.onDeliver) listener();
      return outbox.deliver();
    },

    /**
     * Resumes and saves a video until it is detached. Any number of players may be attached.
     * @param {HTMLVideoElement} video @param {number | string} videoId
     * @param {AttachOptions} [options] @returns {Handle}
     */
    attach: (video, videoId, options = {}) =>
      attach(connection, video, videoId, {
        ...options,
        signal: anySignal(end, options.signal),
      }),

    /**
     * Detaches all players, which save their last positions, and ends all timers and listeners.
     * What is not delivered then waits in the browser for the next page.
     * @returns {Promise<void>} done when the saves are answered
     */
    async destroy() {
      life.abort();
      await outbox.settle();
    },

    /** The signed-in user's requests and saves, for the other modules of this package. */
    connection,
  };

  // The page's `getToken` may need what its next lines create. On a server nothing waits.
  if (globalThis.document) setTimeout(outbox.deliver);
  return client;
}
