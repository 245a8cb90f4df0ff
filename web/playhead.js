/**
 * Playhead in the browser: remembers where a viewer stopped and takes them back there.
 *
 *     const playhead = createPlayhead({ getToken: () => myToken });
 *     const handle = playhead.attach(document.querySelector("video"), 3, { onState: console.log });
 *     // …and when the player goes away:
 *     await handle.detach();
 *
 * One file, no dependencies, any framework. Detach before the element is given another video or removed.
 */

/**
 * What the server keeps for one user and one video. Positions and durations are whole seconds; `resume_at` is where playback
 * should begin, 0 for the start.
 * @typedef {{ id: number, user_id: number, video_id: number, watch_position: number, watch_duration: number, completed: boolean,
 *   progress_percentage: number, resume_at: number, last_watched_at: string, created_at: string, updated_at: string }} Entry
 *
 * One line of the "continue watching" list.
 * @typedef {{ video_id: number, video_title: string, video_description: string | null, video_duration: number | null,
 *   video_thumbnail_path: string | null, uploader_username: string, watch_position: number, progress_percentage: number,
 *   resume_at: number, last_watched_at: string }} ContinueItem
 *
 * Asked for an access token; null means that nobody is signed in. `refused` is a token that the server has just answered with
 * 401: return a newer one or null. With `keepalive` the page may be about to go away: answer from memory, without a request.
 * @typedef {(request: { refused?: string, keepalive?: boolean }) => string | null | Promise<string | null>} TokenProvider
 *
 * What happens to an attached player; `position` is in whole seconds.
 * - ready: the history is read and `position` is where playback was taken to (0: it begins where the element stands)
 * - saved: the server has `position`
 * - retrying: a save (or the first read) failed for now and is tried again after `retryInMs`
 * - failed: the server refused for good; that position is dropped
 * - gone: the video was deleted; nothing is saved any more
 * - signed-out: no token is accepted; nothing is saved any more
 * @typedef {{ state: "ready" | "saved" | "retrying" | "failed" | "gone" | "signed-out", position: number, retryInMs?: number,
 *   error?: PlayheadError }} PlayheadEvent
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
 * @typedef {{ body?: object, keepalive?: boolean, signal?: AbortSignal }} RequestOptions
 * @typedef {{ position: number, watched: number }} Save
 */

const TIMEOUT_MS = 20_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_LIMIT_MS = 30_000;
const RETRY_AFTER_LIMIT_MS = 3_600_000;
/** A history that arrives after this much playback no longer moves the viewer. */
const LATE_SECONDS = 10;

/**
 * A request that did not succeed: `status` is 0 when there was no answer, `code` the stable word of the server's problem
 * document, `retryable` whether the same request may succeed later.
 */
export class PlayheadError extends Error {
  /** @param {string} message @param {{ status?: number, code?: string, retryAfterMs?: number, cause?: unknown }} [details] */
  constructor(message, { status = 0, code, retryAfterMs = 0, cause } = {}) {
    super(message, { cause });
    this.name = "PlayheadError";
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.retryable = status === 0 || status === 429 || status >= 500;
  }
}

/**
 * `baseUrl` is the server's origin without a slash at the end (empty: the page's own), `fetch` another transport.
 * @param {{ getToken: TokenProvider, baseUrl?: string, fetch?: typeof globalThis.fetch }} options
 */
export function createPlayhead({ getToken, baseUrl = "", fetch = (input, init) => globalThis.fetch(input, init) }) {
  /** @param {string} method @param {string} path @param {RequestOptions} [options] @returns {Promise<any>} */
  async function call(method, path, { body, keepalive, signal } = {}) {
    /** @param {string} token */
    const send = (token) => {
      const headers = new Headers({ accept: "application/json", authorization: `Bearer ${token}` });
      if (body) headers.set("content-type", "application/json");
      // A request that hangs would otherwise hold up every later save.
      const limits = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
      const init = { method, headers, keepalive, body: body && JSON.stringify(body), signal: AbortSignal.any(limits) };
      return fetch(`${baseUrl}/api/v1${path}`, init);
    };
    try {
      const token = await getToken({ keepalive });
      if (!token) throw new PlayheadError("Nobody is signed in", { status: 401 });
      let response = await send(token);
      if (response.status === 401) {
        const newer = await getToken({ refused: token, keepalive });
        if (newer && newer !== token) response = await send(newer);
      }
      if (response.ok) return response.status === 204 ? null : await response.json();
      const problem = await response.json().catch(() => null);
      const details = { status: response.status, code: problem?.code, retryAfterMs: retryAfter(response) };
      throw new PlayheadError(problem?.detail ?? `HTTP ${response.status}`, details);
    } catch (cause) {
      throw asError(cause);
    }
  }

  const historyOf = (/** @type {number | string} */ videoId) => `/videos/${encodeURIComponent(videoId)}/watch-history`;
  const client = {
    /**
     * The stored entry, or null when there is none.
     * @type {(videoId: number | string, options?: { signal?: AbortSignal }) => Promise<Entry | null>}
     */
    load: (videoId, options) => call("GET", historyOf(videoId), options).catch(nullWhenMissing),

    /**
     * Saves one position, once; `attach` is what adds cadence and retries. `watchDuration`: seconds watched in all.
     * @param {number | string} videoId @param {number} position in seconds
     * @param {{ watchDuration?: number, keepalive?: boolean, signal?: AbortSignal }} [options]
     * @returns {Promise<Entry>}
     */
    save(videoId, position, { watchDuration = 0, ...options } = {}) {
      const body = { watch_position: Math.floor(position), watch_duration: Math.floor(watchDuration) };
      return call("POST", historyOf(videoId), { ...options, body });
    },

    /** Deletes the history of a video; none there is fine. @param {number | string} videoId @returns {Promise<void>} */
    forget: (videoId) => call("DELETE", historyOf(videoId)).catch(nullWhenMissing),
    /** What was begun and not finished, newest first. @param {number} [limit] 1 to 100 @returns {Promise<ContinueItem[]>} */
    continueWatching: (limit = 10) => call("GET", `/videos/continue-watching?limit=${limit}`),

    /**
     * Resumes and saves a player until it is detached.
     * @param {HTMLVideoElement} video @param {number | string} videoId @param {AttachOptions} [options] @returns {Handle}
     */
    attach: (video, videoId, options) => attach(client, video, videoId, options),
  };
  return client;
}

