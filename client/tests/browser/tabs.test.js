/** Two tabs of one viewer, whose access token is not valid any more. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Site, Viewer, until } from "./site.js";

const { PLAYHEAD_BROWSER = "chrome", PLAYHEAD_EXAMPLES = "" } = process.env;

/** @type {Site} */
let site;
before(async () => {
  site = await Site.start(PLAYHEAD_BROWSER === "chrome" ? "chrome" : "firefox", PLAYHEAD_EXAMPLES);
});
after(() => site?.stop());

test("two tabs renew the token once, and both go on saving", async () => {
  const first = await site.viewer("plain");
  await first.open("film");
  await first.signIn("ann-plain");
  const second = new Viewer(site, first.context, "videojs");
  await second.open("two-seconds");
  await second.seeState("ready");
  await first.seeState("ready");
  let renewals = 0;
  for (const { page } of [first, second]) {
    page.on("request", (/** @type {any} */ request) => {
      if (request.url().endsWith("/auth/refresh")) renewals++;
    });
  }
  await first.page.evaluate(() => {
    const key = "playhead.api:";
    const session = JSON.parse(localStorage.getItem(key) ?? "");
    // The same user's, with a signature that is wrong.
    const [head, body, signature] = session.access.split(".");
    const access = [head, body, [...signature].reverse().join("")].join(".");
    localStorage.setItem(key, JSON.stringify({ ...session, access }));
  });
  await Promise.all([
    first.do((video) => (video.currentTime = 30)),
    second.do((video) => (video.currentTime = 1)),
  ]);
  await until(() => site.entry("ann-plain", "film"), (entry) => entry?.watch_position === 30);
  await until(() => site.entry("ann-plain", "two-seconds"), (entry) => entry?.watch_position === 1);
  assert.equal(renewals, 1);
  await first.leave();
});
