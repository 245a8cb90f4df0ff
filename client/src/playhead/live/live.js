/**
 * What the viewer's other devices do, as it happens: connects the state machine of `machine.js` to
 * the socket, the changes that are polled without it, and the page.
 *
 *     const playhead = createPlayhead({ getToken });
 *     const live = createLive(playhead);
 *     const stop = live.subscribe((event) => console.log(event));
 */
import { queryOf } from "../query.js";
import { asError, signedOutError } from "../request.js";
import { initialState, transition } from "./machine.js";
import { createOwnChanges } from "./own.js";
import { createPicture } from "./picture.js";
import { createSocket } from "./socket.js";

/** @typedef {import("../../playhead.js").Entry} Entry */
/** @typedef {import("../../playhead.js").Preferences} Preferences */
/** @typedef {import("./machine.js").ConnectionEffect} ConnectionEffect */
/** @typedef {import("./machine.js").ConnectionEvent} ConnectionEvent */
/** @typedef {import("./machine.js").Phase} Phase */
/** @typedef {import("./machine.js").TimerName} TimerName */
/**
 * What is told to subscribers.
 * - entry: the server has this entry of a video now, null after its deletion. `isOwn`: a player or
 *   an edit of this page has caused it; false for a deletion. May come twice, first as the page's
 *   own while that is not certain
 * - cleared: all that was last watched before this time was deleted
 * - preferences: the viewer has changed them
 * - resync: something may have happened that is not told; read what you show anew
 * - phase: "live" while messages arrive
 * @typedef {{ type: "entry", videoId: number, entry: Entry | null, isOwn: boolean }
 *   | { type: "cleared", before: string } | { type: "preferences", preferences: Preferences }
 *   | { type: "resync" } | { type: "phase", phase: Phase }} LiveEvent
 *
 * @typedef {{ changes: { video_id: number, entry: Entry | null }[], token: string,
 *   more: boolean }} ChangesPage
 * @typedef {ReturnType<typeof createLive>} Live
 */

const EXPIRED = 410;
/** How long a server that does not know the changes is left alone. */
const UNKNOWN_MS = 600_000;

/**
 * Nothing is connected before somebody subscribes. One is enough for all views of a page: each has
 * a connection of its own. It ends with the client.
 * @param {Pick<import("../../playhead.js").Playhead, "connection">} playhead
 */
