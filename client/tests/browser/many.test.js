/** What many players leave behind in a real browser. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Site, until } from "./site.js";

const { PLAYHEAD_BROWSER = "chrome", PLAYHEAD_EXAMPLES = "" } = process.env;

/** @type {Site} */
let site;
before(async () => {
  site = await Site.start(PLAYHEAD_BROWSER === "chrome" ? "chrome" : "firefox", PLAYHEAD_EXAMPLES);
});
after(() => site?.stop());

test("twenty players are destroyed, and leave no timer, listener or socket", async () => {
  const viewer = await site.viewer("many");
  viewer.prepare = countWhatIsOpen;
  await viewer.open();
  const count = () => viewer.page.evaluate(() => Reflect.get(window, "countOpen")());
  const before = await count();
  await viewer.signIn("ann-many");
  const isAttached = (/** @type {any} */ { listeners, sockets }) =>
    listeners - before.listeners >= 20 * 15 && sockets === 1;
  const during = await until(count, isAttached);
  console.log(`while they play: ${JSON.stringify(during)}`);
  // Firefox pauses one of so many now and then, so each must have played, not all at one moment.
  await viewer.see(() =>
    [...document.querySelectorAll("video")].every((video) => video.played.length > 0),
  );
  await viewer.signOut();
  assert.deepEqual(await until(count, ({ sockets }) => sockets === 0), before);
  await viewer.leave();
});

/** Runs in the page before its scripts: counts the timers, listeners and sockets that are open. */
function countWhatIsOpen() {
  const [timers, sockets] = [new Set(), new Set()];
  let listeners = 0;
  for (const kind of ["Timeout", "Interval"]) {
    const [start, stop] = [Reflect.get(window, `set${kind}`), Reflect.get(window, `clear${kind}`)];
    /** @param {() => void} task @param {number} ms */
    const begin = (task, ms) => {
      const id = start(() => {
        if (kind === "Timeout") timers.delete(id);
        task();
      }, ms);
      timers.add(id);
      return id;
    };
    /** @param {number} id */
    const end = (id) => {
      timers.delete(id);
      stop(id);
    };
    Object.assign(window, { [`set${kind}`]: begin, [`clear${kind}`]: end });
  }
  const { addEventListener } = EventTarget.prototype;
  /** @type {EventTarget["addEventListener"]} @this {EventTarget} */
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    addEventListener.call(this, type, listener, options);
    const signal = typeof options === "object" ? options?.signal : undefined;
    // Signals hold nothing by themselves, and sockets are counted below.
    if (this instanceof AbortSignal || this instanceof WebSocket || signal?.aborted) return;
    listeners++;
    if (signal) addEventListener.call(signal, "abort", () => listeners--, { once: true });
  };
  window.WebSocket = class extends WebSocket {
    constructor(/** @type {any[]} */ ...words) {
      // @ts-ignore
      super(...words);
      sockets.add(this);
      addEventListener.call(this, "close", () => sockets.delete(this));
    }
  };
  const countOpen = () => ({ listeners, timers: timers.size, sockets: sockets.size });
  Object.assign(window, { countOpen });
}
