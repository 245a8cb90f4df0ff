/** Deletions. A save that waits or is on its way would bring back what was deleted. */
/** @typedef {import("./queue.js").Save} Save */
/**
 * Sends a deletion, without the waiting saves of what it deletes. They wait again if it fails.
 * @template T
 * @param {import("../playhead.js").Connection} connection
 * @param {(save: Save) => boolean} isOfIt
 * @param {(account: string) => Promise<T>} task the request
 * @param {string} [account] the signed-in one by default
 */
export function removeWith<T>({ currentAccount, outbox }: import("../playhead.js").Connection, isOfIt: (save: Save) => boolean, task: (account: string) => Promise<T>, account?: string): Promise<T>;
/** @param {import("./request.js").PlayheadError} error @returns {null} */
export function nullWhenMissing(error: import("./request.js").PlayheadError): null;
export type Save = import("./queue.js").Save;
