/**
 * Playhead for Shaka Player, which is told where to begin before it loads.
 *
 *     const player = new shaka.Player();
 *     await player.attach(document.querySelector("video"));
 *     const handle = await loadWithPlayhead(player, playhead, 3, "https://example.org/3.mpd");
 */

import { resumeAt } from "../src/playhead/start.js";
import { namedStart } from "./fragment.js";

/** @typedef {import("../src/playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../src/playhead.js").Handle} Handle */
/** @typedef {import("../src/playhead.js").Playhead} Playhead */
/**
 * What is used of a `shaka.Player`.
 * @typedef {EventTarget & { getMediaElement: () => HTMLMediaElement | null, isLive: () => boolean,
 *   load: (uri: string, startTime?: number, mimeType?: string) => Promise<unknown> }} ShakaPlayer
 */

/**
 * Loads a video at its resume position, or at the one that its address names, and saves it until
 * the player unloads it. A live stream is played, and not saved.
 * @param {ShakaPlayer} player attached to a video element
 * @param {Pick<Playhead, "attach" | "connection">} playhead
 * @param {number | string} videoId @param {string} uri
 * @param {AttachOptions & { mimeType?: string }} [options]
 * @returns {Promise<Handle>}
 * @throws what `player.load` rejects with
 */
export async function loadWithPlayhead(player, playhead, videoId, uri, options = {}) {
  const { mimeType, ...attachOptions } = options;
  const named = options.resume === false ? 0 : namedStart(uri);
  const startedAt = named ?? (await resumeAt(playhead, videoId));
  await player.load(uri, startedAt || undefined, mimeType);
  const element = /** @type {HTMLVideoElement} */ (player.getMediaElement());
  const start = named === null ? { startedAt } : { resume: false };
  const handle = playhead.attach(element, videoId, { ...attachOptions, ...start });
  if (player.isLive()) handle.suspend();
  player.addEventListener("unloading", () => void handle.detach(), { once: true });
  return handle;
}
