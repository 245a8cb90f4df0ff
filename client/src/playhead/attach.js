/**
 * Connects a video element to the state machine: reads the element at each event, and carries out
 * the effects. Every decision is made in `machine.js`.
 */
import { initialState, transition } from "./machine.js";
import { now } from "./queue.js";
import { asError } from "./request.js";
import { retryDelay } from "./retry.js";

/** @typedef {import("../playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../playhead.js").Connection} Connection */
/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").Handle} Handle */
/** @typedef {import("../playhead.js").HandleCalls} HandleCalls */
/** @typedef {import("../playhead.js").Playhead} Playhead */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./machine.js").PlayerEffect} PlayerEffect */
/** @typedef {import("./machine.js").PlayerEvent} PlayerEvent */
/** @typedef {import("./playback.js").Reading} Reading */
/** @typedef {import("./retry.js").Timer} Timer */
/** @typedef {ReturnType<Connection["outbox"]["open"]>} PlayerSession */

/** How long the first answer of the server is waited for. */
const OVERDUE_MS = 10_000;

/** The events of the element, and what the state machine calls them. */
const ELEMENT_EVENTS = /** @type {const} */ ({
  loadedmetadata: "loadedmetadata",
  durationchange: "durationchange",
  canplay: "progress",
  timeupdate: "progress",
  ratechange: "change",
  play: "change",
  waiting: "change",
  playing: "playing",
  pause: "pause",
  ended: "ended",
  seeking: "seeking",
  seeked: "seeked",
  emptied: "emptied",
});

/**
 * Resumes and saves a video until it is detached.
 * @param {Pick<Connection, "outbox" | "currentAccount">
 *   & { client: Pick<Playhead, "load" | "duration" | "forget"> }} server
 * @param {HTMLVideoElement} video @param {number | string} videoId
 * @param {AttachOptions & { signal: AbortSignal }} options
 * @returns {Handle}
 */
