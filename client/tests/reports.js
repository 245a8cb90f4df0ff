/** What a page throws, which a browser reports and node takes for the failure of a test. */

/**
 * The errors of rejected promises while a task runs.
 * @param {() => Promise<unknown>} task @returns {Promise<string[]>}
 */
export async function reportedBy(task) {
  const type = "unhandledRejection";
  const reporters = process.listeners(type);
  /** @type {string[]} */
  const reported = [];
  process.removeAllListeners(type);
  process.on(type, (error) => reported.push(String(error)));
  try {
    await task();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.removeAllListeners(type);
    for (const reporter of reporters) process.on(type, reporter);
  }
  return reported;
}
