import assert from "node:assert/strict";
import { test } from "node:test";
import { crowdedDelay, pollDelay, reconnectDelay } from "../src/playhead/live/delays.js";
import { initialState, transition } from "../src/playhead/live/machine.js";
import { randomFrom } from "./random.js";

const PAGES = 5_000;

/** @typedef {import("../src/playhead/live/machine.js")} Machine */
/** @typedef {Parameters<Machine["transition"]>[1]} ConnectionEvent */

/**
 * Pages with a socket on a server that stops at 0 and answers again after some time.
 * @param {number} awayMs @returns {{ tries: number[], returned: number[] }} times in milliseconds
 */
function restart(awayMs) {
  const random = randomFrom(17);
  const [tries, returned] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let page = 0; page < PAGES; page++) {
    let now = 0;
    let state = initialState(false);
    /** @param {ConnectionEvent} event @returns {number} the delay before the next socket */
    const send = (event) => {
      const result = transition(state, event, random);
      state = result.state;
      const retry = result.effects.find(
        (effect) => effect.type === "timer" && effect.name === "retry",
      );
      return retry?.type === "timer" ? retry.inMs : 0;
    };
    for (const type of /** @type {const} */ (["subscribed", "ready"])) send({ type });
    let wait = send({ type: "closed", code: 1001 });
    for (;;) {
      now += wait;
      send({ type: "timer", name: "retry" });
      tries.push(now);
      if (now >= awayMs) break;
      wait = send({ type: "closed", code: 1006 });
    }
    returned.push(now);
  }
  return { tries, returned };
}

/** The most times that fall into one second. @param {number[]} times */
function mostInASecond(times) {
  const sorted = [...times].sort((a, b) => a - b);
  let [most, first] = [0, 0];
  sorted.forEach((time, at) => {
    while (sorted[first] <= time - 1_000) first++;
    most = Math.max(most, at - first + 1);
  });
  return most;
}

test("5,000 pages do not come back in one second after a restart", () => {
  for (const awayMs of [0, 500, 3_000, 20_000, 120_000]) {
    const { tries, returned } = restart(awayMs);
    const most = mostInASecond(returned);
    assert.equal(returned.length, PAGES);
    assert.ok(most < PAGES / 4, `${most} came back in one second after ${awayMs} ms`);
    assert.ok(mostInASecond(tries) < PAGES / 4, `tries after ${awayMs} ms`);
  }
});

test("a page is back soon after a short restart, and within minutes after a long one", () => {
  for (const [awayMs, limitMs] of [
    [0, 5_000],
    [1_000, 15_000],
    [120_000, 180_000],
  ]) {
    const { returned } = restart(awayMs);
    assert.ok(Math.max(...returned) <= limitMs + awayMs, `after ${awayMs} ms`);
  }
});

test("delays grow up to a limit, and none is the same for all", () => {
  const delays = [0, 1, 2, 5, 5_000].map((failures) => [
    reconnectDelay(failures, () => 0),
    reconnectDelay(failures, () => 1),
  ]);
  const [first, ...later] = delays;
  assert.deepEqual(first, [0, 5_000]);
  const limits = [10_000, 20_000, 60_000, 60_000];
  assert.deepEqual(
    later,
    limits.map((limit) => [limit / 2, limit]),
  );
  assert.deepEqual([pollDelay(() => 0), pollDelay(() => 1)].map(Math.round), [27_000, 33_000]);
  assert.deepEqual([crowdedDelay(() => 0), crowdedDelay(() => 1)], [600_000, 1_200_000]);
});
