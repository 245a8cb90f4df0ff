/**
 * The saves that the server has not answered for: the newest one of every opening of a player, in localStorage, so that they
 * outlive the page. Each has a key of its own, so that tabs never write over what another one keeps.
 *
 * @typedef {{ at: number, page: number, tick: number }} Moment
 *
 * `session` is null for a save that is not to be weighed as part of its opening. `chosen`: the viewer went there, or to where it was
 * played from; `unsure`: they did not, and the server may have them further on; `resumed`: from a place where they had been; `now`: its age
 * does not count.
 * @typedef {{ video: number | string, position: number, watched: number, session: string | null, sequence: number,
 *   chosen?: boolean, unsure?: boolean, resumed?: boolean, now?: boolean } & Moment} Save
 *
 * A save as it lies in the queue; `raw` tells it from a newer one of the same opening.
 * @typedef {{ key: string, raw: string, save: Save }} Waiting
 */

/** As many as the server takes at once. */
export const CAPACITY = 500;
const OLDEST_MS = 30 * 24 * 60 * 60 * 1000;
const PREFIX = "playhead:queue:";

/** @returns {Moment} */
export const now = () => ({ at: Date.now(), page: performance.timeOrigin, tick: performance.now() });

/**
 * How long ago a moment was, as the server takes it. The wall clock may be wrong, but both of its readings are; it may also be
 * set back, which the stopwatch of the page survives; that one may stand still while the machine sleeps, and begins anew with
 * every page. So the longer of the two counts: what seems too old gives way to another device, what seems too young would win.
 * What another page left may be younger than this page.
 * @param {Moment} moment
 */
export function ageOf({ at, page, tick }) {
  const played = page === performance.timeOrigin ? performance.now() - tick : 0;
  return Math.round(Math.min(OLDEST_MS, Math.max(0, played, Date.now() - at)));
}

export function createQueue() {
  /** Stands in where the browser refuses storage or has no room left. @type {Map<string, string>} */
  const memory = new Map();

  /** @param {string} key */
  const readRaw = (key) => memory.get(key) ?? attempt((storage) => storage.getItem(key), null);

  /** @param {string} prefix */
  function keys(prefix) {
    const stored = attempt((storage) => Object.keys(storage), []);
    return [...new Set([...stored, ...memory.keys()])].filter((key) => key.startsWith(prefix));
  }

  /** @param {string} key */
  function remove(key) {
    memory.delete(key);
    attempt((storage) => storage.removeItem(key), undefined);
  }

  /** @param {string} key @returns {Waiting | null} */
  function read(key) {
    const raw = readRaw(key);
    if (raw === null) return null;
    const save = parse(raw);
    if (save) return { key, raw, save };
    remove(key);
    return null;
  }

  /** What waits of an account, the oldest first. @param {string} account */
  function waiting(account) {
    const found = keys(prefixOf(account)).map(read).filter((item) => item !== null);
    return found.sort((one, other) => ageOf(other.save) - ageOf(one.save)).slice(0, CAPACITY);
  }

  return {
    read,
    remove,
    waiting,
    isEmpty: () => keys(PREFIX).length === 0,

    /** @param {string} account @param {string} session @param {number | string} video */
    keyOf: (account, session, video) => `${prefixOf(account)}${session}:${encodeURIComponent(video)}`,

    /**
     * Puts a save in place of an older one of its opening, whose position and share of what was watched it covers. Nothing is
     * written down for an account that is not known by name.
     * @param {string} account @param {string} key @param {Save} save
     */
    put(account, key, save) {
      const others = readRaw(key) === null ? waiting(account) : [];
      for (const { key: oldest } of others.slice(0, Math.max(0, others.length + 1 - CAPACITY))) remove(oldest);
      const raw = JSON.stringify(save);
      const written = account !== "" && attempt((storage) => (storage.setItem(key, raw), true), false);
      if (written) memory.delete(key);
      else memory.set(key, raw);
    },

    /** Whether it survives a reload. @param {string} key */
    isKept: (key) => !memory.has(key) && readRaw(key) !== null,

    /** Removes what the server has answered for, unless something newer has taken its place. @param {Waiting} answered */
    settle({ key, raw }) {
      if (readRaw(key) === raw) remove(key);
    },

    /** Removes what waits of a video, whatever opening it comes from. @param {string} account @param {number | string} video */
    drop(account, video) {
      const ending = `:${encodeURIComponent(video)}`;
      const found = waiting(account).filter(({ key }) => key.endsWith(ending));
      for (const { key } of found) remove(key);
      return found;
    },
  };
}

/** @param {string} account */
const prefixOf = (account) => `${PREFIX}${encodeURIComponent(account)}:`;

/** @template T @param {(storage: Storage) => T} task @param {T} otherwise @returns {T} */
function attempt(task, otherwise) {
  try {
    return task(globalThis.localStorage);
  } catch {
    return otherwise;
  }
}

/**
 * Others may have written there; what at least looks like a save is left to the server to judge.
 * @param {string} raw @returns {Save | null}
 */
function parse(raw) {
  try {
    const save = JSON.parse(raw);
    const whole = [save.position, save.watched, save.sequence, save.at, save.page, save.tick].every(Number.isFinite);
    const named = save.session === null || typeof save.session === "string";
    return whole && named && ["number", "string"].includes(typeof save.video) ? save : null;
  } catch {
    return null;
  }
}
