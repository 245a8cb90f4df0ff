import { getVideo } from "../../api.js";
import { follow } from "../../follow.js";

/** @typedef {import("../../playhead.js").Entry} Entry */
/** @typedef {import("../../playhead.js").HistoryItem} HistoryItem */
/** @typedef {import("../../follow.js").LiveEvent} LiveEvent */
/** @typedef {import("../../playhead.js").VideoItem} VideoItem */
/** @typedef {import("./page.js").HistoryState} HistoryState */
/** @typedef {import("./row.js").Row} Row */

/**
 * Keeps the history as the viewer's other devices change it. A row that no longer belongs into the
 * list stays until the page is opened again, as after a change here.
 * - show: shows an item, in a new row if it has none
 * - remove: takes a row off the list
 * - merge: reads the newest rows, and shows them
 * - reload: reads the list anew
 * @param {{ state: HistoryState, words: string, rows: Map<number, Row>,
 *   show: (item: HistoryItem) => void, remove: (row: Row) => void, merge: () => unknown,
 *   reload: () => unknown, signal: AbortSignal }} page
 */
export function followHistory({ state, words, rows, show, remove, merge, reload, signal }) {
  /** @type {Map<number, Entry>} The newest entries of videos that are being read. */
  const arriving = new Map();
  let isInStep = false; // whether the connection has begun

  /** @param {number} id @param {Entry | null} entry */
  function changed(id, entry) {
    const row = rows.get(id);
    if (row && entry?.updated_at === row.entry().updated_at) return;
    if (row && entry) return show({ ...row.entry(), ...entry });
    if (!entry) {
      arriving.delete(id);
      return row && remove(row);
    }
    // Only the server knows what a search finds.
    if (words || !belongs(entry, state)) return;
    if (arriving.has(id)) arriving.set(id, entry);
    else void arrive(id, entry);
  }

  /** @param {number} id @param {Entry} entry */
  async function arrive(id, entry) {
    arriving.set(id, entry);
    const video = await getVideo(id).catch(() => null);
    const newest = arriving.get(id);
    arriving.delete(id);
    if (!video || !newest || signal.aborted) return;
    show({ ...newest, video: /** @type {VideoItem} */ (video) });
  }

  /** @param {LiveEvent} event */
  function hear(event) {
    if (event.type === "entry") changed(event.videoId, event.entry);
    // When the connection begins, the list has just been read.
    if (event.type === "resync" && !isInStep) merge();
    else if (event.type === "cleared" || event.type === "resync") reload();
    isInStep ||= event.type === "resync";
  }

  void follow(hear, signal);
}

/** @param {Entry} entry @param {HistoryState} state */
function belongs({ completed, watch_position, play_count }, state) {
  if (state === "completed") return play_count > 0;
  return state === "all" || (!completed && watch_position > 0);
}
