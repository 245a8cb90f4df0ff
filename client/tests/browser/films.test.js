/** Unusual films in a real browser with a real server. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Site, until } from "./site.js";

const { PLAYHEAD_BROWSER = "chrome", PLAYHEAD_EXAMPLES = "" } = process.env;
const isChrome = PLAYHEAD_BROWSER === "chrome";
/** Files that a page plays by itself, whatever the player. */
const PLAYERS = isChrome ? ["plain", "videojs", "vidstack", "shaka", "react"] : ["plain", "videojs"];

const SAMPLE = "../../../service/sample/Sample clip.webm";

/** @typedef {import("node:test").TestContext} Context */

/** @type {Site} */
let site;
before(async () => {
  site = await Site.start(isChrome ? "chrome" : "firefox", PLAYHEAD_EXAMPLES);
});
after(() => site?.stop());

/** @param {string} player @param {string} clip */
async function watching(player, clip) {
  const ann = `ann-${player}`;
  await site.forget(ann, clip);
  const viewer = await site.viewer(player);
  await viewer.open(clip);
  await viewer.signIn(ann);
  await viewer.seeState("ready");
  return viewer;
}

/**
 * The films of one player, one after the other.
 * @param {Context} context @param {string} player
 */
async function playFilms(context, player) {
  const ann = `ann-${player}`;
  await context.test(`${player}: a file that is cut off has not ended`, async () => {
    const viewer = await watching(player, "cut");
    await viewer.do((video) => void video.play());
    await viewer.see(() => {
      const { ended, error } = /** @type {HTMLVideoElement} */ (document.querySelector("video"));
      return ended || error !== null;
    });
    await viewer.signOut();
    const entry = await site.entry(ann, "cut");
    assert.equal(entry.completed, false);
    assert.ok(entry.watch_position < 10, `saved ${entry.watch_position}`);
    await viewer.leave();
  });

  await context.test(`${player}: subtitles that go on after the film do not delay its end`, async () => {
    const viewer = await watching(player, "long-text");
    await viewer.do((video) => void video.play());
    await until(() => site.entry(ann, "long-text"), (it) => it?.completed === true);
    await viewer.leave();
  });

  await context.test(`${player}: a film that loops is completed, and goes on`, async () => {
    const viewer = await watching(player, "two-seconds");
    await viewer.do((video) => {
      video.loop = true;
      void video.play();
    });
    await until(() => site.entry(ann, "two-seconds"), (it) => it?.completed === true);
    assert.equal(await viewer.do((video) => video.paused), false);
    await viewer.leave();
  });

  await context.test(`${player}: at double speed the time watched is the viewer's`, async () => {
    const viewer = await watching(player, "film");
    const begun = performance.now();
    await viewer.do((video) => (video.playbackRate = 2));
    await viewer.playTo(7);
    await viewer.do((video) => video.pause());
    const elapsed = (performance.now() - begun) / 1_000;
    const entry = await until(() => site.entry(ann), (it) => it?.watch_position >= 7);
    const { watch_duration: watched } = entry;
    assert.ok(watched >= 3 && watched <= Math.min(elapsed, 6), `${watched} of ${elapsed} seconds`);
    await viewer.leave();
  });

  // Firefox cannot answer in place of the server.
  const skip = !isChrome;
  await context.test(`${player}: a film without ranges loses no further position`, { skip }, async () => {
    const first = await watching(player, "film");
    await first.do((video) => (video.currentTime = 20));
    await first.playTo(21);
    await first.signOut();
    const before = await site.entry(ann);
    await first.leave();
    const viewer = await site.viewer(player);
    const body = readFileSync(join(import.meta.dirname, SAMPLE));
    const headers = { "accept-ranges": "none" };
    viewer.answers = ({ method, url }) =>
      method === "GET" && url.includes("/stream")
        ? { status: 200, headers, contentType: "video/webm", body }
        : null;
    await viewer.open();
    await viewer.signIn(ann);
    await viewer.playTo(2);
    await viewer.signOut();
    const after = await site.entry(ann);
    assert.ok(after.watch_position >= before.watch_position, `${after.watch_position} is saved`);
    await viewer.leave();
  });
}

test("all players at once", { concurrency: true }, async (context) => {
  const played = [];
  for (const player of PLAYERS) {
    played.push(playFilms(context, player));
    if (!isChrome) await played.at(-1); // Firefox plays in the tab in front only
  }
  await Promise.all(played);
});

test("videojs: a player that is disposed of saves its last position", async () => {
  const viewer = await watching("videojs", "film");
  await viewer.do((video) => (video.currentTime = 25));
  await viewer.playTo(27);
  const reached = Math.floor(await viewer.position());
  await viewer.page.$eval(".video-js", (/** @type {any} */ { player }) => player.dispose());
  await until(() => site.entry("ann-videojs"), (it) => it?.watch_position >= reached);
  await viewer.leave();
});