/** @param {Playhead} client @param {HTMLVideoElement} video @param {number | string} videoId @param {AttachOptions} [options] */
function attach(client, video, videoId, { onState = () => {}, resume = true, saveEveryMs = 10_000 } = {}) {
  const life = new AbortController();
  let over = false;
  let loaded = false;
  let synced = false; // the element stands where the viewer is meant to be: from here on its position is worth saving
  let restoring = false;
  let moved = false; // the viewer chose a position before the history was known
  let restart = false;
  let target = 0;
  let recorded = 0; // the newest position given to the saver
  let seen = 0;
  let watched = 0;
  let rate = 1;
  let mark = NaN; // media time up to which playback is counted
  let [interval, reload] = [0, 0]; // timers

  /** @type {Parameters<typeof createSaver>[0]} */
  const put = (save, keepalive, signal) => client.save(videoId, save.position, { watchDuration: save.watched, keepalive, signal });
  const saver = createSaver(put, report);

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
    saver.hold();
  }

  function position() {
    // The server knows a duration as a rounded number of seconds; the end has to reach it.
    if (video.ended && Number.isFinite(video.duration)) return Math.max(1, Math.round(video.duration));
    return Math.floor(video.currentTime);
  }

  /** @param {{ keepalive?: boolean, deliberate?: boolean }} [options] */
  function record({ keepalive = false, deliberate = false } = {}) {
    count();
    if (!synced || over) return;
    const now = position();
    if (now === recorded) {
      if (keepalive) saver.flush();
    } else if (now > 0 || (deliberate && !video.error)) {
      // A zero that nobody chose comes from a player that failed to start, and would wipe the resume point.
      recorded = now;
      saver.push({ position: now, watched }, keepalive);
    }
  }

  function saveStart() {
    restart = false;
    saver.push({ position: (recorded = 0), watched });
  }

  // Seeks unset the mark, so that only what really played counts; at double speed a minute of film is half a minute watched.
  function count() {
    if (!video.seeking && video.currentTime > mark) watched += (video.currentTime - mark) / rate;
    mark = video.seeking ? NaN : video.currentTime;
    rate = video.playbackRate || 1;
    if (synced) seen = position();
  }

  async function load(failures = 0) {
    try {
      const entry = await client.load(videoId, { signal: life.signal });
      if (entry) watched += entry.watch_duration;
      if (entry && resume) target = entry.resume_at;
      loaded = true;
      sync();
    } catch (cause) {
      const error = asError(cause);
      if (life.signal.aborted) return;
      if (error.retryable) {
        const retryInMs = retryDelay(failures, error);
        reload = window.setTimeout(load, retryInMs, failures + 1);
        report({ state: "retrying", position: 0, retryInMs, error });
      } else {
        finish(); // without knowing what is stored, a save could overwrite it
        report({ state: error.status === 401 ? "signed-out" : "failed", position: 0, error });
      }
    }
  }

  // Runs when the history or the metadata arrives, and acts when both are there: a seek before metadata is lost.
  function sync() {
    if (synced || restoring || over || !loaded || video.readyState < video.HAVE_METADATA) return;
    if (target > 0 && !(target >= video.duration) && !moved && !restart && video.currentTime < LATE_SECONDS) {
      restoring = true;
      video.currentTime = target;
    } else {
      begin();
    }
  }

  function begin(resumedAt = 0) {
    synced = true;
    restoring = false;
    recorded = moved ? -1 : resumedAt || position();
    report({ state: "ready", position: position() === resumedAt ? resumedAt : 0 });
    if (restart) saveStart();
    else record({ deliberate: moved });
    if (!video.paused) tick();
  }

  function tick() {
    if (!over) interval ||= window.setInterval(record, saveEveryMs);
  }
  const leave = () => record({ keepalive: true });
  const stop = () => (rest(), record());
  function rest() {
    clearInterval(interval);
    interval = 0;
  }

  /** @param {EventTarget} source @param {string} type @param {() => void} listener */
  const on = (source, type, listener) => source.addEventListener(type, listener, { signal: life.signal });
  on(video, "loadedmetadata", sync);
  on(video, "timeupdate", count);
  on(video, "ratechange", count);
  on(video, "playing", tick);
  on(video, "pause", stop);
  on(video, "ended", stop);
  on(video, "seeking", () => {
    mark = NaN;
    if (!synced && !restoring) moved = true;
  });
  on(video, "seeked", () => (restoring ? begin(target) : record({ deliberate: true })));
  on(video, "emptied", () => {
    // The host loads the same video again: its zero is no position, and it goes on where it was.
    if (synced) target = seen;
    synced = restoring = moved = false;
    rest();
  });
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && leave());
  on(window, "pagehide", leave);
  void load();

  return {
    async detach({ save = true } = {}) {
      if (life.signal.aborted) return;
      if (save) leave();
      life.abort();
      finish();
      await saver.settled();
    },

    async startOver() {
      restart = true;
      if (video.readyState >= video.HAVE_METADATA) video.currentTime = 0;
      if (synced) saveStart();
      await video.play().catch(() => {}); // a browser may want a gesture first; the position is right all the same
    },

    async forget() {
      saver.hold(); // a save still on its way would bring back what is being deleted
      recorded = -1;
      try {
        await saver.settled();
        await client.forget(videoId);
        watched = 0;
        recorded = position();
      } finally {
        if (!over) saver.release();
      }
    },
  };
}

