/**
 * The viewer's history beyond the player: lists, plays, marks, deletions, preferences, statistics.
 *
 *     const playhead = createPlayhead({ getToken });
 *     const history = createHistory(playhead);
 *     const shelf = await history.continueWatching(12);
 */
import { createEdits } from "./edits.js";
import { createLists } from "./lists.js";

/**
 * @typedef {ReturnType<typeof createEdits> & ReturnType<typeof createLists>} History
 */

/**
 * All functions reject with a PlayheadError.
 * @param {Pick<import("../playhead.js").Playhead, "connection">} playhead
 * @returns {History}
 */
export const createHistory = ({ connection }) => ({
  ...createEdits(connection),
  ...createLists(connection),
});
