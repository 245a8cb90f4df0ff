import { playhead } from "./api.js";

/** @typedef {import("./playhead/live/live.js").Live} Live */
/** @typedef {import("./playhead/live/live.js").LiveEvent} LiveEvent */

/** @type {Promise<Live> | null} */
let live = null;

/**
 * The connection that all views share. Its module is loaded by the first call.
 * @returns {Promise<Live>} rejects if the module cannot be loaded
 */
export function connect() {
  live ??= import("./playhead/live/live.js").then(({ createLive }) => createLive(playhead));
  live.catch(() => (live = null)); // the next call tries again
  return live;
}

/**
 * Tells a view what the viewer's other devices do, until the signal is aborted. Without the module,
 * or without a connection, the view shows what it has read.
 * @param {(event: LiveEvent) => void} listener @param {AbortSignal} signal
 */
export async function follow(listener, signal) {
  const connection = await connect().catch(() => null);
  connection?.subscribe(listener, { signal });
}
