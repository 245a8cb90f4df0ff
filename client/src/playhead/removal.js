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
  const { queue, sessions } = outbox;
  const dropped = queue.waiting(account).filter(({ save }) => isOfIt(save));
  for (const { key } of dropped) {
    queue.remove(key);
    const session = sessions.get(key);
    if (session) session.retryingPosition = null;
  }
  await outbox.settle();
  try {
    return await task(account);
  } catch (error) {
    for (const { key, save } of dropped) if (!queue.read(key)) queue.put(account, key, save);
    throw error;
  }
}
