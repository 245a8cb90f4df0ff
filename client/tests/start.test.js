/** Players that are told where to begin when they load a video. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPlayhead } from "../src/playhead.js";
import { resumeAt } from "../src/playhead/start.js";
import { FakeServer, FakeVideo, TOKEN, elementOf, settled } from "./page.js";
import { LOADED, TestPlayer, UNLOADED, describe } from "./player.js";

test("a player that begins where it was told is neither moved nor taken for a choice", () => {
  for (const isEarly of [true, false]) {
    const player = new TestPlayer({ startedAt: 40, reading: UNLOADED });
    if (isEarly) player.answer(40);
    player.send("loadedmetadata", { ...LOADED, currentTime: 40, seeking: true });
    player.send("seeking");
    player.send("seeked", { seeking: false });
    if (!isEarly) player.answer(40);
    assert.deepEqual(describe(player.effects), ["report ready"]);
    assert.equal(player.state.isChosen, false);
    player.play(2);
    assert.equal(player.saves.at(-1)?.position, 42);
    assert.equal(player.saves.at(-1)?.chosen, false);
  }
});

test("a player that cannot seek to where it was told chooses nothing", () => {
  const player = new TestPlayer({ startedAt: 40, reading: UNLOADED });
  player.answer(40);
  const seekable = /** @type {[number, number]} */ ([0, 0]);
  player.send("loadedmetadata", { ...LOADED, seekable });
  player.send("seeking", { seeking: true });
  player.send("seeked", { seeking: false });
  player.play(5);
  assert.equal(player.state.isChosen, false);
  assert.deepEqual(player.saves, []);
});

test("a player that is attached where it began is not moved", () => {
  const player = new TestPlayer({ startedAt: 40, reading: { currentTime: 40.2 } });
  player.answer(40);
  assert.deepEqual(describe(player.effects), ["report ready"]);
});

test("a player that does not begin where it was told is taken there", () => {
  const player = new TestPlayer({ startedAt: 40 });
  player.answer(40);
  assert.deepEqual(describe(player.effects), ["seek 40"]);
});

test("a viewer who has gone further elsewhere meanwhile is taken there", () => {
  const player = new TestPlayer({ startedAt: 40, reading: { currentTime: 40 } });
  player.answer(50);
  assert.deepEqual(describe(player.effects), ["seek 50"]);
});

test("a seek away from where the player began is a choice", () => {
  const player = new TestPlayer({ startedAt: 40, reading: { currentTime: 40 } });
  player.answer(40);
  player.seek(20);
  assert.equal(player.saves.at(-1)?.chosen, true);
});

/** @param {FakeServer} server @param {string | null} [token] */
const clientOf = (server, token = TOKEN) =>
  createPlayhead({ getToken: () => token, fetch: server.fetch });

test("a start is that of the server, or 0 without an answer or a user", async () => {
  const server = new FakeServer();
  assert.equal(await resumeAt(clientOf(server), 7), 40);
  assert.equal(await resumeAt(clientOf(server, null), 7), 0);
  assert.equal(await resumeAt(clientOf(server), 7, { signal: AbortSignal.abort() }), 0);
  server.isReachable = false;
  assert.equal(await resumeAt(clientOf(server), 7), 0);
});

test("a start is that of a save that still waits", async () => {
  const [server, video] = [new FakeServer(), new FakeVideo()];
  const playhead = clientOf(server);
  playhead.attach(elementOf(video), 7);
  await settled();
  server.isReachable = false;
  video.currentTime = 50;
  await playhead.destroy();
  assert.equal(await resumeAt(clientOf(server), 7), 50);
});
