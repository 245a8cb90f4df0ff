import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { createPlayhead } from "../src/playhead.js";
import { createHistory } from "../src/playhead/history.js";
import { FakeServer, FakeVideo, TOKEN, elementOf, page, settled } from "./page.js";
import { reportedBy } from "./reports.js";

/** @typedef {import("../src/playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../src/playhead.js").PlayheadOptions} PlayheadOptions */

/** @param {AttachOptions} [options] @param {Partial<PlayheadOptions>} [client] */
async function begin(options, client) {
  const [server, video] = [new FakeServer(), new FakeVideo()];
  const { fetch } = server;
  const playhead = createPlayhead({ getToken: () => TOKEN, fetch, ...client });
  const handle = playhead.attach(elementOf(video), 7, options);
  await settled();
  return { server, video, playhead, handle };
}

test("a video is resumed, followed and saved", async () => {
  /** @type {string[]} */
  const states = [];
  const { server, video, handle } = await begin({ onState: ({ state }) => states.push(state) });
  assert.equal(video.currentTime, 40);
  await video.play();
  video.pauseAt(41);
  await settled();
  assert.deepEqual(server.positions, [41]);
  assert.deepEqual(states, ["ready", "saved"]);
  await handle.detach();
});

test("a handle sends its states and entries as events", async () => {
  const [server, video] = [new FakeServer(), new FakeVideo()];
  const { fetch } = server;
  const handle = createPlayhead({ getToken: () => TOKEN, fetch }).attach(elementOf(video), 7);
  /** @type {unknown[]} */
  const told = [];
  handle.addEventListener("state", ({ detail }) => told.push(detail));
  handle.addEventListener("entry", ({ detail }) => told.push(detail?.resume_at));
  await settled();
  assert.deepEqual(told, [{ state: "ready", position: 40 }, 40]);
  await handle.detach();
});

test("a signal detaches, and the last position is saved", async () => {
  const controller = new AbortController();
  const { server, video } = await begin({ signal: controller.signal });
  await video.play();
  video.pauseAt(41);
  video.currentTime = 20;
  controller.abort();
  await settled();
  assert.equal(server.positions.at(-1), 20);
  assert.equal(video.listeners, 0);
});

test("an aborted signal attaches nothing", async () => {
  const { server, video } = await begin({ signal: AbortSignal.abort() });
  assert.equal(video.listeners, 0);
  assert.equal(video.currentTime, 0);
  assert.equal(server.saves.length, 0);
});

test("the end of a client detaches its players and saves", async () => {
  const { server, video, playhead } = await begin();
  await video.play();
  video.pauseAt(41);
  video.currentTime = 30;
  await playhead.destroy();
  assert.equal(server.positions.at(-1), 30);
  assert.equal(video.listeners, 0);
  video.tell("playing");
  video.pauseAt(35);
  await settled();
  assert.equal(server.positions.at(-1), 30);
});

test("the signal of a client ends it", async () => {
  const controller = new AbortController();
  const { video } = await begin({}, { signal: controller.signal });
  assert.ok(video.listeners > 0);
  controller.abort();
  assert.equal(video.listeners, 0);
  const ended = await begin({}, { signal: AbortSignal.abort() });
  assert.equal(ended.video.listeners, 0);
});

test("what a client cannot deliver when it ends waits in the browser", async () => {
  const { server, video, playhead } = await begin();
  server.isReachable = false;
  video.currentTime = 30;
  await playhead.destroy();
  assert.equal(server.waiting, 1);
  server.isReachable = true;
  const next = createPlayhead({ getToken: () => TOKEN, fetch: server.fetch });
  await next.deliver();
  assert.deepEqual(server.positions, [30]);
  assert.equal(server.waiting, 0);
});

