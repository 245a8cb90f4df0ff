/** The adapters with players that do what the real ones are seen to do in `browser.test.js`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { namedStart } from "../adapters/fragment.js";
import { loadWithPlayhead } from "../adapters/shaka.js";
import { registerPlayhead } from "../adapters/videojs.js";
import { createMediaStorage } from "../adapters/vidstack.js";
import { createPlayhead } from "../src/playhead.js";
import { FakeServer, FakeVideo, TOKEN, settled } from "./page.js";

function begin() {
  const [server, video] = [new FakeServer(), new FakeVideo()];
  const playhead = createPlayhead({ getToken: () => TOKEN, fetch: server.fetch });
  return { server, video, playhead };
}

test("an address may name where to begin", () => {
  const starts = /** @type {[string, number | null][]} */ ([
    ["film.mpd", null],
    ["film.mpd#chapter=2", null],
    ["film.mpd#t=10", 10],
    ["film.mpd#t=npt:10.5,20", 10.5],
    ["film.mpd#t=1:02:03", 3_723],
    ["film.mpd#t=,20", 0],
  ]);
  for (const [uri, start] of starts) assert.equal(namedStart(uri), start, uri);
});

/** @param {FakeVideo} video */
function videoJsPlayer(video) {
  const target = new EventTarget();
  const on = (/** @type {string} */ type, /** @type {() => void} */ listener) =>
    target.addEventListener(type, listener);
  const off = (/** @type {string} */ type, /** @type {() => void} */ listener) =>
    target.removeEventListener(type, listener);
  const tech = { el: () => video };
  const state = { duration: 60 };
  return {
    ...{ on, off, state, tech: () => tech, duration: () => state.duration },
    goLive() {
      Object.assign(tech, { vhs: {} });
      state.duration = Infinity;
      this.tell("durationchange");
    },
    tell: (/** @type {string} */ type) => target.dispatchEvent(new Event(type)),
  };
}

function videoJs() {
  const made = begin();
  /** @type {any} */
  let plugin;
  const registerPlugin = (/** @type {string} */ _, /** @type {any} */ it) => (plugin = it);
  registerPlayhead({ registerPlugin }, made.playhead);
  const player = videoJsPlayer(made.video);
  const attach = (/** @type {object} */ options) => plugin.call(player, options);
  return { ...made, player, attach };
}

test("a Video.js player resumes, and is detached when it is disposed of", async () => {
  const { server, video, player, attach } = videoJs();
  attach({ videoId: 7 });
  await settled();
  assert.equal(video.currentTime, 40);
  video.currentTime = 20;
  await settled();
  player.tell("dispose");
  await settled();
  assert.deepEqual(server.positions, [20]);
  assert.equal(video.listeners, 0);
});

test("a Video.js player that gets another video leaves the one before", async () => {
  const { video, attach } = videoJs();
  attach({ videoId: 7 });
  const { listeners } = video;
  attach({ videoId: 8 });
  assert.equal(video.listeners, listeners);
});

test("a Video.js player saves no advertisement and no live stream", async () => {
  const { server, video, player, attach } = videoJs();
  attach({ videoId: 7 });
  await settled();
  player.tell("durationchange");
  player.tell("adstart");
  video.currentTime = 5;
  await settled();
  assert.deepEqual(server.positions, []);
  player.tell("adend");
  await settled();
  assert.equal(video.currentTime, 40);
  player.goLive();
  video.currentTime = 5;
  await settled();
  assert.deepEqual(server.positions, []);
});

test("a live stream of a Video.js player is not saved after an advertisement", async () => {
  const { server, video, player, attach } = videoJs();
  player.goLive();
  attach({ videoId: 7 });
  await settled();
  player.tell("adstart");
  player.tell("adend");
  await settled();
  video.currentTime = 5;
  await settled();
  assert.deepEqual(server.positions, []);
});

