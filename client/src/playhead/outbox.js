/**
 * Brings saves to the server. A save is written to the queue first, then sent, and sent again until
 * the server answers. Waiting saves go out together, and only with a token of their own account.
 */
import { answerEvent, finalState } from "./answers.js";
import { ageOf, createQueue, newSessionId } from "./queue.js";
import { PlayheadError, TIMEOUT_MS, asError, signedOutError } from "./request.js";
import { retryDelay } from "./retry.js";
import { createSender } from "./sender.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./queue.js").QueuedSave} QueuedSave */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("./sender.js").Outcome} Outcome */
/** @typedef {ReturnType<typeof createOutbox>} Outbox */
/**
 * `entry` is there if the server has answered with one.
 * @typedef {(event: PlayheadEvent, entry?: Entry) => void} Report
 *
 * One player, from attach to detach.
 * - retryingPosition: the position of its last event, if that was "retrying"; otherwise null
 * - storedPosition: the position that the server last took from it
 * @typedef {{ account: string, video: number | string, report: Report,
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
  const { readEntry, send } = createSender(request, device);
  /** @type {Map<string, PlayerSession>} By the key of their save in the queue. */
  const sessions = new Map();
  /** @type {Set<string>} The ids of all sessions that were opened here. */
  const ownIds = new Set();
  /** @type {Map<string, { raw: string, answered: Promise<void> }>} Saves sent with keepalive. */
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
      await deliverOnce().catch((cause) => void scheduleRetry(asError(cause)));
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
    const unsure = waiting.filter(({ save }) => save.unsure);
    if (!(await sendAll(account, sure, signal))) return;
    await sendAll(account, await dropStale(account, unsure, signal), signal);
  }

  /**
   * Another tab has sent a save of this session, or has given it up: the entry says which.
   * @param {string} key @param {PlayerSession} session @param {AbortSignal} signal
   */
  async function readOutcome(key, session, signal) {
    const { account, video } = session;
    const position = session.retryingPosition ?? 0;
    const { entry, error } = await readEntry(account, video, signal);
    if (error?.retryable) return;
    if (!entry) {
      session.retryingPosition = null;
      return;
    }
    // The end, as the server knows it, may be a second before the file's.
    const isSaved = entry.watch_position === position || entry.progress_percentage === 100;
    if (isSaved) emit(key, { state: "saved", position }, entry);
    else emit(key, { state: "superseded", position: entry.watch_position }, entry);
  }

  /**
   * @param {string} account @param {QueuedSave[]} items @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether none of them has to be tried again
   */
  async function sendAll(account, items, signal) {
    if (items.length === 0) return true;
    const outcomes = await send(account, items, { signal });
    applyOutcomes(account, items, outcomes);
    return !outcomes.some(({ error }) => error?.retryable);
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
      const { entry, error } = await readEntry(account, item.save.video, signal);
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
   */
  function applyOutcomes(account, items, outcomes) {
    const failed = outcomes.find(({ error }) => error?.retryable)?.error;
    const retryInMs = failed && scheduleRetry(failed);
    items.forEach((item, at) => {
      const { entry, error } = outcomes[at];
      const session = sessions.get(item.key);
      const isRejected = entry?.applied === false;
      if (isRejected && resendOverride(account, item, entry, session?.storedPosition)) return;
      if (entry?.applied && session) session.storedPosition = entry.watch_position;
      if (!error?.retryable && error?.status !== 401) queue.settle(item);
      if (error) emit(item.key, errorEvent(item, error, retryInMs));
      else emit(item.key, answerEvent(item.save, entry), entry ?? undefined);
    });
    if (failed) return;
    failures = 0;
    if (retryTimer) void deliver();
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

  /**
   * @param {QueuedSave} item @param {PlayheadError} error @param {number} [retryInMs]
   * @returns {PlayheadEvent}
   */
  function errorEvent({ key, save }, error, retryInMs) {
    const { position } = save;
    if (!error.retryable) return { state: finalState(error), position, error };
    return retryingEvent(key, queue.read(key)?.save.position ?? position, error, retryInMs);
  }

  /**
   * @param {string} key @param {number} position @param {PlayheadError} error
   * @param {number} [retryInMs] @returns {PlayheadEvent}
   */
  function retryingEvent(key, position, error, retryInMs) {
    return { state: "retrying", position, retryInMs, error, kept: queue.isKept(key) };
  }

  function stopTimer() {
    clearTimeout(retryTimer);
    retryTimer = undefined;
  }

  /** @param {PlayheadError} error @returns {number} milliseconds until the next try */
  function scheduleRetry(error) {
    const retryInMs = retryDelay(failures++, error);
    mustRepeat = false; // newer saves wait too
    stopTimer();
    if (!life.aborted) retryTimer = setTimeout(deliver, retryInMs);
    lastFailure = { error, retryAt: performance.now() + retryInMs };
    return retryInMs;
  }

  /**
   * Reports to the player, if it is still attached.
   * @param {string} key @param {PlayheadEvent} event @param {Entry} [entry]
   */
  function emit(key, event, entry) {
    const session = sessions.get(key);
    if (!session) return;
    session.retryingPosition = event.state === "retrying" ? event.position : null;
    if (event.state === "gone" || event.state === "signed-out") sessions.delete(key);
    session.report(event, entry);
  }

  /**
   * Sends one save at once, in a request that outlives the page.
   * @param {string} account @param {string} key
   */
  function sendNow(account, key) {
    const item = queue.read(key);
    // An unsure save waits for the next page, which can read the entry first.
    if (!item || item.save.unsure || urgent.get(key)?.raw === item.raw) return;
    const answered = send(account, [item], { keepalive: true }).then((outcomes) => {
      if (urgent.get(key)?.raw === item.raw) urgent.delete(key);
      applyOutcomes(account, [item], outcomes);
    });
    urgent.set(key, { raw: item.raw, answered });
  }

  /** Done when all requests under way are answered. */
  async function settle() {
    await Promise.all([delivery, ...[...urgent.values()].map(({ answered }) => answered)]);
  }

  const isOnline = () => {
    failures = 0;
    controller.abort(); // its requests went into the dead network
    void deliver();
  };
  globalThis.addEventListener?.("online", isOnline, { signal: life });
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
    deliver,
    settle,
    newestWaiting,

    /** Whether a player session was opened here. @param {string | null} id */
    isOwnSession: (id) => id !== null && ownIds.has(id),

    /** The error of a save that waits for its next try. @returns {PlayheadError} */
    waitError() {
      const retryAfterMs = Math.max(0, lastFailure.retryAt - performance.now());
      return new PlayheadError("A save waits to be delivered", { retryAfterMs });
    },

    /**
     * Removes queued saves.
     * @param {string} account @param {(save: Save) => boolean} isUnwanted
     * @returns {() => void} puts them back
     */
    drop(account, isUnwanted) {
      const dropped = queue.drop(account, isUnwanted);
      for (const { key } of dropped) {
        const session = sessions.get(key);
        if (session) session.retryingPosition = null;
      }
      return () => {
        for (const { key, save } of dropped) if (!queue.read(key)) queue.put(account, key, save);
      };
    },

    /**
     * Opens a session of a player.
     * @param {string} account empty if the user is unknown
     * @param {number | string} video @param {Report} report
     */
    open(account, video, report) {
      const session = newSessionId();
      ownIds.add(session);
      const key = queue.keyOf(account, session, video);
      let sequence = 0;
      sessions.set(key, { account, video, report, retryingPosition: null });
      return {
        /** @param {PlayerSave} save @param {boolean} [keepalive] whether the page may go away */
        push({ withoutSession, ...save }, keepalive = false) {
          const id = withoutSession ? null : session;
          queue.put(account, key, { video, ...save, session: id, sequence: ++sequence });
          if (keepalive) return sendNow(account, key);
          if (delivery) mustRepeat = true;
          else if (!retryTimer) void deliver();
          else {
            const { error, retryAt } = lastFailure;
            emit(key, retryingEvent(key, save.position, error, retryAt - performance.now()));
          }
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
