/**
 * Connects a video element to the state machine: reads the element at each event, and carries out
 * the effects. Every decision is made in `machine.js`.
 */
import { ELEMENT_EVENTS, initialState, transition } from "./machine.js";
import { now } from "./queue.js";
import { asError } from "./request.js";
import { retryDelay } from "./retry.js";
import { readEntry, videoPath } from "./sender.js";

/** @typedef {import("../playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../playhead.js").Connection} Connection */
/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").Handle} Handle */
/** @typedef {import("../playhead.js").HandleCalls} HandleCalls */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./machine.js").PlayerEffect} PlayerEffect */
/** @typedef {import("./machine.js").PlayerEvent} PlayerEvent */
/** @typedef {import("./playback.js").Reading} Reading */
/** @typedef {import("./retry.js").Timer} Timer */
/** @typedef {ReturnType<Connection["outbox"]["open"]>} PlayerSession */

/** From these `readyState`s of an element on it has its metadata, or can play on. */
const HAVE_METADATA = 1;
const HAVE_FUTURE_DATA = 3;

/**
 * Resumes and saves a video until it is detached.
 * @param {Pick<Connection, "request" | "outbox" | "currentAccount">} connection
 * @param {HTMLVideoElement} video @param {number | string} videoId
 * @param {AttachOptions & { signal: AbortSignal }} options
 * @returns {Handle}
 */
export function attach({ request, outbox, currentAccount }, video, videoId, options) {
  const life = new AbortController();
  const target = new EventTarget();
  /** @type {string | undefined} The account that the positions belong to, once it is known. */
  let account;
  /** @type {PlayerSession | null} */
  let session = null;
  let failures = 0;
  /** @type {Timer} */
  let retryTimer;
  let state = initialState(readElement(video), options);
  /** @type {PlayerEvent[]} */
  const events = [];
  /** @type {PlayerEffect[]} Those of the last event that are not carried out yet. */
  let effects = [];
  let isRunning = false;

  /** An event that an effect causes is handled after all effects. @param {PlayerEvent} event */
  function dispatch(event) {
    events.push(event);
    if (isRunning) return;
    isRunning = true;
    try {
      for (;;) {
        for (; effects[0]; effects.shift()) carryOut(effects[0]);
        const next = events.shift();
        if (!next) break;
        ({ state, effects } = transition(state, next, readElement(video)));
      }
    } finally {
      isRunning = false;
      effects = [];
    }
  }

  /**
   * The page is hidden or about to go away. While Firefox closes a tab, it may stop a script
   * anywhere and run no `finally`. Then the next event, a moment later, carries out the effects
   * that are left.
   */
  function leave() {
    isRunning = false;
    dispatch({ type: "leave" });
  }

  /** @param {PlayheadEvent} event */
  const emitState = (event) => emit("state", options.onState, event);
  /** @param {Entry | null} entry */
  const emitEntry = (entry) => emit("entry", options.onEntry, entry);

  /**
   * @template T
   * @param {string} type @param {((detail: T) => void) | undefined} callback @param {T} detail
   */
  function emit(type, callback, detail) {
    if (life.signal.aborted) return;
    // What it throws is reported by the browser as that of any promise, and stops nothing here.
    void (async () => callback?.(detail))();
    target.dispatchEvent(new CustomEvent(type, { detail }));
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
        emitState(effect.event);
        break;
      case "retryHistory":
        retryTimer = setTimeout(readHistory, effect.inMs);
        break;
    }
  }

  function stopRetry() {
    clearTimeout(retryTimer);
    retryTimer = undefined;
  }

  async function readHistory() {
    stopRetry();
    if (state.phase === "closed") return;
    try {
      account ??= (await currentAccount()) ?? "";
      if (life.signal.aborted) return;
      session ??= outbox.open(account, videoId, dispatch, emitEntry);
      readDuration(account).catch(() => {}); // the file's own will do
      dispatch({ type: "sessionOpened" });
      await outbox.deliver(); // a save that waits may be of this video
      const entry = await readEntry(request, videoId, { account, signal: life.signal });
      // A save that still waits may be newer than the entry.
      if (session.earlierSave()) throw outbox.lastError();
      const { resume_at = 0, watch_duration = 0 } = entry ?? {};
      dispatch({ type: "historyRead", resumeAt: resume_at, watched: watch_duration });
      emitEntry(entry);
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
    const video = await request("GET", videoPath(videoId), { account, signal: life.signal });
    dispatch({ type: "durationRead", duration: video.duration || null });
  }

  /** @param {EventTarget} source @param {string} type @param {() => void} listener */
  const on = (source, type, listener) =>
    source.addEventListener(type, listener, { signal: life.signal });
  for (const type of ELEMENT_EVENTS) on(video, type, () => dispatch({ type }));
  on(window, "pagehide", leave);
  on(window, "online", () => {
    if (!retryTimer) return;
    failures = 0;
    void readHistory();
  });
  on(document, "visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
  });

  /** The state machine hears of it first. @param {number} position */
  function seek(position) {
    if (state.phase !== "suspended") video.currentTime = position;
  }

  // Where the page calls these within a report, their event is handled after `await null`.
  /** @type {HandleCalls} */
  const calls = {
    async detach({ save = true } = {}) {
      if (life.signal.aborted) return;
      dispatch({ type: "detach", save });
      life.abort();
      stopRetry();
      if (isRunning) await null;
      await session?.close();
    },

    async startOver() {
      dispatch({ type: "startOver" });
      if (isRunning) await null;
      seek(0);
      // A browser may want a gesture first; the position is right all the same.
      await video.play().catch(() => {});
    },

    async goTo(position) {
      dispatch({ type: "goTo", position });
      if (isRunning) await null;
      seek(position);
    },

    suspend: () => dispatch({ type: "suspend" }),
    unsuspend: () => dispatch({ type: "unsuspend" }),
  };
  on(options.signal, "abort", () => void calls.detach());
  if (options.signal.aborted) void calls.detach();
  else void readHistory();
  return /** @type {Handle} */ (Object.assign(target, calls));
}

/** @param {HTMLVideoElement} video @returns {Reading} */
function readElement(video) {
  const { seekable, played, readyState } = video;
  return {
    currentTime: video.currentTime,
    duration: video.duration,
    playbackRate: video.playbackRate,
    paused: video.paused,
    ended: video.ended,
    seeking: video.seeking,
    loop: video.loop,
    hasMetadata: readyState >= HAVE_METADATA,
    hasFutureData: readyState >= HAVE_FUTURE_DATA,
    hasError: video.error !== null,
    seekable: seekable.length > 0 ? [seekable.start(0), seekable.end(seekable.length - 1)] : null,
    playedEnd: played.length > 0 ? played.end(played.length - 1) : 0,
    source: video.currentSrc,
    moment: now(),
  };
}
