import assert from "node:assert/strict";
import { test } from "node:test";
import { clock } from "../../web/dom.js";

test("seconds are shown as minutes, and as hours when there are any", () => {
  const cases = /** @type {[number, string][]} */ ([
    [-1, "0:00"],
    [0, "0:00"],
    [9.99, "0:09"],
    [83, "1:23"],
    [3_599, "59:59"],
    [3_600, "1:00:00"],
    [3_723, "1:02:03"],
    [36_000, "10:00:00"],
  ]);
  for (const [seconds, shown] of cases) assert.equal(clock(seconds), shown);
});
