/**
 * When a failed request is tried again.
 * @typedef {ReturnType<typeof setTimeout> | undefined} Timer
 */

const FIRST_MS = 1_000;
const LIMIT_MS = 30_000;
const RETRY_AFTER_LIMIT_MS = 3_600_000;

/**
 * The delay doubles from try to try. A random part keeps players from coming back all at once.
 * @param {number} failures how many tries have failed before this one
 * @param {{ retryAfterMs: number }} error its `retryAfterMs` is the least delay, up to one hour
 * @returns {number} milliseconds
 */
export function retryDelay(failures, { retryAfterMs }) {
  const half = Math.min(LIMIT_MS, FIRST_MS * 2 ** failures) / 2;
  return Math.max(half, Math.min(retryAfterMs, RETRY_AFTER_LIMIT_MS)) + Math.random() * half;
}
