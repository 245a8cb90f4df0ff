import { playhead } from "./api.js";

/** @typedef {import("./playhead.js").LiveEvent} LiveEvent */

/**
 * Tells a view what the viewer's other devices do, until the signal is aborted. Without the module,
 * or without a connection, the view shows what it has read.
 * @param {(event: LiveEvent) => void} listener @param {AbortSignal} signal
 */
export async function follow(listener, signal) {
  const live = await playhead.live().catch(() => null);
  live?.subscribe(listener, { signal });
}
