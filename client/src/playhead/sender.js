/** The requests of the outbox: one save, a batch of saves, and the entry that the server has. */
import { ageOf } from "./queue.js";
import { asError, problemError } from "./request.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./queue.js").QueuedSave} QueuedSave */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("./request.js").PlayheadError} PlayheadError */
/** @typedef {import("./request.js").RequestOptions} RequestOptions */
/**
 * The answer to a request about one save. The entry is null if the server has stored nothing.
 * @typedef {{ entry: Entry | null, error?: undefined }
 *   | { entry?: undefined, error: PlayheadError }} Outcome
 */
/** The server has not taken the save. */
const NO_CONTENT = 204;

/** After one of these the batch is tried again; after any other refusal, each save alone. */
const BATCH_RETRY_STATUSES = [401, 408, 425, 429];

/**
 * @param {import("./request.js").Requests["request"]} request
 * @param {string} [device] the name that the saves carry
 */
export function createSender(request, device) {
  /** @param {string} account @param {number | string} video @param {AbortSignal} signal */
  const readEntry = (account, video, signal) =>
    request("GET", historyPath(video), { account, signal }).then(succeed, fail);

  /**
   * @param {string} account @param {QueuedSave[]} items @param {RequestOptions} options
   * @returns {Promise<Outcome[]>} in the order of the saves
   */
  async function send(account, items, options) {
    if (items.length === 1) {
      const [{ save }] = items;
      const body = toBody(save, device);
      const path = historyPath(save.video);
      return [await request("POST", path, { ...options, account, body }).then(succeed, fail)];
    }
    try {
      return await sendBatch(account, items, options);
    } catch (cause) {
      const error = asError(cause);
      const isRefused = error.status >= 400 && error.status < 500;
      if (!isRefused || BATCH_RETRY_STATUSES.includes(error.status)) {
        return items.map(() => ({ error }));
      }
      // A refusal of the whole batch says nothing about a single save.
      const outcomes = [];
      for (const item of items) outcomes.push(...(await send(account, [item], options)));
      return outcomes;
    }
  }

  /**
   * @param {string} account @param {QueuedSave[]} items @param {RequestOptions} options
   * @returns {Promise<Outcome[]>}
   */
  async function sendBatch(account, items, options) {
    const saves = items.map(({ save }) => ({ video_id: Number(save.video), ...toBody(save, device) }));
    const body = { saves };
    const { results } = await request("POST", "/watch-history/batch", {
      ...options,
      account,
      body,
    });
    return items.map((_, at) => {
      const { status, entry, problem } = results[at];
      if (status === NO_CONTENT) return { entry: null };
      return entry ? { entry } : { error: problemError(status, problem) };
    });
  }

  return { readEntry, send };
}

/** @param {Entry | null} entry @returns {Outcome} */
const succeed = (entry) => ({ entry });
/** @param {unknown} cause @returns {Outcome} */
const fail = (cause) => ({ error: asError(cause) });

/** @param {number | string} video */
export const historyPath = (video) => `/videos/${encodeURIComponent(video)}/watch-history`;

/**
 * @param {Save} save @param {string} [device]
 * @returns {Record<string, unknown>} the body of the request
 */
function toBody(save, device) {
  const { position, watched, played = 0, session, sequence, now } = save;
  const age = now ? {} : { age_ms: ageOf(save) };
  const play = session === null ? {} : { session_id: session, sequence, played_seconds: played };
  return { watch_position: position, watch_duration: watched, ...age, ...play, device };
}
