/** Where a video should begin, for players that are told when they load it. */

/** How long a start may wait for its position. */
const TIMEOUT_MS = 3_000;

/**
 * @param {Pick<import("../playhead.js").Playhead, "load">} client
 * @param {Pick<import("../playhead.js").Connection, "currentAccount" | "outbox">} connection
 * @param {number | string} videoId @param {AbortSignal} signal
 * @returns {Promise<number>} seconds, 0 for the start; never rejects
 */
export async function findStart(client, { currentAccount, outbox }, videoId, signal) {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let account = "";
  async function read() {
    account = (await currentAccount()) ?? "";
    await outbox.deliver(); // a save that waits may be of this video
    const entry = await client.load(videoId, { account, signal: limit });
    return entry?.resume_at ?? 0;
  }
  /** @type {Promise<number>} */
  const isOver = new Promise((resolve) => limit.addEventListener("abort", () => resolve(0)));
  const answer = await Promise.race([isOver, read().catch(() => 0)]);
  // A save that still waits may be newer than the entry.
  const kept = outbox.newestWaiting(account, videoId);
  return kept ? (kept.ended ? 0 : kept.position) : answer;
}
