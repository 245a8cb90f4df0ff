/** The entries of the viewer, as far as they were heard of. */

/** @typedef {import("../../playhead.js").Entry} Entry */

export function createPicture() {
  /** @type {Map<number, Entry | null>} By video; null for a deleted entry. */
  const entries = new Map();

  return {
    /** @param {number} videoId @returns {Entry | null | undefined} undefined: not heard of */
    get: (videoId) => entries.get(videoId),

    /** Those that are there. @returns {Entry[]} */
    all: () => [...entries.values()].filter((entry) => entry !== null),

    /**
     * @param {number} videoId @param {Entry | null} entry
     * @returns {boolean} false if that was known: the server may tell a change twice
     */
    note(videoId, entry) {
      const isNew = JSON.stringify(entries.get(videoId)) !== JSON.stringify(entry);
      entries.set(videoId, entry);
      return isNew;
    },

    /** Deletes what was last watched before a time. @param {string} before */
    clearBefore(before) {
      for (const [videoId, entry] of entries)
        if (entry && Date.parse(entry.last_watched_at) < Date.parse(before))
          entries.set(videoId, null);
    },

    clear: () => entries.clear(),
  };
}
