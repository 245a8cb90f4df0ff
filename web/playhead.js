/**
 * Playhead in the browser: remembers where a viewer stopped and takes them back there.
 *
 *     const playhead = createPlayhead({ getToken: () => myToken });
 *     const handle = playhead.attach(document.querySelector("video"), 3, { onState: console.log });
 *     // …and when the player goes away:
 *     await handle.detach();
 *
 * This file and the folder `playhead` beside it, no dependencies, any framework. Detach before the element is given another
 * video or removed.
 *
 * Time watched is the viewer's time, not the film's, and a film has ended where it was played to its end. A place that the source names
 * (`#t=10`) is where it begins, whatever the server has.
 *
 * Every save is written down in localStorage before it is sent, under the user that it belongs to. What the server has not
 * answered for survives a reload and goes out together when the network is back, never in the name of somebody else. A browser brings
 * that to its disk some seconds later: one that is killed may lose the last of it.
 */
import { attach } from "./playhead/attach.js";
import { createOutbox, historyOf } from "./playhead/outbox.js";
import { PlayheadError, createRequests, subjectOf } from "./playhead/request.js";

export { PlayheadError };

/**
 * What the server keeps for one user and one video. Positions and durations are whole seconds; `resume_at` is where playback
 * should begin, 0 for the start.
 * @typedef {{ id: number, user_id: number, video_id: number, watch_position: number, watch_duration: number, completed: boolean,
 *   progress_percentage: number, resume_at: number, device: string | null, play_count: number, completed_at: string | null,
 *   last_watched_at: string, created_at: string, updated_at: string, applied?: boolean }} Entry
 *
 * One line of the "continue watching" list.
 * @typedef {{ video_id: number, video_title: string, video_description: string | null, video_duration: number | null,
 *   video_thumbnail_path: string | null, uploader_username: string, watch_position: number, progress_percentage: number,
 *   resume_at: number, device: string | null, play_count: number, last_watched_at: string }} ContinueItem
 *
 * Asked for an access token; null means that nobody is signed in. `refused` is a token that the server has just answered with
 * 401: return a newer one or null. With `keepalive` the page may be about to go away: answer from memory, without a request.
 * @typedef {(request: { refused?: string, keepalive?: boolean }) => string | null | Promise<string | null>} TokenProvider
 *
 * `baseUrl` is the server's origin, and the path below which it is shown there, without a slash at the end (default: the page's origin), `fetch` another transport, `getUser`
 * tells whose an access token is, for tokens that are not the server's own; while that is unknown, saves are kept in memory only.
 * @typedef {{ getToken: TokenProvider, baseUrl?: string, fetch?: typeof globalThis.fetch,
 *   getUser?: (token: string) => string | number | null }} PlayheadOptions
 *
 * What happens to an attached player; `position` is in whole seconds.
 * - ready: the history is read and `position` is where playback was taken to (0: it begins where the element stands)
 * - saved: the server has `position`
 * - superseded: `position` stays: a newer one, as of another device, or one further on than where nobody chose to begin
 * - retrying: a save (or the first read) failed for now and is tried again after `retryInMs`; `error.status` is 0 where the
 *   server was not reached at all, `kept` says that the position outlives the page
 * - failed: the server refused for good; that position is dropped
 * - gone: the video was deleted; nothing is saved any more
 * - signed-out: no token is accepted; nothing is saved any more, and what waits goes out when the user is back
 * @typedef {{ state: "ready" | "saved" | "superseded" | "retrying" | "failed" | "gone" | "signed-out", position: number,
 *   retryInMs?: number, kept?: boolean, error?: PlayheadError }} PlayheadEvent
 *
 * `onState` is not called any more after detach; `resume: false` leaves the element where it is (default true); `saveEveryMs`
 * is the time between saves while playing (default 10 000).
 * @typedef {{ onState?: (event: PlayheadEvent) => void, resume?: boolean, saveEveryMs?: number }} AttachOptions
 *
 * `detach` ends it: it saves the last position when that changed (unless `save` is false) and is done when that is answered.
 * `startOver` goes to 0, saves that at once and plays. `forget` deletes the history and lets the player go on; nothing is saved
 * again until playback moves.
 * @typedef {{ detach: (options?: { save?: boolean }) => Promise<void>, startOver: () => Promise<void>,
 *   forget: () => Promise<void> }} Handle
 * @typedef {ReturnType<typeof createPlayhead>} Playhead
 */

/** @param {PlayheadOptions} options */
export function createPlayhead({ getToken, getUser = subjectOf, baseUrl = "", fetch = (...asked) => globalThis.fetch(...asked) }) {
  const requests = createRequests({ getToken, getUser, baseUrl, fetch });
  const { call, whoIsSignedIn } = requests;
  const outbox = createOutbox(requests);
  const client = {
    /**
     * The stored entry, or null when there is none; with `account` only under a token of that one.
     * @type {(videoId: number | string, options?: { signal?: AbortSignal, account?: string }) => Promise<Entry | null>}
     */
    load: (videoId, options) => call("GET", historyOf(videoId), options).catch(nullWhenMissing),

    /**
     * How long the server has the video to be, in seconds; null while that is not known.
     * @type {(videoId: number | string, options?: { signal?: AbortSignal, account?: string }) => Promise<number | null>}
     */
    duration: async (videoId, options) => (await call("GET", `/videos/${encodeURIComponent(videoId)}`, options)).duration ?? null,

    /**
     * Saves one position, once, as that of now; `attach` is what adds cadence and retries. `watchDuration`: seconds watched in
     * all.
     * @param {number | string} videoId @param {number} position in seconds
     * @param {{ watchDuration?: number, keepalive?: boolean, signal?: AbortSignal }} [options]
     * @returns {Promise<Entry>}
     */
    save(videoId, position, { watchDuration = 0, ...options } = {}) {
      const body = { watch_position: Math.floor(position), watch_duration: Math.floor(watchDuration) };
      return call("POST", historyOf(videoId), { ...options, body });
    },

    /**
     * Deletes the history of a video; none there is fine. With `account` only under a token of that one.
     * @param {number | string} videoId @param {{ account?: string }} [options] @returns {Promise<void>}
     */
    async forget(videoId, options = {}) {
      const account = options.account ?? (await whoIsSignedIn()) ?? "";
      // What waits or is on its way would bring back what is being deleted.
      const putBack = outbox.drop(account, videoId);
      await outbox.settled();
      await call("DELETE", historyOf(videoId), { account }).catch(nullWhenMissing).catch((error) => {
        putBack();
        throw error;
      });
    },

    /** What was begun and not finished, newest first. @param {number} [limit] 1 to 100 @returns {Promise<ContinueItem[]>} */
    continueWatching: (limit = 10) => call("GET", `/videos/continue-watching?limit=${limit}`),

    /**
     * Sends now what waits of whoever is signed in, and is done when that is answered or has failed. It happens by itself when
     * the page loads, a player is attached and the network is back; a host calls it when somebody has signed in.
     */
    deliver: () => outbox.deliver(),

    /**
     * Resumes and saves a player until it is detached.
     * @param {HTMLVideoElement} video @param {number | string} videoId @param {AttachOptions} [options] @returns {Handle}
     */
    attach: (video, videoId, options) => attach({ client, outbox, whoIsSignedIn }, video, videoId, options),
  };
  // Not at once: what the host's `getToken` needs may be made in the lines below.
  setTimeout(outbox.deliver);
  return client;
}

/** @param {PlayheadError} error @returns {null} */
function nullWhenMissing(error) {
  if (error.status === 404 && !error.retryable) return null;
  throw error;
}
