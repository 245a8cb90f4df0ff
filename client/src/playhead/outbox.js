/**
 * Brings saves to the server. A save is written to the queue first, then sent, and sent again until
 * the server answers. Waiting saves go out together, and only with a token of their own account.
 */
import { answerEvent, finalState } from "./answers.js";
import { ageOf, createQueue, newSessionId } from "./queue.js";
import { PlayheadError, TIMEOUT_MS, asError, signedOutError } from "./request.js";
import { retryDelay } from "./retry.js";
import { outcomeOf, readEntry, send } from "./sender.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./queue.js").QueuedSave} QueuedSave */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("./sender.js").Outcome} Outcome */
/** @typedef {ReturnType<typeof createOutbox>} Outbox */
/**
 * One player, from attach to detach.
 * - retryingPosition: the position of its last event, if that was "retrying"; otherwise null
 * - storedPosition: the position that the server last took from it
 * - dispatch: takes what happens to its saves and to its entry
 * - tellEntry: takes each entry that the server has answered with
 * @typedef {{ account: string, video: number | string,
 *   dispatch: (event: import("./machine.js").PlayerEvent) => void,
 *   tellEntry: (entry: Entry) => void,
 *   retryingPosition: number | null, storedPosition?: number }} PlayerSession
 *
 * A position of a player, as in the queue. `withoutSession`: the server is to compare it with other
 * saves by age alone, not as part of its player session.
 * @typedef {import("./queue.js").Moment & { position: number, watched: number, played: number,
 *   chosen: boolean, unsure: boolean, resumed: boolean, ended: boolean,
 *   withoutSession: boolean }} PlayerSave
 */

/**
 * @param {Pick<import("./request.js").Requests, "request" | "currentAccount">} requests
 * @param {AbortSignal} life when it ends, so do the timer and the listener; a delivery under way
 *   still ends, and what then waits is delivered by the next page
 * @param {string} [device] the name of this device, for people
 */
