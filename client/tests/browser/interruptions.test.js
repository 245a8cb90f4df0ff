/** What is not of the video in a real browser: advertisements, and live streams of real media. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Site } from "./site.js";

const { PLAYHEAD_BROWSER = "chrome", PLAYHEAD_EXAMPLES = "" } = process.env;
const isChrome = PLAYHEAD_BROWSER === "chrome";
/** Firefox cannot answer in place of the server. */
const chromeOnly = { skip: !isChrome };

/** @typedef {import("./site.js").Viewer} Viewer */

/** @type {Site} */
let site;
before(async () => {
  site = await Site.start(isChrome ? "chrome" : "firefox", PLAYHEAD_EXAMPLES);
});
after(() => site?.stop());

/** The film as far as second 22. @param {string} player @param {string} [query] */
async function watchingTheFilm(player, query) {
  const viewer = await site.viewer(player);
  await viewer.open("film", query);
  await viewer.signIn(`ann-${player}`);
  await viewer.seeState("ready");
  await viewer.do((video) => (video.currentTime = 20));
  await viewer.playTo(22);
  return viewer;
}

/**
 * The clip is over, the film goes on where it was, and only the film is saved.
 * @param {Viewer} viewer
 */
async function seeTheFilmGoOn(viewer) {
  await viewer.see(() => {
    const { duration = 0, currentTime = 0 } = document.querySelector("video") ?? {};
    return duration > 30 && currentTime > 23.5;
  });
  assert.ok((await viewer.position()) < 30, "it goes on where it was");
  await viewer.signOut();
  const entry = await site.entry(`ann-${viewer.player}`);
  assert.ok(entry.watch_position >= 23 && entry.watch_position < 30, `${entry.watch_position}`);
  assert.ok(entry.watch_duration <= 6, `${entry.watch_duration} seconds with the clip`);
  assert.equal(entry.completed, false);
  assert.deepEqual(viewer.errors, []);
  await viewer.leave();
}

test("advertisement: a clip in the same element is neither saved nor counted", async () => {
  const clip = site.videos.get("two-seconds");
  const viewer = await watchingTheFilm("advertisement", `&clip=${clip}`);
  await viewer.page.click("#clip");
  await viewer.see(() => (document.querySelector("video")?.duration ?? 99) < 3);
  await seeTheFilmGoOn(viewer);
});

test("videojs: what an advertiser's plugin plays is neither saved nor counted", async () => {
  const viewer = await watchingTheFilm("videojs");
  const sources = ["two-seconds", "film"].map((name) => ({
    src: `/api/v1/videos/${site.videos.get(name)}/stream`,
    type: "video/webm",
  }));
  await viewer.page.$eval(
    ".video-js",
    (/** @type {any} */ { player }, /** @type {any} */ [clip, film]) => {
      player.trigger("adstart");
      player.src(clip);
      player.one("ended", () => {
        player.src(film);
        player.trigger("adend");
        player.play();
      });
      player.play();
    },
    sources,
  );
  await viewer.see(() => (document.querySelector("video")?.duration ?? 99) < 3);
  await seeTheFilmGoOn(viewer);
});

/** A head, and a segment of two seconds, which all segments of the stream are like. */
const CLIP = readFileSync(join(import.meta.dirname, "../../../tests/fixtures/segment.mp4"));
/** The name of a box in the file comes after its size. */
const [HEAD_BYTES, END] = ["moof", "mfra"].map((box) => CLIP.indexOf(box) - 4);
const SEGMENT_SECONDS = 2;

/** The last segments of a stream that has begun a minute ago, for HLS. */
function livePlaylist(/** @type {number} */ begun) {
  const newest = Math.floor((performance.now() - begun) / 1_000 / SEGMENT_SECONDS) + 30;
  const segment = [
    "#EXT-X-DISCONTINUITY",
    `#EXTINF:${SEGMENT_SECONDS},`,
    `#EXT-X-BYTERANGE:${END - HEAD_BYTES}@${HEAD_BYTES}`,
    "/live.mp4",
  ];
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${SEGMENT_SECONDS}`,
    `#EXT-X-MEDIA-SEQUENCE:${newest - 10}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${newest - 10}`,
    `#EXT-X-MAP:URI="/live.mp4",BYTERANGE="${HEAD_BYTES}@0"`,
    ...Array.from({ length: 10 }, () => segment).flat(),
    "",
  ].join("\n");
}

/** @param {Viewer} viewer */
function answerWithLiveStream(viewer) {
  const begun = performance.now();
  const id = site.videos.get("film");
  const contentType = "application/x-mpegURL";
  viewer.answers = ({ url, range }) => {
    const { pathname } = new URL(url);
    if (pathname === `/api/v1/videos/${id}`) {
      const body = JSON.stringify({ id, duration: null, stream_url: "/live.m3u8" });
      return { status: 200, contentType: "application/json", body };
    }
    if (pathname === "/live.m3u8") return { status: 200, contentType, body: livePlaylist(begun) };
    if (pathname !== "/live.mp4") return null;
    const [first, last] = /(\d+)-(\d+)/.exec(range)?.slice(1).map(Number) ?? [0, CLIP.length - 1];
    const headers = { "content-range": `bytes ${first}-${last}/${CLIP.length}` };
    const body = CLIP.subarray(first, last + 1);
    return { status: 206, contentType: "video/mp4", headers, body };
  };
}

for (const player of ["videojs", "shaka"]) {
  test(`${player}: a live stream is not saved`, chromeOnly, async () => {
    const bob = `bob-${player}`;
    const viewer = await site.viewer(player);
    answerWithLiveStream(viewer);
    await viewer.open("film");
    await viewer.signIn(bob);
    await viewer.do((video) => void (video.muted = true));
    await viewer.do((video) => void video.play());
    await viewer.see(() => {
      const { played } = /** @type {HTMLVideoElement} */ (document.querySelector("video"));
      let seconds = 0;
      for (let at = 0; at < played.length; at++) seconds += played.end(at) - played.start(at);
      return seconds > 3;
    });
    await viewer.do((video) => video.pause());
    await viewer.do((video) => (video.currentTime -= 2));
    await viewer.signOut();
    assert.equal(await site.entry(bob), null);
    await viewer.leave();
  });
}