for (const place of ["setItem", "getToken"]) {
  test(`a script that the browser stops in ${place} while the tab closes is made up for`, async () => {
    let isStopped = false;
    // A script that runs out of time ends as in Firefox: anywhere, and without its `finally`.
    const stop = () => {
      while (isStopped);
    };
    const getToken = () => (place === "getToken" && stop(), TOKEN);
    const { server, video } = await begin({}, { getToken });
    const { setItem } = server.storage;
    server.storage.setItem = (/** @type {string} */ key, /** @type {string} */ value) => {
      if (place === "setItem") stop();
      setItem.call(server.storage, key, value);
    };
    await video.play();
    video.advanceTo(41);
    isStopped = true;
    const leave = () => page.window.dispatchEvent(new Event("pagehide"));
    Object.assign(globalThis, { leave });
    assert.throws(() => runInThisContext("leave()", { timeout: 50 }), /timed out/);
    isStopped = false;
    page.document.visibilityState = "hidden";
    page.document.dispatchEvent(new Event("visibilitychange"));
    page.document.visibilityState = "visible";
    assert.equal(server.waiting, 1, "it is in the queue before the page is gone");
    await settled();
    assert.deepEqual(server.positions, [41]);
  });
}

test("a page that is hidden saves at once", async () => {
  const { server, video, handle } = await begin();
  await video.play();
  video.advanceTo(41);
  page.document.visibilityState = "hidden";
  page.document.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.deepEqual(server.positions, [41]);
  page.document.visibilityState = "visible";
  page.window.dispatchEvent(new Event("pagehide"));
  await handle.detach();
  assert.deepEqual(server.positions, [41]);
});

test("a viewer starts over, goes somewhere, and forgets", async () => {
  const { server, video, handle, playhead } = await begin();
  await handle.startOver();
  assert.equal(video.currentTime, 0);
  assert.equal(video.paused, false);
  await handle.goTo(25);
  await playhead.deliver();
  assert.equal(server.positions.at(-1), 25);
  const history = createHistory(playhead);
  await history.forget(7);
  server.isReachable = false;
  await assert.rejects(history.forget(7), { name: "PlayheadError", status: 0 });
  await handle.detach({ save: false });
});

test("a first read that fails is tried again when the network is back", async () => {
  const [server, video] = [new FakeServer(), new FakeVideo()];
  server.isReachable = false;
  /** @type {string[]} */
  const states = [];
  const playhead = createPlayhead({ getToken: () => TOKEN, fetch: server.fetch });
  const onState = (/** @type {{ state: string }} */ { state }) => states.push(state);
  const handle = playhead.attach(elementOf(video), 7, { onState });
  await settled();
  server.isReachable = true;
  page.window.dispatchEvent(new Event("online"));
  await settled();
  assert.deepEqual(states, ["retrying", "ready"]);
  assert.equal(video.currentTime, 40);
  await handle.detach();
});

test("without a user nothing is saved", async () => {
  /** @type {string[]} */
  const states = [];
  const { server, video, handle } = await begin(
    { onState: ({ state }) => states.push(state) },
    { getToken: () => null },
  );
  video.currentTime = 30;
  await handle.detach();
  assert.deepEqual(states, ["signed-out"]);
  assert.equal(server.saves.length, 0);
});

test("an advertisement is neither saved nor counted", async () => {
  const { server, video, handle } = await begin();
  await video.play();
  video.pauseAt(41);
  await settled();
  handle.suspend();
  video.currentTime = 0;
  await video.play();
  video.pauseAt(15);
  await settled();
  assert.deepEqual(server.positions, [41]);
  handle.unsuspend();
  await settled();
  assert.equal(video.currentTime, 41);
  await video.play();
  video.pauseAt(42);
  await settled();
  await handle.detach();
  assert.deepEqual(server.positions, [41, 42]);
});

test("twenty players are attached and destroyed, and nothing is left", async () => {
  const server = new FakeServer();
  const playhead = createPlayhead({ getToken: () => TOKEN, fetch: server.fetch });
  const videos = Array.from({ length: 20 }, () => new FakeVideo());
  videos.forEach((video, at) => playhead.attach(elementOf(video), at + 1));
  await settled();
  for (const video of videos) {
    assert.equal(video.currentTime, 40);
    await video.play();
  }
  await playhead.destroy();
  for (const video of videos) assert.equal(video.listeners, 0);
});

test("what the page's own callbacks throw stops no save", async () => {
  const onState = () => {
    throw new Error("of the page");
  };
  const reported = await reportedBy(async () => {
    const { server, video } = await begin({ onState });
    await video.play();
    for (const position of [41, 42]) {
      video.pauseAt(position);
      await settled();
      await settled();
    }
    assert.deepEqual(server.positions, [41, 42]);
    assert.equal(server.waiting, 0);
  });
  assert.deepEqual(reported, Array(3).fill("Error: of the page"));
});