export function createOutbox({ request, currentAccount }, life, device) {
  const queue = createQueue();
  /** @type {Map<string, PlayerSession>} By the key of their save in the queue. */
  const sessions = new Map();
  /** @type {Map<string, { raw: string, answered: Promise<unknown> }>} Saves sent with keepalive. */
  const urgent = new Map();
  /** @type {Promise<void> | null} */
  let delivery = null;
  let controller = new AbortController();
  let mustRepeat = false;
  /** @type {import("./retry.js").Timer} */
  let retryTimer;
  let failures = 0;
  let lastFailure = { error: asError(null), retryAt: 0 };

  /**
   * Sends the queued saves of the signed-in account.
   * @returns {Promise<void>} done when everything is answered or has failed; never rejects
   */
  function deliver() {
    stopTimer();
    mustRepeat = true;
    return (delivery ??= deliverAll().finally(() => (delivery = null)));
  }

  async function deliverAll() {
    while (mustRepeat) {
      mustRepeat = false;
      if (queue.isEmpty() && sessions.size === 0) continue;
      await deliverOnce().catch((cause) => scheduleRetry(asError(cause)));
    }
  }

  async function deliverOnce() {
    const account = await currentAccount();
    controller = new AbortController();
    const { signal } = controller;
    for (const [key, session] of sessions) {
      const item = queue.read(key);
      if (item && session.account !== account) {
        const { position } = item.save;
        emit(key, { state: "signed-out", position, error: signedOutError() });
      } else if (!item && session.retryingPosition !== null && session.account === account) {
        await readOutcome(key, session, signal);
      }
    }
    if (account === null) return;
    const waiting = queue.waiting(account);
    // The sure saves go first, so that the entries read for the unsure ones contain them.
    const sure = waiting.filter(({ save }) => !save.unsure);
    if (!(await sendAll(account, sure, signal))) return;
    const unsure = waiting.filter(({ save }) => save.unsure);
    await sendAll(account, await dropStale(account, unsure, signal), signal);
  }

  /**
   * Another tab has sent a save of this session, or has given it up: the entry says which.
   * @param {string} key @param {PlayerSession} session @param {AbortSignal} signal
   */
  async function readOutcome(key, session, signal) {
    const { account, video } = session;
    const position = session.retryingPosition ?? 0;
    session.retryingPosition = null;
    const entry = await readEntry(request, video, { account, signal });
    // The end, as the server knows it, may be a second before the file's.
    const applied = entry?.progress_percentage === 100;
    if (entry) emit(key, answerEvent({ position }, { ...entry, applied }), entry);
  }

  /**
   * @param {string} account @param {QueuedSave[]} items @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether none of them has to be tried again
   */
  async function sendAll(account, items, signal) {
    if (items.length === 0) return true;
    const outcomes = await send(request, items, { account, signal }, device);
    return applyOutcomes(account, items, outcomes);
  }

  /**
   * Drops saves that nobody chose and that are behind the server's resume position. Saves whose
   * entry cannot be read now stay in the queue.
   * @param {string} account @param {QueuedSave[]} items @param {AbortSignal} signal
   * @returns {Promise<QueuedSave[]>} the saves to send
   */
  async function dropStale(account, items, signal) {
    const fresh = [];
    for (const item of items) {
      const reading = readEntry(request, item.save.video, { account, signal });
      const { entry, error } = await outcomeOf(reading);
      if (error?.retryable) {
        applyOutcomes(account, [item], [{ error }]);
        if (error.status === 0) return []; // the server cannot be reached
      } else if (entry && entry.resume_at > item.save.position) {
        queue.settle(item);
        emit(item.key, { state: "superseded", position: entry.watch_position }, entry);
      } else {
        fresh.push(item); // after a final error the save meets it as well, and reports it
      }
    }
    return fresh;
  }

  /**
   * Removes what is answered from the queue, reports it, and plans the next try.
   * @param {string} account @param {QueuedSave[]} items @param {Outcome[]} outcomes
   * @returns {boolean} whether none of them has to be tried again
   */
  function applyOutcomes(account, items, outcomes) {
    const failed = outcomes.find(({ error }) => error?.retryable)?.error;
    if (failed) scheduleRetry(failed);
    items.forEach((item, at) => {
      const { entry, error } = outcomes[at];
      const { key, save } = item;
      const session = sessions.get(key);
      const isRejected = entry?.applied === false;
      if (isRejected && resendOverride(account, item, entry, session?.storedPosition)) return;
      if (entry?.applied && session) session.storedPosition = entry.watch_position;
      if (!error?.retryable && error?.status !== 401) queue.settle(item);
      const { position } = save;
      if (!error) emit(key, answerEvent(save, entry), entry);
      else if (error.retryable) emitRetrying(key, queue.read(key)?.save.position ?? position);
      else emit(key, { state: finalState(error), position, error });
    });
    if (failed) return false;
    failures = 0;
    if (retryTimer) void deliver();
    return true;
  }

  /**
   * Sends a save that the viewer chose once more, if the server may have rejected it by mistake.
   * The server may have taken it for a failed start: then it is sent without its session, so that
   * only its age counts. By age it may be older than the save before it, which took longer to reach
   * the server: then it is sent as a save of now. A newer save of another device stays.
   * @param {string} account @param {QueuedSave} item @param {Entry} entry
   * @param {number} [storedPosition] of the save before it
   * @returns {boolean} whether it is sent again
   */
  function resendOverride(account, { key, raw, save }, entry, storedPosition) {
    if (!save.chosen || queue.read(key)?.raw !== raw) return false;
    const isFailedStart = save.session !== null && entry.watch_position > save.position;
    const isYoung = save.session === null && !save.now && ageOf(save) < TIMEOUT_MS;
    const isBehindItself = isYoung && entry.watch_position === storedPosition;
    if (!isFailedStart && !isBehindItself) return false;
    queue.put(account, key, { ...save, session: null, now: isBehindItself });
    void deliver();
    return true;
  }

  /** A save waits for the next try. @param {string} key @param {number} position */
  function emitRetrying(key, position) {
    const { error, retryAt } = lastFailure;
    const retryInMs = retryAt - performance.now();
    emit(key, { state: "retrying", position, retryInMs, error, kept: queue.isKept(key) });
  }

  function stopTimer() {
    clearTimeout(retryTimer);
    retryTimer = undefined;
  }

  /** @param {PlayheadError} error */
  function scheduleRetry(error) {
    const retryInMs = retryDelay(failures++, error);
    mustRepeat = false; // newer saves wait too
    stopTimer();
    if (!life.aborted) retryTimer = setTimeout(deliver, retryInMs);
    lastFailure = { error, retryAt: performance.now() + retryInMs };
  }

  /**
   * Reports to the player, if it is still attached.
   * @param {string} key @param {PlayheadEvent} event @param {Entry | null} [entry]
   */
  function emit(key, event, entry) {
    const session = sessions.get(key);
    if (!session) return;
    session.retryingPosition = event.state === "retrying" ? event.position : null;
    if (event.state === "gone" || event.state === "signed-out") sessions.delete(key);
    session.dispatch({ type: "saveAnswered", answer: event });
    if (entry) session.tellEntry(entry);
  }

  /**
   * Sends one save at once, in a request that outlives the page.
   * @param {string} account @param {string} key
   */
  function sendNow(account, key) {
    const item = queue.read(key);
    // An unsure save waits for the next page, which can read the entry first.
    if (!item || item.save.unsure || urgent.get(key)?.raw === item.raw) return;
    const options = { account, keepalive: true };
    const answered = send(request, [item], options, device).then(
      /** @returns {unknown} */ (outcomes) => {
        if (urgent.get(key)?.raw === item.raw) urgent.delete(key);
        // A token from memory may have expired. A delivery can wait for a newer one.
        return outcomes[0].error?.status === 401
          ? deliver()
          : applyOutcomes(account, [item], outcomes);
      },
    );
    urgent.set(key, { raw: item.raw, answered });
  }

  /** Done when all requests under way are answered. */
  async function settle() {
    await Promise.all([delivery, ...[...urgent.values()].map(({ answered }) => answered)]);
  }

  /** The network is back. */
  function retryNow() {
    failures = 0;
    controller.abort(); // its requests went into the dead network
    void deliver();
  }
  globalThis.addEventListener?.("online", retryNow, { signal: life });
  life.addEventListener("abort", stopTimer);

  /**
   * The newest waiting save of a video, by other player sessions than that of the key. An unsure
   * one counts only if it was resumed.
   * @param {string} account @param {number | string} video @param {string} [ownKey]
   */
  function newestWaiting(account, video, ownKey) {
    const waiting = queue.waiting(account).filter(({ key, save }) => {
      const isOfVideo = String(save.video) === String(video);
      return key !== ownKey && isOfVideo && (!save.unsure || save.resumed);
    });
    return waiting.at(-1)?.save;
  }

  return {
    queue,
    sessions,
    deliver,
    settle,
    newestWaiting,

    /** Why the last try has failed. */
    lastError: () => lastFailure.error,

    /**
     * Opens a session of a player.
     * @param {string} account empty if the user is unknown
     * @param {number | string} video @param {PlayerSession["dispatch"]} dispatch
     * @param {PlayerSession["tellEntry"]} tellEntry
     */
    open(account, video, dispatch, tellEntry) {
      const session = newSessionId();
      const key = queue.keyOf(account, session, video);
      let sequence = 0;
      sessions.set(key, { account, video, dispatch, tellEntry, retryingPosition: null });
      return {
        /** @param {PlayerSave} save @param {boolean} [keepalive] whether the page may go away */
        push({ withoutSession, ...save }, keepalive = false) {
          const id = withoutSession ? null : session;
          queue.put(account, key, { video, ...save, session: id, sequence: ++sequence });
          if (keepalive) return sendNow(account, key);
          if (delivery) mustRepeat = true;
          else if (retryTimer) emitRetrying(key, save.position);
          else void deliver();
        },

        /** Sends the newest save now, if it is not answered yet. */
        flush: () => sendNow(account, key),

        /** The newest waiting save of an earlier session of this video. */
        earlierSave: () => newestWaiting(account, video, key),

        /** Ends the reports. Queued saves are still delivered. */
        async close() {
          sessions.delete(key);
          await settle();
          // Without an account, nothing says whose save it is.
          if (account === "") queue.remove(key);
        },
      };
    },
  };
}
