/**
 * Brings saves to the server: written down first, then sent, and again until it answers. What waits goes out together, and
 * only under a token of the account that it belongs to.
 */
import { PlayheadError, TIMEOUT_MS, asError, problemError, signedOut } from "./request.js";
import { ageOf, createQueue } from "./queue.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("./queue.js").Waiting} Waiting */
/**
 * What became of a save.
 * @typedef {{ entry: Entry, error?: undefined } | { entry?: undefined, error: PlayheadError }} Outcome
 *
 * An opening of a player. `retrying`: the position that it was last told of, when that was bad news; `stored`: the one that the server
 * last took from it.
 * @typedef {{ account: string, video: number | string, report: (event: PlayheadEvent) => void, retrying: number | null,
 *   stored?: number }} Opening
 *
 * A position and when it was reached, as in the queue; `lone`: not to be weighed as part of its opening.
 * @typedef {import("./queue.js").Moment & { position: number, watched: number, chosen: boolean, lone: boolean, unsure: boolean,
 *   resumed: boolean }} PlayerSave
 */

const RETRY_FIRST_MS = 1_000;
const RETRY_LIMIT_MS = 30_000;
const RETRY_AFTER_LIMIT_MS = 3_600_000;

/** @param {import("./request.js").Requests} requests */
export function createOutbox({ call, whoIsSignedIn }) {
  const queue = createQueue();
  /** @type {Map<string, Opening>} */
  const openings = new Map();
  /** Saves on their way beside the others, to outlive the page. @type {Map<string, { raw: string, answered: Promise<void> }>} */
  const urgent = new Map();
  /** @type {Promise<void> | null} */
  let running = null;
  let flight = new AbortController();
  let again = false;
  let timer = 0;
  let failures = 0;
  let trouble = { error: asError(null), until: 0 }; // while the timer runs

  /** Sends what waits of whoever is signed in, now; done when that is answered or has failed. @returns {Promise<void>} */
  function deliver() {
    clearTimeout(timer);
    timer = 0;
    again = true;
    return (running ??= run().finally(() => (running = null)));
  }

  async function run() {
    while (again) {
      again = false;
      if (!queue.isEmpty() || openings.size > 0) await attempt().catch((cause) => void tryLater(asError(cause)));
    }
  }

  async function attempt() {
    const account = await whoIsSignedIn();
    flight = new AbortController();
    const { signal } = flight;
    for (const [key, opening] of openings) {
      const item = queue.read(key);
      if (item && opening.account !== account) {
        tell(key, { state: "signed-out", position: item.save.position, error: signedOut() });
      } else if (!item && opening.retrying !== null && opening.account === account) {
        await findOut(key, opening, signal);
      }
    }
    if (account === null) return;
    const waiting = queue.waiting(account);
    // First what counts whatever the server has, so that it knows of that when it is asked about the rest.
    const arrived = await bring(account, waiting.filter(({ save }) => !save.unsure), signal);
    if (arrived) await bring(account, await worthSending(account, waiting.filter(({ save }) => save.unsure), signal), signal);
  }

  /**
   * What became of a save that another tab has sent, or given up.
   * @param {string} key @param {Opening} opening @param {AbortSignal} signal
   */
  async function findOut(key, opening, signal) {
    const { account, video } = opening;
    const position = opening.retrying ?? 0;
    const { entry, error } = await call("GET", historyOf(video), { account, signal }).then(known, notKnown);
    if (error?.retryable) return;
    if (!entry) opening.retrying = null;
    // The end, as the server knows it, may be a second before the file's.
    else if (entry.watch_position === position || entry.progress_percentage === 100) tell(key, { state: "saved", position });
    else tell(key, { state: "superseded", position: entry.watch_position });
  }

  /**
   * Whether none of them has to be tried again.
   * @param {string} account @param {Waiting[]} items @param {AbortSignal} signal
   */
  async function bring(account, items, signal) {
    if (items.length === 0) return true;
    const outcomes = await send(account, items, { signal });
    conclude(account, items, outcomes);
    return !outcomes.some(({ error }) => error?.retryable);
  }

  /**
   * Drops what nobody chose and would take the viewer back from where the server knows them; what cannot be asked about now is postponed.
   * @param {string} account @param {Waiting[]} items @param {AbortSignal} signal
   */
  async function worthSending(account, items, signal) {
    const worth = [];
    for (const item of items) {
      /** @type {Outcome} */
      const { entry, error } = await call("GET", historyOf(item.save.video), { account, signal }).then(known, notKnown);
      if (error?.retryable) {
        conclude(account, [item], [{ error }]);
        if (error.status === 0) return []; // nobody is reached
      } else if (entry && entry.resume_at > item.save.position) {
        queue.settle(item);
        tell(item.key, { state: "superseded", position: entry.watch_position });
      } else {
        worth.push(item); // what is refused for good is left to the save to find out
      }
    }
    return worth;
  }

  /**
   * @param {string} account @param {Waiting[]} items @param {import("./request.js").RequestOptions} options
   * @returns {Promise<Outcome[]>}
   */
  async function send(account, items, options) {
    if (items.length === 1) {
      const [{ save }] = items;
      const request = call("POST", historyOf(save.video), { ...options, account, body: body(save) });
      return [await request.then(known, notKnown)];
    }
    try {
      const saves = items.map(({ save }) => ({ video_id: Number(save.video), ...body(save) }));
      const { results } = await call("POST", "/watch-history/batch", { ...options, account, body: { saves } });
      return items.map((_, at) => {
        const { status, entry, problem } = results[at];
        return entry ? { entry } : { error: problemError(status, problem) };
      });
    } catch (cause) {
      const error = asError(cause);
      const isRefused = error.status >= 400 && error.status < 500 && ![401, 408, 425, 429].includes(error.status);
      if (!isRefused) return items.map(() => ({ error }));
      // Refused as a list, by the server or something before it, which says nothing about any of them.
      const outcomes = [];
      for (const item of items) outcomes.push(...(await send(account, [item], options)));
      return outcomes;
    }
  }

  /** @param {string} account @param {Waiting[]} items @param {Outcome[]} outcomes */
  function conclude(account, items, outcomes) {
    const failed = outcomes.find(({ error }) => error?.retryable)?.error;
    const retryInMs = failed && tryLater(failed);
    items.forEach((item, at) => {
      const { entry, error } = outcomes[at];
      const opening = openings.get(item.key);
      if (entry?.applied === false && insist(account, item, entry, opening?.stored)) return;
      if (entry?.applied && opening) opening.stored = entry.watch_position;
      if (!error?.retryable && error?.status !== 401) queue.settle(item);
      tell(item.key, entry ? taken(item.save, entry) : refused(item, error, retryInMs));
    });
    if (failed) return;
    failures = 0;
    if (timer) void deliver();
  }

  /**
   * Says once more what the viewer chose and the server refused for a reason that does not hold. It may have been taken for a failed
   * start: then without its session. Without one, its age alone is weighed, also against the save before it, whose own way to the
   * server may have taken longer: then as of now. Whatever else is newer keeps its place.
   * @param {string} account @param {Waiting} item @param {Entry} entry @param {number} [stored] by the save before it
   */
  function insist(account, { key, raw, save }, entry, stored) {
    if (!save.chosen || queue.read(key)?.raw !== raw) return false;
    const isTakenForFailed = save.session !== null && entry.watch_position > save.position;
    const isBehindItself = save.session === null && !save.now && entry.watch_position === stored && ageOf(save) < TIMEOUT_MS;
    if (!isTakenForFailed && !isBehindItself) return false;
    queue.put(account, key, { ...save, session: null, now: isBehindItself });
    void deliver();
    return true;
  }

  /** @param {Waiting} item @param {PlayheadError} error @param {number} [retryInMs] @returns {PlayheadEvent} */
  function refused({ key, save }, error, retryInMs) {
    if (!error.retryable) return { state: finalState(error), position: save.position, error };
    return retrying(key, queue.read(key)?.save.position ?? save.position, error, retryInMs);
  }

  /** @param {string} key @param {number} position @param {PlayheadError} error @param {number} [retryInMs] @returns {PlayheadEvent} */
  const retrying = (key, position, error, retryInMs) => ({ state: "retrying", position, retryInMs, error, kept: queue.isKept(key) });

  /** @param {PlayheadError} error */
  function tryLater(error) {
    const retryInMs = retryDelay(failures++, error);
    again = false; // what came meanwhile waits too
    clearTimeout(timer);
    timer = window.setTimeout(deliver, retryInMs);
    trouble = { error, until: performance.now() + retryInMs };
    return retryInMs;
  }

  /** @param {string} key @param {PlayheadEvent} event */
  function tell(key, event) {
    const opening = openings.get(key);
    if (!opening) return;
    opening.retrying = event.state === "retrying" ? event.position : null;
    if (event.state === "gone" || event.state === "signed-out") openings.delete(key);
    opening.report(event);
  }

  /**
   * Sends what waits of an opening beside anything else, in a way that outlives the page.
   * @param {string} account @param {string} key
   */
  function sendNow(account, key) {
    const item = queue.read(key);
    // What is unsure is asked about first, by whatever page comes next.
    if (!item || item.save.unsure || urgent.get(key)?.raw === item.raw) return;
    const answered = send(account, [item], { keepalive: true }).then((outcomes) => {
      if (urgent.get(key)?.raw === item.raw) urgent.delete(key);
      conclude(account, [item], outcomes);
    });
    urgent.set(key, { raw: item.raw, answered });
  }

  async function settled() {
    await Promise.all([running, ...[...urgent.values()].map(({ answered }) => answered)]);
  }

  globalThis.addEventListener?.("online", () => {
    failures = 0;
    flight.abort(); // it was sent into the dead network
    void deliver();
  });

  return {
    deliver,
    settled,

    /** Why something still waits, and for how long. */
    delay: () => new PlayheadError("A place waits to be delivered", { retryAfterMs: Math.max(0, trouble.until - performance.now()) }),

    /** Forgets what waits of a video; what this returns takes that back. @param {string} account @param {number | string} video */
    drop(account, video) {
      const dropped = queue.drop(account, video);
      for (const { key } of dropped) {
        const opening = openings.get(key);
        if (opening) opening.retrying = null;
      }
      return () => {
        for (const { key, save } of dropped) if (!queue.read(key)) queue.put(account, key, save);
      };
    },

    /**
     * Begins an opening of a player.
     * @param {string} account @param {number | string} video @param {(event: PlayheadEvent) => void} report
     */
    open(account, video, report) {
      const session = newSession();
      const key = queue.keyOf(account, session, video);
      let sequence = 0;
      openings.set(key, { account, video, report, retrying: null });
      return {
        /** @param {PlayerSave} reached @param {boolean} [keepalive] at once, to outlive the page */
        push({ lone, ...reached }, keepalive = false) {
          queue.put(account, key, { video, ...reached, session: lone ? null : session, sequence: ++sequence });
          if (keepalive) sendNow(account, key);
          else if (running) again = true;
          else if (!timer) void deliver();
          else tell(key, retrying(key, reached.position, trouble.error, trouble.until - performance.now()));
        },
        flush: () => sendNow(account, key),
        /** What waits of an earlier opening of the video, where the viewer is known to have wanted to be there. */
        before() {
          /** @param {Waiting} item */
          const isWanted = ({ save }) => !save.unsure || save.resumed;
          const others = queue.waiting(account).filter((item) => item.key !== key && isWanted(item));
          const earlier = others.filter((item) => String(item.save.video) === String(video));
          return earlier.at(-1)?.save;
        },
        /** Reports nothing any more; what waits goes on waiting. */
        async close() {
          openings.delete(key);
          await settled();
          // Without a name it could not be told from what others leave.
          if (account === "") queue.remove(key);
        },
      };
    },
  };
}

