/** Where a video should begin, for players that are told when they load it. */
import { anySignal, untilAborted } from "./request.js";
import { readEntry } from "./sender.js";

/** How long a start may wait for its position. */
const TIMEOUT_MS = 3_000;

/**
 * Finds the second at which a video should begin. Pass it to `attach` as `startedAt`.
 * @param {Pick<import("../playhead.js").Playhead, "connection">} playhead
 * @param {number | string} videoId @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<number>} 0 for the start, also when nobody is signed in or no answer came
 *   within 3 seconds; then `attach` takes the viewer there later
 */
export async function resumeAt({ connection }, videoId, { signal } = {}) {
  const { currentAccount, outbox, request } = connection;
  const limit = anySignal(connection.signal, signal, AbortSignal.timeout(TIMEOUT_MS));
  let account = "";
  async function read() {
    account = (await currentAccount()) ?? "";
    await outbox.deliver(); // a save that waits may be of this video
    const entry = await readEntry(request, videoId, { account, signal: limit });
    return entry?.resume_at ?? 0;
  }
  const answer = await untilAborted(read(), limit).catch(() => 0);
  // A save that still waits may be newer than the entry.
  const kept = outbox.newestWaiting(account, videoId);
  return kept ? (kept.ended ? 0 : kept.position) : answer;
}
