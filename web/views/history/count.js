import { playhead } from "../../api.js";
import { number } from "../../dates.js";
import { t } from "../../i18n.js";

const PAGE_SIZE = 100;
/** Counting stops here, because it reads what it counts. */
const COUNT_LIMIT = 1_000;

/** @typedef {{ count: number, hasMore: boolean }} EntryCount */

/**
 * Counts the entries that were last watched before a time, or all of them.
 * @param {Date} [until]
 * @returns {Promise<EntryCount>}
 */
export async function countHistory(until) {
  let count = 0;
  /** @type {string | null} */
  let cursor = null;
  do {
    const page = await playhead.history({ until, cursor, limit: PAGE_SIZE });
    count += page.items.length;
    cursor = page.next;
  } while (cursor && count < COUNT_LIMIT);
  return { count, hasMore: cursor !== null };
}

/** @param {EntryCount} counted */
export function describeCount({ count, hasMore }) {
  if (count === 0) return t("clearNone");
  if (count === 1) return t("clearOne");
  return t("clearCount", { count: number(count) + (hasMore ? "+" : "") });
}
