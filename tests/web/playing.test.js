import assert from "node:assert/strict";
import { test } from "node:test";
import { playingForMs } from "../../web/playing.js";

/** @param {number} second of the day @param {number} position @param {string | null} [device] */
const saveAt = (second, position, device = "Living room") => ({
  watch_position: position,
  last_watched_at: new Date(1_800_000_000_000 + second * 1_000).toISOString(),
  device,
});

test("a device plays if its position moves as time does", () => {
  const cases = /** @type {const} */ ([
    ["ten seconds on", saveAt(10, 110), 15_000],
    ["a save each 30 seconds", saveAt(30, 130), 45_000],
    ["double speed", saveAt(10, 120), 15_000],
    ["paused and played on", saveAt(60, 110), 90_000],
    ["the same save told twice", saveAt(0, 100), 0],
    ["a jump forward", saveAt(10, 900), 0],
    ["a jump back", saveAt(10, 20), 0],
    ["hours later", saveAt(7_200, 110), 0],
    ["another device", saveAt(10, 110, "Phone"), 0],
    ["an unnamed device", saveAt(10, 110, null), 0],
  ]);
  for (const [name, save, ms] of cases) assert.equal(playingForMs(saveAt(0, 100), save), ms, name);
  assert.equal(playingForMs(null, saveAt(0, 100)), 0);
});
