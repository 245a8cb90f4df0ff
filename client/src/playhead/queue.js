/**
 * The saves that the server has not answered yet: the newest one of every player session, in
 * localStorage, so that they outlive the page. Each has a key of its own, so that tabs never
 * overwrite each other's saves.
 *
 * A moment by both clocks, in milliseconds: `at` by the wall clock, `tick` by the stopwatch of the
 * page that was loaded at `page`.
 * @typedef {{ at: number, page: number, tick: number }} Moment
 *
 * The names below are those in localStorage, where saves of earlier versions may wait.
 * - position, watched, played: whole seconds; `watched` of all sessions, `played` of this one
 * - session: the player session; null for a save that the server compares by age alone
 * - sequence: counts the saves of the session, from 1
 * - chosen: the viewer chose the position, or the one it was played from
 * - unsure: the viewer did not choose it, and the server may have a position further on
 * - resumed: it was played from a resume position
 * - ended: the video was played to its end
 * - now: the save counts as one of now, whatever its age
 * @typedef {{ video: number | string, position: number, watched: number, played?: number,
 *   session: string | null, sequence: number, chosen?: boolean, unsure?: boolean,
 *   resumed?: boolean, ended?: boolean, now?: boolean } & Moment} Save
 *
 * `raw` is the save as it is stored. A newer save under the same key differs in it.
 * @typedef {{ key: string, raw: string, save: Save }} QueuedSave
 */

/** The largest number of saves of one account: as many as the server takes in one batch. */
export const CAPACITY = 500;
/** The oldest age that the server takes. */
const OLDEST_MS = 30 * 24 * 60 * 60 * 1000;
const PREFIX = "playhead:queue:";

/** @returns {Moment} */
export const now = () => ({
  at: Date.now(),
  page: performance.timeOrigin,
  tick: performance.now(),
});

/**
 * How long ago a moment was.
 *
 * Neither clock is right alone. The wall clock may have been set back in between; the stopwatch may
 * stand still while the machine sleeps, and starts again with every page. The longer of the two
 * ages counts: a save that seems too old gives way to another device, but one that seems too young
 * would replace its position. The stopwatch says nothing about a moment of another page.
 * @param {Moment} moment @returns {number} whole milliseconds, from 0 to 30 days
 */
export function ageOf({ at, page, tick }) {
  const elapsed = page === performance.timeOrigin ? performance.now() - tick : 0;
  return Math.round(Math.min(OLDEST_MS, Math.max(0, elapsed, Date.now() - at)));
}

/** The id of a player session; `randomUUID` would need TLS. */
export const newSessionId = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

export function createQueue() {
  /** @type {Record<string, string>} Saves that the browser refuses to store, or has no room for. */
  const memory = {};

  /** @param {string} key */
  const readRaw = (key) => memory[key] ?? storage()[key] ?? null;

  /** @param {string} prefix */
  function keys(prefix) {
    const all = new Set([storage(), memory].flatMap(Object.keys));
    return [...all].filter((key) => key.startsWith(prefix));
  }

  /** @param {string} key */
  function remove(key) {
    delete memory[key];
    delete storage()[key];
  }

  /** @param {string} key @returns {QueuedSave | null} null, too, for what is no save */
  function read(key) {
    const raw = readRaw(key);
    if (raw === null) return null;
    const save = parse(raw);
    if (save) return { key, raw, save };
    remove(key);
    return null;
  }

  /**
   * The saves of an account, the oldest first.
   * @param {string} account @returns {QueuedSave[]} at most 500
   */
  function waiting(account) {
    const items = keys(prefixOf(account))
      .map(read)
      .filter((item) => item !== null);
    return items.sort((one, other) => ageOf(other.save) - ageOf(one.save)).slice(0, CAPACITY);
  }

  return {
    read,
    remove,
    waiting,
    isEmpty: () => keys(PREFIX).length === 0,

    /** @param {string} account @param {string} session @param {number | string} video */
    keyOf: (account, session, video) =>
      `${prefixOf(account)}${session}:${encodeURIComponent(video)}`,

    /**
     * Stores a save in place of the one with the same key, whose position and time watched it
     * covers. If the queue is full, the oldest save makes room. Without an account the save is kept
     * in memory only.
     * @param {string} account @param {string} key @param {Save} save
     */
    put(account, key, save) {
      const others = readRaw(key) === null ? waiting(account) : [];
      if (others.length === CAPACITY) remove(others[0].key);
      const raw = JSON.stringify(save);
      memory[key] = raw;
      if (account === "") return;
      try {
        storage().setItem(key, raw);
        delete memory[key];
      } catch {
        // It stays in memory.
      }
    },

    /** Whether it survives a reload. @param {string} key */
    isKept: (key) => !(key in memory) && readRaw(key) !== null,

    /**
     * Removes an answered save, unless a newer one has replaced it.
     * @param {QueuedSave} answered
     */
    settle({ key, raw }) {
      if (readRaw(key) === raw) remove(key);
    },
  };
}

/** @param {string} account */
const prefixOf = (account) => `${PREFIX}${encodeURIComponent(account)}:`;

/** The browser's storage; nothing where it refuses. @returns {Record<string, any>} */
function storage() {
  try {
    return globalThis.localStorage ?? {};
  } catch {
    return {};
  }
}

/**
 * Other scripts may have written to the storage. The server judges all but the position, to which a
 * player is taken.
 * @param {string} raw @returns {Save | null}
 */
function parse(raw) {
  try {
    const save = JSON.parse(raw);
    return Number.isFinite(save.position) ? save : null;
  } catch {
    return null;
  }
}
