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
export async function removeWith({ currentAccount, outbox }, isOfIt, task, account) {
  account ??= (await currentAccount()) ?? "";
  const restore = outbox.drop(account, isOfIt);
  await outbox.settle();
  try {
    return await task(account);
  } catch (error) {
    restore();
    throw error;
  }
}

/** @param {import("./request.js").PlayheadError} error @returns {null} */
export function nullWhenMissing(error) {
  if (error.status === 404 && !error.retryable) return null;
  throw error;
}
