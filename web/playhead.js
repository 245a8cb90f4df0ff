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
 * Every save is written down in localStorage before it is sent, under the user that it belongs to. What the server has not
 * answered for survives a reload and goes out together when the network is back, never in the name of somebody else. A browser brings
 * that to its disk some seconds later: one that is killed may lose the last of it.
 */
import { now } from "./playhead/queue.js";
import { createOutbox, finalState, historyOf, retryDelay } from "./playhead/outbox.js";
import { PlayheadError, asError, createRequests, subjectOf } from "./playhead/request.js";

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
 * `baseUrl` is the server's origin without a slash at the end (default: the page's own), `fetch` another transport, `getUser`
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

/** Without an answer, what was played is written down from here on. */
const ALONE_SECONDS = 10;
/** A history that arrives after this much playback no longer moves the viewer. */
const LATE_SECONDS = 60;
/** Above where a server takes a position of a new opening for a failed start, unless its `RESUME_MIN_SECONDS` is larger. */
const NEAR_START_SECONDS = 30;

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

/**
 * @param {{ client: Playhead, outbox: ReturnType<typeof createOutbox>, whoIsSignedIn: () => Promise<string | null> }} server
 * @param {HTMLVideoElement} video @param {number | string} videoId @param {AttachOptions} [options]
 */
