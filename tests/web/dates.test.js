import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "Asia/Kolkata";
Object.defineProperty(globalThis, "navigator", {
  value: { languages: ["en"] },
  configurable: true,
});
const { addDays, dayName, dayOf, startOf, timeWatched } = await import("../../web/dates.js");

test("a day is that of the viewer's time zone", () => {
  assert.equal(dayOf(new Date("2026-11-29T18:29:59Z")), "2026-11-29");
  assert.equal(dayOf(new Date("2026-11-29T18:30:00Z")), "2026-11-30");
  assert.equal(startOf("2026-11-30").toISOString(), "2026-11-29T18:30:00.000Z");
});

test("days are added across months and years", () => {
  assert.equal(addDays("2026-12-31", 1), "2027-01-01");
  assert.equal(addDays("2028-03-01", -1), "2028-02-29");
  assert.equal(addDays("2026-11-30", -364), "2025-12-01");
});

test("the newest two days have names, and only other years are named", () => {
  assert.equal(dayName("2026-11-30", "2026-11-30"), "Today");
  assert.equal(dayName("2026-12-31", "2027-01-01"), "Yesterday");
  assert.equal(dayName("2026-11-02", "2026-11-30"), "Monday, November 2");
  assert.equal(dayName("2025-11-02", "2026-11-30"), "Sunday, November 2, 2025");
});

test("time watched is said in hours and minutes, and in seconds below a minute", () => {
  const cases = /** @type {[number, string][]} */ ([
    [0, "0 sec"],
    [59, "59 sec"],
    [60, "1 min"],
    [3_599, "59 min"],
    [3_600, "1 hr"],
    [3_723, "1 hr 2 min"],
  ]);
  for (const [seconds, shown] of cases) assert.equal(timeWatched(seconds), shown);
});