/** @param {Entry} entry @returns {Outcome} */
const known = (entry) => ({ entry });
/** @param {unknown} cause @returns {Outcome} */
const notKnown = (cause) => ({ error: asError(cause) });

/** @param {number | string} video */
export const historyOf = (video) => `/videos/${encodeURIComponent(video)}/watch-history`;

/** @param {Save} save @returns {Record<string, unknown>} */
function body(save) {
  const { position, watched, session, sequence, now } = save;
  const weighed = session === null ? {} : { session_id: session, sequence };
  return { watch_position: position, watch_duration: watched, ...(now ? {} : { age_ms: ageOf(save) }), ...weighed };
}

/** @param {Save} save @param {Entry} entry @returns {PlayheadEvent} */
function taken({ position }, entry) {
  const superseded = entry.applied === false && entry.watch_position !== position;
  return superseded ? { state: "superseded", position: entry.watch_position } : { state: "saved", position };
}

/** @param {PlayheadError} error @returns {"gone" | "signed-out" | "failed"} */
const finalState = ({ status }) => (status === 404 ? "gone" : status === 401 ? "signed-out" : "failed");

/**
 * Doubles from try to try, spread so that players do not come back together.
 * @param {number} failures @param {PlayheadError} error
 */
export function retryDelay(failures, { retryAfterMs }) {
  const half = Math.min(RETRY_LIMIT_MS, RETRY_FIRST_MS * 2 ** failures) / 2;
  return Math.max(half, Math.min(retryAfterMs, RETRY_AFTER_LIMIT_MS)) + Math.random() * half;
}

/** Pages without TLS have no `randomUUID`. */
function newSession() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
