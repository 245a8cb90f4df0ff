/** When a page asks again. Every delay has a random part, so that pages do not come all at once. */

const FIRST_MS = 5_000;
const LIMIT_MS = 60_000;
const POLL_MS = 30_000;
const CROWDED_MS = 600_000;

/**
 * The delay before the next socket. The first one is anything up to 5 seconds: when a server starts
 * anew, its thousands of pages come back one after the other. Later ones double, up to a minute.
 * @param {number} failures how many sockets have failed before @param {() => number} random
 */
export function reconnectDelay(failures, random) {
  if (failures === 0) return random() * FIRST_MS;
  return Math.min(LIMIT_MS, FIRST_MS * 2 ** failures) * (0.5 + 0.5 * random());
}

/** The delay between two polls. @param {() => number} random */
export const pollDelay = (random) => POLL_MS * (0.9 + 0.2 * random());

/**
 * The delay before a page asks again for a socket that a newer page has taken.
 * @param {() => number} random
 */
export const crowdedDelay = (random) => CROWDED_MS * (1 + random());