export function attach({ client, outbox, currentAccount }, video, videoId, options) {
  const { resume = true, startedAt = NaN, saveEveryMs = 10_000, signal } = options;
  const life = new AbortController();
  const target = new EventTarget();
  /** @type {string | undefined} The account that the positions belong to, once it is known. */
  let account;
  /** @type {PlayerSession | null} */
  let session = null;
  let failures = 0;
  /** @type {Timer} */
  let interval;
  /** @type {Timer} */
  let retryTimer;
  /** @type {Timer} */
  let overdueTimer;
  let state = initialState(resume, readElement(video), startedAt);
  /** @type {PlayerEvent[]} */
  const events = [];
  let isRunning = false;

  /** An event that an effect causes is handled after all effects. @param {PlayerEvent} event */
  function dispatch(event) {
    events.push(event);
    if (isRunning) return;
    isRunning = true;
    try {
      for (let next = events.shift(); next; next = events.shift()) {
        const result = transition(state, next, readElement(video));
        state = result.state;
        result.effects.forEach(carryOut);
      }
    } finally {
      isRunning = false;
    }
  }

  /** @param {PlayheadEvent} event */
  function tellState(event) {
    if (life.signal.aborted) return;
    options.onState?.(event);
    target.dispatchEvent(new CustomEvent("state", { detail: event }));
  }

  /** @param {Entry | null} entry */
  function tellEntry(entry) {
    if (life.signal.aborted) return;
    options.onEntry?.(entry);
    target.dispatchEvent(new CustomEvent("entry", { detail: entry }));
  }

  /** @param {PlayerEffect} effect */
  function carryOut(effect) {
    switch (effect.type) {
      case "seek":
        video.currentTime = effect.to;
        break;
      case "save":
        session?.push(effect.save, effect.keepalive);
        break;
      case "flush":
        session?.flush();
        break;
      case "report":
        tellState(effect.event);
        break;
      case "startInterval":
        interval ??= setInterval(() => dispatch({ type: "interval" }), saveEveryMs);
        break;
      case "stopInterval":
        stopInterval();
        break;
      case "retryHistory":
        retryTimer = setTimeout(readHistory, effect.inMs);
        break;
      case "close":
        stopInterval();
        stopRetry();
        clearTimeout(overdueTimer);
        break;
    }
  }

  function stopInterval() {
    clearInterval(interval);
    interval = undefined;
  }

  function stopRetry() {
    clearTimeout(retryTimer);
    retryTimer = undefined;
  }

  async function readHistory() {
    stopRetry();
    try {
      account ??= (await currentAccount()) ?? "";
      if (life.signal.aborted) return;
      session ??= outbox.open(account, videoId, (answer, entry) => {
        dispatch({ type: "saveAnswered", answer });
        if (entry) tellEntry(entry);
      });
      void readDuration(account);
      dispatch({ type: "sessionOpened" });
      await outbox.deliver(); // a save that waits may be of this video
      const entry = await client.load(videoId, { account, signal: life.signal });
      // A save that still waits may be newer than the entry.
      if (session.earlierSave()) throw outbox.waitError();
      const [resumeAt, watched] = [entry?.resume_at ?? 0, entry?.watch_duration ?? 0];
      dispatch({ type: "historyRead", resumeAt, watched });
      tellEntry(entry);
    } catch (cause) {
      if (!life.signal.aborted) failToRead(asError(cause));
    }
  }

  /** @param {import("./request.js").PlayheadError} error */
  function failToRead(error) {
    if (!error.retryable) return dispatch({ type: "historyRefused", error });
    const retryInMs = retryDelay(failures++, error);
    dispatch({ type: "historyDelayed", kept: session?.earlierSave(), retryInMs, error });
  }

  /** @param {string} account */
  async function readDuration(account) {
    const request = client.duration(videoId, { account, signal: life.signal });
    const duration = await request.catch(() => state.serverDuration);
    dispatch({ type: "durationRead", duration: duration || null });
  }

  /** @param {EventTarget} source @param {string} type @param {() => void} listener */
  const on = (source, type, listener) =>
    source.addEventListener(type, listener, { signal: life.signal });
  for (const [name, type] of Object.entries(ELEMENT_EVENTS)) {
    on(video, name, () => dispatch({ type }));
  }
  on(window, "pagehide", () => dispatch({ type: "leave" }));
  on(window, "online", () => {
    if (!retryTimer) return;
    failures = 0;
    void readHistory();
  });
  on(document, "visibilitychange", () => {
    if (document.visibilityState === "hidden") dispatch({ type: "leave" });
  });
  overdueTimer = setTimeout(() => dispatch({ type: "overdue" }), OVERDUE_MS);

  // Where the page calls these within a report, their event is handled after `await null`.
  /** @type {HandleCalls} */
  const calls = {
    async detach({ save = true } = {}) {
      if (life.signal.aborted) return;
      dispatch({ type: "detach", save });
      life.abort();
      if (isRunning) await null;
      await session?.close();
    },

    async startOver() {
      dispatch({ type: "startOver" });
      if (isRunning) await null;
      // A browser may want a gesture first; the position is right all the same.
      await video.play().catch(() => {});
    },

    async goTo(position) {
      dispatch({ type: "goTo", position });
      if (isRunning) await null;
    },

    async forget() {
      dispatch({ type: "forget" });
      if (isRunning) await null;
      try {
        await client.forget(videoId, { account });
        dispatch({ type: "forgotten" });
      } catch (error) {
        dispatch({ type: "forgetFailed" });
        throw error;
      }
    },

    suspend: () => dispatch({ type: "suspend" }),
    unsuspend: () => dispatch({ type: "unsuspend" }),
  };
  on(signal, "abort", () => void calls.detach());
  if (signal.aborted) void calls.detach();
  else void readHistory();
  return /** @type {Handle} */ (Object.assign(target, calls));
}

/** @param {HTMLVideoElement} video @returns {Reading} */
function readElement(video) {
  const { currentTime, duration, playbackRate, paused, ended, seeking, loop } = video;
  const { seekable, played, readyState, currentSrc } = video;
  return {
    currentTime,
    duration,
    playbackRate,
    paused,
    ended,
    seeking,
    loop,
    hasMetadata: readyState >= video.HAVE_METADATA,
    hasFutureData: readyState >= video.HAVE_FUTURE_DATA,
    hasError: video.error !== null,
    seekable: seekable.length > 0 ? [seekable.start(0), seekable.end(seekable.length - 1)] : null,
    playedEnd: played.length > 0 ? played.end(played.length - 1) : null,
    source: currentSrc,
    moment: now(),
  };
}