function attach({ client, outbox, whoIsSignedIn }, video, videoId, options = {}) {
  const { onState = () => {}, resume = true, saveEveryMs = 10_000 } = options;
  const life = new AbortController();
  let over = false;
  let held = resume ? NaN : 0; // where the server has the viewer, once that is known; who is not to be taken there chose to be here
  let loaded = false; // a place to take them to is known, if only one that was left here
  let from = 0; // where playback began
  let synced = false; // the element stands where the viewer is meant to be: from here on its position is worth saving
  let restoring = false;
  let sought = NaN; // the place that they are being taken to, or were
  let moved = false; // the viewer chose where to be
  let restart = false;
  let forgetting = false;
  let unanswered = false;
  let target = 0; // where they are to be taken
  let recorded = -1; // the newest position that was written down
  let seen = 0; // where they were
  let watched = 0;
  let earlier = 0; // how much of it in earlier openings
  let rate = 1;
  let mark = NaN; // media time up to which playback is counted
  /** @type {string | undefined} */
  let owner; // whose place this is
  let reached = now(); // when the position last moved by playing or seeking
  let [interval, reload] = [0, 0]; // timers

  /** @type {ReturnType<typeof outbox.open> | null} */
  let opening = null;

  /** @param {PlayheadEvent} event */
  function report(event) {
    if (life.signal.aborted) return;
    if (event.state === "gone" || event.state === "signed-out") finish();
    onState(event);
  }

  function finish() {
    over = true;
    rest();
    clearTimeout(reload);
  }

  function position() {
    // The server knows a duration as a rounded number of seconds; the end has to reach it.
    if (video.ended && Number.isFinite(video.duration)) return Math.max(1, Math.round(video.duration));
    return Math.floor(video.currentTime);
  }

  /** @param {{ keepalive?: boolean, deliberate?: boolean }} [options] */
  function record({ keepalive = false, deliberate = false } = {}) {
    // What a paused element says hours later by a fraction more is no movement.
    if (!video.paused || !keepalive) count();
    if (!synced || over || forgetting) return;
    const here = position();
    if (here === recorded) {
      if (keepalive) opening?.flush();
    } else if (here > 0 || (deliberate && !video.error)) {
      // A zero that nobody chose comes from a player that failed to start, and would wipe the resume point.
      // A start that the viewer chose, and nobody will be here to insist on.
      const lone = keepalive && moved && here <= NEAR_START_SECONDS && !(here * 2 > video.duration);
      write(here, { keepalive, lone });
    }
  }

  /** @param {number} here @param {{ keepalive?: boolean, lone?: boolean }} [options] */
  function write(here, { keepalive = false, lone = false } = {}) {
    if (!opening || over) return; // nobody knows whose it is, yet or any more
    recorded = here;
    // Behind where the server has them, or may have them, nobody is who did not go there. A seek may end a little early, and a place beyond
    // the end is none.
    const unsure = !moved && !(here >= held - 1) && !(held >= lastSecond());
    const save = { position: here, watched: Math.floor(watched), chosen: moved, lone, unsure, resumed: loaded };
    opening.push({ ...save, ...reached }, keepalive);
  }

  function saveStart() {
    restart = false;
    reached = now();
    if (!forgetting) write(0, { lone: true });
  }

  // Seeks unset the mark, so that only what really played counts; at double speed a minute of film is half a minute watched.
  function count() {
    if (!video.seeking && video.currentTime > mark) watched += (video.currentTime - mark) / rate;
    if (video.currentTime !== mark) reached = now();
    mark = video.seeking ? NaN : video.currentTime;
    rate = video.playbackRate || 1;
    // A film that is loaded anew is at 0 before it says so.
    if (synced && video.readyState >= video.HAVE_METADATA) seen = position();
  }

  async function load(failures = 0) {
    clearTimeout(reload);
    reload = 0;
    try {
      const account = (owner ??= (await whoIsSignedIn()) ?? "");
      if (life.signal.aborted) return;
      opening ??= outbox.open(account, videoId, report);
      if (synced) record({ deliberate: moved });
      await outbox.deliver(); // what waits may be of this very video
      const entry = await client.load(videoId, { account, signal: life.signal });
      // What still waits may be newer than what the server has.
      if (opening.before()) throw outbox.delay();
      if (resume) held = entry?.resume_at ?? 0;
      take(held, entry?.watch_duration ?? 0);
    } catch (cause) {
      const error = asError(cause);
      if (life.signal.aborted) return;
      if (error.retryable) {
        const kept = loaded ? undefined : opening?.before();
        if (kept) take(kept.position, kept.watched);
        unanswered = true;
        const retryInMs = retryDelay(failures, error);
        reload = window.setTimeout(load, retryInMs, failures + 1);
        if (!loaded) report({ state: "retrying", position: 0, retryInMs, error });
      } else {
        finish(); // without knowing what is stored, a save could overwrite it
        report({ state: error.status === 401 ? "signed-out" : "failed", position: 0, error });
      }
    }
  }

  /** @param {number} resumeAt @param {number} watchedBefore */
  function take(resumeAt, watchedBefore) {
    // What was delivered before the history was read is in it already.
    if (watchedBefore > watched) {
      watched += watchedBefore - earlier;
      earlier = watchedBefore;
    }
    if (resume && !moved) target = resumeAt;
    loaded = true;
    // Who began at the start only because nobody answered is still taken to where they were.
    if (synced && !moved && target > position() && !isLate()) synced = false;
    sync();
  }

  // Runs when the history or the metadata arrives, and acts when both are there: a seek before metadata is lost.
  function sync({ keepalive = false } = {}) {
    if (synced || restoring || over || video.readyState < video.HAVE_METADATA) return;
    // Without an answer, what can no longer move the viewer is not waited for: their place is kept here until there is one.
    if (!loaded && !moved && !(unanswered && video.currentTime >= ALONE_SECONDS)) return;
    const isElsewhere = target > 0 && target !== sought && target < lastSecond() && !isLate();
    if (isElsewhere && isSeekable(target)) {
      restoring = true;
      sought = target;
      video.currentTime = target;
    } else if (!isElsewhere || position() >= target) {
      begin(keepalive);
    } // Otherwise more of the film has to be loaded first.
  }

  const isLate = () => video.currentTime - from >= LATE_SECONDS;

  const lastSecond = () => (video.duration > 0 ? video.duration - 1 : Infinity);

  /** @param {number} second */
  const isSeekable = (second, { seekable } = video) =>
    seekable.length > 0 && seekable.start(0) <= second && second <= seekable.end(seekable.length - 1);

  /** @param {boolean} keepalive */
  function begin(keepalive) {
    synced = true;
    if (!moved) recorded = from || position();
    report({ state: "ready", position: position() === from ? from : 0 });
    if (restart) saveStart();
    else record({ deliberate: recorded < 0, keepalive });
    if (!video.paused) tick();
  }

  /** @param {number} second where the viewer goes, which may be while they are being taken elsewhere */
  function choose(second) {
    if (!moved) recorded = -1;
    moved = true;
    restoring = false;
    target = 0;
    seen = second;
  }

  function tick() {
    if (!over) interval ||= window.setInterval(record, saveEveryMs);
  }
  const leave = () => (sync({ keepalive: true }), record({ keepalive: true }));
  const stop = () => (rest(), record());
  function rest() {
    clearInterval(interval);
    interval = 0;
  }

  /** @param {EventTarget} source @param {string} type @param {() => void} listener */
  const on = (source, type, listener) => source.addEventListener(type, listener, { signal: life.signal });
  on(video, "loadedmetadata", sync);
  on(video, "canplay", sync);
  on(video, "timeupdate", () => (count(), sync()));
  on(video, "ratechange", count);
  on(video, "playing", tick);
  on(video, "pause", stop);
  on(video, "ended", stop);
  on(video, "seeking", () => {
    mark = NaN;
    reached = now();
    // A host that loads the film anew may go back by itself, to about the same second.
    if (restoring && Math.abs(video.currentTime - sought) < 2) return;
    choose(position());
  });
  on(video, "seeked", () => {
    if (restoring) from = sought;
    restoring = false;
    if (synced) record({ deliberate: true });
    else sync(); // a newer place may have been heard of meanwhile
  });
  on(video, "emptied", () => {
    // The host loads the same video again: its zero is no position, and it goes on where it was.
    if (synced || moved) target = seen;
    synced = restoring = false;
    from = target;
    sought = NaN;
    rest();
  });
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && leave());
  on(window, "pagehide", leave);
  on(window, "online", () => reload && load());
  setTimeout(() => {
    unanswered = true;
    sync();
  }, ALONE_SECONDS * 1_000);
  void load();

  return {
    async detach({ save = true } = {}) {
      if (life.signal.aborted) return;
      if (save) leave();
      life.abort();
      finish();
      await opening?.close();
    },

    async startOver() {
      restart = true;
      choose(0);
      if (video.readyState >= video.HAVE_METADATA) video.currentTime = 0;
      if (synced) saveStart();
      await video.play().catch(() => {}); // a browser may want a gesture first; the position is right all the same
    },

    async forget() {
      forgetting = true; // a save of meanwhile would bring back what is being deleted
      recorded = -1;
      try {
        await client.forget(videoId, { account: owner });
        watched = 0;
        recorded = position();
      } finally {
        forgetting = false;
      }
    },
  };
}

/** @param {PlayheadError} error @returns {null} */
function nullWhenMissing(error) {
  if (error.status === 404 && !error.retryable) return null;
  throw error;
}
