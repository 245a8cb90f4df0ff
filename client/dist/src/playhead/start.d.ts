/**
 * @param {Pick<import("../playhead.js").Playhead, "load">} client
 * @param {Pick<import("../playhead.js").Connection, "currentAccount" | "outbox">} connection
 * @param {number | string} videoId @param {AbortSignal} signal
 * @returns {Promise<number>} seconds, 0 for the start; never rejects
 */
export function findStart(client: Pick<import("../playhead.js").Playhead, "load">, { currentAccount, outbox }: Pick<import("../playhead.js").Connection, "currentAccount" | "outbox">, videoId: number | string, signal: AbortSignal): Promise<number>;
