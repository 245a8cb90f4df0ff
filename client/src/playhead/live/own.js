/**
 * Tells the changes that this page has caused from those of other devices. The player session of an
 * entry does not say it: an edit of another device leaves it as it is. What says it are the answers
 * to the requests of this page.
 */

/** @typedef {import("../../playhead.js").Entry} Entry */
/** @typedef {Pick<import("../outbox.js").Outbox, "newestWaiting">} OwnSaves */

/** The answers that are remembered of each video: a message may come after later answers. */
const REMEMBERED = 8;

/**
 * @param {OwnSaves} saves
 * @param {(videoId: number, entry: Entry) => void} onOther called when a change that might have
 *   been this page's turns out to be another device's
 */
export function createOwnChanges({ newestWaiting }, onOther) {
  /** @type {Map<number, string[]>} By video, when the entries of the last answers were changed. */
  const answered = new Map();
  /** @type {Set<{ path: string }>} The requests that change something and have no answer yet. */
  const underWay = new Set();
  /** @type {Map<number, () => void>} By video: checks again whose the newest change is. */
  const doubtful = new Map();

  /** @param {any} data the answer to a change */
  function remember(data) {
    const entries = data?.results?.map((/** @type {any} */ { entry }) => entry) ?? [data];
    for (const entry of entries) {
      if (!entry?.video_id) continue;
      const times = [entry.updated_at, ...(answered.get(entry.video_id) ?? [])];
      answered.set(entry.video_id, times.slice(0, REMEMBERED));
    }
  }

  /** Whether an answer that is still to come may be about this video. @param {number} videoId */
  const isAwaited = (videoId) =>
    [...underWay].some(
      ({ path }) => !path.startsWith("/videos/") || path.startsWith(`/videos/${videoId}/`),
    );

  /**
   * Whether this page has caused a change, or may have: then it is checked again after each answer.
   * @param {string} account @param {Entry} entry @param {string | null} session of the entry
   * @returns {boolean}
   */
  function isOwn(account, entry, session) {
    const { video_id: videoId, updated_at: time } = entry;
    doubtful.delete(videoId);
    if (answered.get(videoId)?.includes(time)) return true;
    // The save of a player waits to be sent again: the answer may have been lost.
    const isWaiting = session !== null && newestWaiting(account, videoId)?.session === session;
    if (!isWaiting && !isAwaited(videoId)) return false;
    doubtful.set(videoId, () => void (isOwn(account, entry, session) || onOther(videoId, entry)));
    return true;
  }

  return {
    isOwn,

    /**
     * A request is on its way to the server.
     * @param {string} method @param {string} path @param {Promise<any>} answer
     */
    async observe(method, path, answer) {
      if (method === "GET") return;
      const change = { path };
      underWay.add(change);
      await answer.then(remember, () => {});
      underWay.delete(change);
      for (const check of [...doubtful.values()]) check();
    },
  };
}