export function createLive({ connection }) {
  const { request, requestToken, currentAccount, accountOf, onRequest } = connection;
  const { baseUrl, outbox } = connection;
  const picture = createPicture();
  const life = new AbortController();
  /** @type {Set<(event: LiveEvent) => void>} */
  const listeners = new Set();
  /** @type {Map<TimerName, ReturnType<typeof setTimeout>>} */
  const timers = new Map();
  let state = initialState(globalThis.document?.visibilityState === "hidden");
  /** @type {string | null} The account that the picture is of. */
  let account = null;
  /** @type {string | null} The server has told all changes up to this one. */
  let place = null;
  let isCatchingUp = false; // whether a greeting waits for its answer
  let hasGap = false; // whether that answer leaves out what happened before
  let isReadingAnew = false; // whether all entries are being polled
  /** @type {AbortController | null} */
  let polling = null;
  const own = createOwnChanges(outbox, (videoId, entry) => {
    if (picture.get(videoId) === entry) emit({ type: "entry", videoId, entry, isOwn: false });
  });
  onRequest.add(own.observe);
  life.signal.addEventListener("abort", () => onRequest.delete(own.observe));
  const socket = createSocket({ requestToken, baseUrl, dispatch, isOther, greeting, onMessage });

  /** @param {ConnectionEvent} event */
  function dispatch(event) {
    if (life.signal.aborted) return;
    const result = transition(state, event);
    state = result.state;
    result.effects.forEach(carryOut);
  }

  /** @param {ConnectionEffect} effect */
  function carryOut(effect) {
    switch (effect.type) {
      case "open":
        return socket.open(effect.isRefused);
      case "close":
        return socket.close();
      case "greet":
        return socket.greet(effect.isExpiring);
      case "poll":
        return void poll();
      case "stopPoll":
        return polling?.abort();
      case "reset":
        return startAnew();
      case "report":
        return emit({ type: "phase", phase: effect.phase });
      case "timer":
        return setTimer(effect.name, effect.inMs);
      case "stopTimer":
        return stopTimer(effect.name);
    }
  }

  /** @param {TimerName} name @param {number} inMs */
  function setTimer(name, inMs) {
    stopTimer(name);
    const end = () => {
      timers.delete(name);
      dispatch({ type: "timer", name });
    };
    timers.set(name, setTimeout(end, inMs));
  }

  /** @param {TimerName} name */
  function stopTimer(name) {
    clearTimeout(timers.get(name));
    timers.delete(name);
  }

  /** @param {LiveEvent} event */
  function emit(event) {
    // What one throws is reported by the browser as that of any promise, and stops no other.
    for (const listener of [...listeners]) void (async () => listener(event))();
  }

  /** Nothing that was heard is of use. */
  function startAnew() {
    picture.clear();
    place = null;
  }

  /** @param {string} reader the account that reads from now on */
  function readAs(reader) {
    if (account !== reader) startAnew();
    account = reader;
  }

  /** Whether a token is of another account than the picture. @param {string} token */
  function isOther(token) {
    return accountOf(token) !== account;
  }

  /** @param {string} token */
  function greeting(token) {
    readAs(accountOf(token));
    isCatchingUp = true;
    // What a poll has read of all entries so far was not told.
    hasGap = place === null || isReadingAnew;
    return { type: "hello", token, ...(place !== null && { since: place }) };
  }

  /** @param {number} videoId @param {Entry | null} entry @param {string | null} session */
  function note(videoId, entry, session) {
    if (!picture.note(videoId, entry) || isReadingAnew) return;
    const isOwn = entry !== null && own.isOwn(account ?? "", entry, session);
    emit({ type: "entry", videoId, entry, isOwn });
  }

  /** Messages of a later version of the server are ignored. @param {any} message */
  function onMessage(message) {
    switch (message?.type) {
      case "ready":
        return ready(message.token);
      case "entry":
        return note(message.entry.video_id, message.entry, message.session_id);
      case "forgotten":
        return note(message.video_id, null, null);
      case "cleared":
        picture.clearBefore(message.before);
        return emit({ type: "cleared", before: message.before });
      case "preferences":
        return emit({ type: "preferences", preferences: message.preferences });
      case "resync":
        // In answer to a greeting: its place is too old, and the next one says "ready" anew.
        if (!isCatchingUp) return dispatch({ type: "resync" });
        hasGap = true;
        return picture.clear();
    }
  }

  /** @param {string} token */
  function ready(token) {
    place = token;
    isCatchingUp = isReadingAnew = false;
    dispatch({ type: "ready" });
    if (hasGap) emit({ type: "resync" });
  }

  async function poll() {
    polling?.abort();
    polling = new AbortController();
    const { signal } = polling;
    const leastMs = await readChanges(signal).then(() => 0, pollFailed);
    if (!signal.aborted) dispatch({ type: "polled", leastMs });
  }

  /** @param {unknown} cause @returns {number} how long to wait */
  function pollFailed(cause) {
    const { retryable, retryAfterMs } = asError(cause);
    return retryable ? retryAfterMs : UNKNOWN_MS;
  }

  /** Reads all that has changed since `place`, or all entries. @param {AbortSignal} signal */
  async function readChanges(signal) {
    const reader = await currentAccount();
    if (signal.aborted) return;
    if (reader === null) throw signedOutError();
    readAs(reader);
    let page = await readPage(reader, signal).catch((cause) => readAnew(cause, reader, signal));
    while (!signal.aborted) {
      for (const { video_id, entry } of page.changes) note(video_id, entry, null);
      place = page.token;
      if (!page.more) break;
      page = await readPage(reader, signal);
    }
    if (signal.aborted) return;
    if (!isReadingAnew) return;
    isReadingAnew = false;
    emit({ type: "resync" });
  }

  /** @param {string} account @param {AbortSignal} signal @returns {Promise<ChangesPage>} */
  function readPage(account, signal) {
    isReadingAnew ||= place === null;
    const path = `/watch-history/changes${queryOf({ since: place })}`;
    return request("GET", path, { account, signal });
  }

  /** @param {unknown} cause @param {string} account @param {AbortSignal} signal */
  function readAnew(cause, account, signal) {
    if (asError(cause).status !== EXPIRED || place === null) throw cause;
    startAnew();
    return readPage(account, signal);
  }

  /**
   * @param {EventTarget | undefined} target @param {string} type
   * @param {(event: any) => void} listener
   */
  const on = (target, type, listener) =>
    target?.addEventListener?.(type, listener, { signal: life.signal });
  on(globalThis.document, "visibilitychange", () =>
    dispatch({ type: document.visibilityState === "hidden" ? "hidden" : "shown" }),
  );
  on(globalThis, "online", () => dispatch({ type: "online" }));
  on(globalThis, "offline", () => dispatch({ type: "offline" }));
  // A page with a socket cannot be kept by the browser to be shown again.
  on(globalThis, "pagehide", () => dispatch({ type: "frozen" }));
  on(globalThis, "pageshow", ({ persisted }) => persisted && dispatch({ type: "shown" }));

  const live = {
    /**
     * Calls back at each event, until the signal is aborted. The first subscriber connects.
     * @param {(event: LiveEvent) => void} listener @param {{ signal?: AbortSignal }} [options]
     * @returns {() => void} ends the subscription
     */
    subscribe(listener, { signal } = {}) {
      function unsubscribe() {
        if (listeners.delete(listener) && listeners.size === 0) dispatch({ type: "abandoned" });
      }
      if (signal?.aborted) return unsubscribe;
      listeners.add(listener);
      signal?.addEventListener("abort", unsubscribe, { once: true });
      dispatch({ type: "subscribed" });
      return unsubscribe;
    },

    /** The entry of a video; null if it was deleted, undefined if nothing was heard of it. */
    entry: picture.get,

    /** The entries that were heard of. */
    entries: picture.all,

    /** @returns {Phase} "live" while messages arrive */
    phase: () => state.phase,

    /** Another user may have signed in, or nobody is signed in. */
    async check() {
      const current = await currentAccount().catch(() => account);
      const isKnown = account !== null || state.isSignedOut;
      if (current === account || !isKnown) return;
      account = current;
      dispatch({ type: "account" });
    },

    /** Ends the connection for good. */
    close() {
      dispatch({ type: "frozen" });
      life.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      listeners.clear();
      connection.onDeliver.delete(live.check);
    },
  };
  connection.onDeliver.add(live.check);
  on(connection.signal, "abort", live.close);
  if (connection.signal.aborted) live.close();
  return live;
}
