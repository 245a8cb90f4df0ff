/** Timers of the client must not keep the tests running. */
const begin = { setTimeout, setInterval };

/** @type {any} */
const quiet = {
  setTimeout: (/** @type {() => void} */ task, ms = 0) => begin.setTimeout(task, ms).unref(),
  setInterval: (/** @type {() => void} */ task, ms = 0) => begin.setInterval(task, ms).unref(),
};
export {};
Object.assign(globalThis, quiet);
