/** The requests about entries: saves, and the entry that the server has. */
import { ageOf } from "./queue.js";
import { TIMEOUT_MS, asError, problemError } from "./request.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./queue.js").QueuedSave} QueuedSave */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("./request.js").PlayheadError} PlayheadError */
/** @typedef {import("./request.js").RequestOptions} RequestOptions */
/** @typedef {import("./request.js").Requests["request"]} Request */
/**
 * The answer to a request about one save. The entry is null if the server has stored nothing.
 * @typedef {{ entry: Entry | null, error?: undefined }
 *   | { entry?: undefined, error: PlayheadError }} Outcome
 */

/** @param {number | string} video */
export const videoPath = (video) => `/videos/${encodeURIComponent(video)}`;
/** @param {number | string} video */
export const historyPath = (video) => `${videoPath(video)}/watch-history`;

/**
 * @param {Request} request @param {number | string} video @param {RequestOptions} [options]
 * @returns {Promise<Entry | null>} null if there is none
 */
export const readEntry = (request, video, options) =>
  request("GET", historyPath(video), options).catch(nullWhenMissing);

/** @param {PlayheadError} error @returns {null} */
export function nullWhenMissing(error) {
  if (error.status === 404 && !error.retryable) return null;
  throw error;
}

/**
 * @param {Request} request @param {QueuedSave[]} items @param {RequestOptions} options
 * @param {string} [device] the name that the saves carry
 * @returns {Promise<Outcome[]>} in the order of the saves
 */
export async function send(request, items, options, device) {
  const saves = items.map(({ save }) => ({ video: save.video, body: toBody(save, device) }));
  if (saves.length > 1) {
    // Several saves wait after a time without network only, so this is loaded then.
    const batch = await import("./batch.js").catch(() => null);
    const outcomes = await batch?.sendBatch(request, saves, options, problemError);
    if (outcomes) return outcomes;
  }
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const { video, body } of saves) {
    outcomes.push(await outcomeOf(request("POST", historyPath(video), { ...options, body })));
  }
  return outcomes;
}

/** @param {Promise<Entry | null>} answer @returns {Promise<Outcome>} */
export const outcomeOf = (answer) =>
  answer.then(
    (entry) => ({ entry }),
    (cause) => ({ error: asError(cause) }),
  );

/**
 * @param {Save} save @param {string} [device]
 * @returns {Record<string, unknown>} the body of the request
 */
function toBody(save, device) {
  const { position, watched, played = 0, session, sequence, now } = save;
  const age = ageOf(save);
  return {
    watch_position: position,
    watch_duration: watched,
    age_ms: now && age < TIMEOUT_MS ? undefined : age,
    ...(session && { session_id: session, sequence, played_seconds: played }),
    device,
  };
}
