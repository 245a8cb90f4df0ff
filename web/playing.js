/** Whether another device plays, as far as its saves tell. */

/**
 * @typedef {Pick<import("./playhead.js").Entry,
 *   "watch_position" | "last_watched_at" | "device">} Save
 */

/** A device that saves less often cannot be told from one that was moved. */
const LONGEST_GAP_SECONDS = 90;
const FASTEST_RATE = 3;
/** A device counts as playing until its next save is late by half a gap, and at least so long. */
const LEAST_MS = 15_000;

/**
 * How long after this save its device counts as playing; 0 if it does not play. It plays if the
 * save before was of the same device, and the position moved as time did.
 * @param {Save | null} before @param {Save} save @returns {number} milliseconds
 */
export function playingForMs(before, save) {
  if (before?.device !== save.device) return 0;
  const gap = (Date.parse(save.last_watched_at) - Date.parse(before.last_watched_at)) / 1_000;
  const moved = save.watch_position - before.watch_position;
  const isPlaying = gap <= LONGEST_GAP_SECONDS && moved > 0 && moved <= FASTEST_RATE * gap + 1;
  return isPlaying ? Math.max(LEAST_MS, gap * 1_500) : 0;
}
