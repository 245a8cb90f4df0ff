/**
 * The delay doubles from try to try. A random part keeps players from coming back all at once.
 * @param {number} failures how many tries have failed before this one
 * @param {{ retryAfterMs: number }} error its `retryAfterMs` is the least delay, up to one hour
 * @returns {number} milliseconds
 */
export function retryDelay(failures: number, { retryAfterMs }: {
    retryAfterMs: number;
}): number;
/**
 * When a failed request is tried again.
 */
export type Timer = ReturnType<typeof setTimeout> | undefined;
