/** What the answer to a save means to its player. */

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./request.js").PlayheadError} PlayheadError */

/** @param {{ position: number }} save @param {Entry | null} entry @returns {PlayheadEvent} */
export function answerEvent({ position }, entry) {
  if (!entry) return { state: "not-stored", position };
  const isSuperseded = entry.applied === false && entry.watch_position !== position;
  if (isSuperseded) return { state: "superseded", position: entry.watch_position };
  return { state: "saved", position };
}

/** @param {PlayheadError} error @returns {"gone" | "signed-out" | "failed"} */
export const finalState = ({ status }) =>
  status === 401 ? "signed-out" : status === 404 ? "gone" : "failed";