/**
 * Brings positions to the server, one at a time, the newest always winning: what waits is replaced, never queued.
 * @param {(save: Save, keepalive: boolean, signal: AbortSignal) => Promise<unknown>} put
 * @param {(event: PlayheadEvent) => void} report
 */
function createSaver(put, report) {
  /** @type {Save | null} */
  let waiting = null;
  /** @type {{ save: Save, keepalive: boolean, stop: AbortController } | null} */
  let flight = null;
  let timer = 0;
  let failures = 0;
  let held = false;
  let running = Promise.resolve();

  function drop() {
    waiting = null;
    clearTimeout(timer);
    timer = 0;
  }

  /** @param {Save} save @param {boolean} keepalive */
  async function send(save, keepalive) {
    drop();
    flight?.stop.abort(); // only a keepalive save overtakes; the older one must neither land late nor be tried again
    const mine = (flight = { save, keepalive, stop: new AbortController() });
    const error = await put(save, keepalive, mine.stop.signal).then(() => null, asError);
    if (flight !== mine) return;
    flight = null;
    if (!error?.retryable) {
      failures = 0;
      report(error ? { state: finalState(error), position: save.position, error } : { state: "saved", position: save.position });
      if (waiting) running = send(waiting, false);
    } else if (!held) {
      const retryInMs = retryDelay(failures++, error);
      waiting ??= save;
      timer = window.setTimeout(() => waiting && (running = send(waiting, false)), retryInMs);
      report({ state: "retrying", position: waiting.position, retryInMs, error });
    }
  }

  /** @param {Save} save @param {boolean} [keepalive] at once and beside anything else, to outlive the page */
  function push(save, keepalive = false) {
    if (held) return;
    waiting = save;
    if (keepalive || !(flight || timer)) running = send(save, keepalive);
  }

  return {
    push,
    /** Sends what the server has not answered for in a way that outlives the page. */
    flush() {
      const unsure = waiting ?? (flight?.keepalive ? null : flight?.save);
      if (unsure) push(unsure, true);
    },
    /** Drops what waits and takes nothing new; what is on its way goes on. */
    hold: () => ((held = true), drop()),
    release: () => void (held = false),
    settled: () => running,
  };
}

/** @param {PlayheadError} error @returns {"gone" | "signed-out" | "failed"} */
const finalState = ({ status }) => (status === 404 ? "gone" : status === 401 ? "signed-out" : "failed");

/** Anything but an answer of the server counts as no answer. @param {unknown} cause */
const asError = (cause) => (cause instanceof PlayheadError ? cause : new PlayheadError(String(cause), { cause }));

/** @param {PlayheadError} error @returns {null} */
function nullWhenMissing(error) {
  if (error.status === 404) return null;
  throw error;
}

/** Doubles from try to try, spread so that players do not come back together. @param {number} failures @param {PlayheadError} error */
function retryDelay(failures, { retryAfterMs }) {
  const half = Math.min(RETRY_LIMIT_MS, RETRY_FIRST_MS * 2 ** failures) / 2;
  return Math.max(half, Math.min(retryAfterMs, RETRY_AFTER_LIMIT_MS)) + Math.random() * half;
}

/** Seconds or a date, by RFC 9110. @param {Response} response */
function retryAfter(response) {
  const value = response.headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return wait > 0 ? wait : 0;
}