/** @param {FakeVideo} video @param {boolean} [live] */
function shakaPlayer(video, live = false) {
  return Object.assign(new EventTarget(), {
    /** @type {any} */
    getMediaElement: () => video,
    isLive: () => live,
    /** @type {unknown[]} */
    loaded: [],
    async load(/** @type {string} */ uri, /** @type {number | undefined} */ startTime = 0) {
      this.loaded.push([uri, startTime]);
      if (startTime > 0) video.currentTime = startTime;
    },
  });
}

test("Shaka loads at the resume position, and saves from there until it unloads", async () => {
  const { server, video, playhead } = begin();
  const player = shakaPlayer(video);
  await loadWithPlayhead(player, playhead, 7, "film.mpd");
  await settled();
  assert.deepEqual(player.loaded, [["film.mpd", 40]]);
  assert.deepEqual(server.positions, []);
  await video.play();
  video.advanceTo(41);
  player.dispatchEvent(new Event("unloading"));
  await settled();
  assert.deepEqual(server.positions, [41]);
  assert.equal(video.listeners, 0);
});

test("Shaka does not save a live stream", async () => {
  const { server, video, playhead } = begin();
  const player = shakaPlayer(video, true);
  await loadWithPlayhead(player, playhead, 7, "live.mpd", { resume: false });
  assert.deepEqual(player.loaded, [["live.mpd", 0]]);
  video.currentTime = 30;
  await settled();
  assert.deepEqual(server.positions, []);
});

test("Vidstack begins at the resume position, and saves until its source changes", async () => {
  const { server, video, playhead } = begin();
  /** @type {any} */
  const player = { state: { live: false }, querySelector: () => video };
  const storage = createMediaStorage(playhead, player, () => 7);
  /** @type {any} */
  const source = { src: "film.webm", type: "video/webm" };
  assert.equal(await storage.getTime(), null);
  await storage.onLoad?.(source);
  assert.equal(await storage.getTime(), 40);
  video.currentTime = 40;
  await settled();
  assert.deepEqual(server.positions, []);
  video.currentTime = 30;
  await settled();
  storage.onChange?.(source, "film.webm");
  await settled();
  assert.deepEqual(server.positions, [30]);
  assert.equal(video.listeners, 0);
  storage.onDestroy?.();
});

test("Vidstack does not save a live stream, nor what has no video", async () => {
  const { video, playhead } = begin();
  /** @type {any} */
  const player = { state: { live: true }, querySelector: () => video };
  /** @type {any} */
  const source = { src: "live.m3u8" };
  for (const id of [7, null]) {
    const storage = createMediaStorage(playhead, player, () => id);
    await storage.onLoad?.(source);
    assert.equal(await storage.getTime(), null);
    player.state.live = false;
  }
  assert.equal(video.listeners, 0);
});

test("Vidstack keeps all but the position where the page says", async () => {
  const { playhead } = begin();
  const kept = new Map(Object.entries({ Volume: 0.5, Muted: true, Lang: "ko", Captions: true }));
  const names = [...kept.keys(), "PlaybackRate", "VideoQuality", "AudioGain"];
  /** @type {any} */
  const rest = Object.fromEntries(
    names.flatMap((name) => [
      [`get${name}`, async () => kept.get(name) ?? null],
      [`set${name}`, async (/** @type {any} */ value) => void kept.set(name, value)],
    ]),
  );
  /** @type {any} */
  const [player, source] = [{ state: {} }, {}];
  /** @type {any} */
  const storage = createMediaStorage(playhead, player, () => 7, { rest });
  /** @type {any} */
  const without = createMediaStorage(playhead, player, () => 7);
  storage.onChange(source, null);
  for (const name of names) {
    assert.equal(await storage[`get${name}`](), kept.get(name) ?? null);
    await storage[`set${name}`]("new");
    assert.equal(kept.get(name), "new");
    await without[`set${name}`]("new");
    assert.equal(await without[`get${name}`](), null);
  }
});
