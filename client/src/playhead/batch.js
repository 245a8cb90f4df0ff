/** Several saves in one request. It imports nothing, so bundlers keep the rest in one file. */

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./request.js").PlayheadError} PlayheadError */
/** @typedef {import("./sender.js").Outcome} Outcome */

/** The server has not taken the save. */
const NO_CONTENT = 204;
/** After one of these the batch is tried again; after any other refusal, each save alone. */
const BATCH_RETRY_STATUSES = [401, 408, 425, 429];

/**
 * @param {import("./sender.js").Request} request
 * @param {{ video: number | string, body: object }[]} saves
 * @param {import("./request.js").RequestOptions} options
 * @param {typeof import("./request.js").problemError} problemError
 * @returns {Promise<Outcome[] | null>} in the order of the saves; null if the server refuses the
 *   whole batch, which says nothing about a single save
 */
export async function sendBatch(request, saves, options, problemError) {
  const body = { saves: saves.map((save) => ({ video_id: Number(save.video), ...save.body })) };
  try {
    const { results } = await request("POST", "/watch-history/batch", { ...options, body });
    return saves.map((_, at) => {
      const { status, entry, problem } = results[at];
      if (status === NO_CONTENT) return { entry: null };
      return entry ? { entry } : { error: problemError(status, problem) };
    });
  } catch (cause) {
    // What a proxy answers in place of the server says nothing about the saves.
    const isForeign = cause instanceof TypeError;
    const error = isForeign ? problemError(0) : /** @type {PlayheadError} */ (cause);
    const isRefused = error.status >= 400 && error.status < 500;
    if (isRefused && !BATCH_RETRY_STATUSES.includes(error.status)) return null;
    return saves.map(() => ({ error }));
  }
}
