import assert from "node:assert/strict";
import { test } from "node:test";
import { TRANSITIONS } from "../src/playhead/machine.js";
import {
  UNLOADED,
  closed,
  describe,
  following,
  noAnswer,
  refusal,
  resuming,
  suspended,
  waiting,
} from "./player.js";

/** @typedef {import("../src/playhead/machine.js").PlayerEvent} PlayerEvent */
/** @typedef {import("../src/playhead/playback.js").Reading} Reading */

const PLAYERS = { waiting, resuming, following, suspended, closed };
/** The element has played on for two seconds. @type {Partial<Reading>} */
const PLAYED = {
  paused: false,
  currentTime: 42,
  moment: { at: 1_002_000, page: 1_000_000, tick: 2_000 },
};
const STILL_PLAYED = { ...PLAYED, currentTime: 41 };
const PAUSED = { ...PLAYED, paused: true };
const FROM_START = { source: "video.webm#t=0" };

/** @type {PlayerEvent} */
const HISTORY = { type: "historyRead", resumeAt: 50, watched: 9 };
/** @type {PlayerEvent} */
const DELAYED = { type: "historyDelayed", retryInMs: 500, error: noAnswer() };
/** @type {PlayerEvent} */
const KEPT = { ...DELAYED, kept: { position: 50, watched: 9 } };
/** @type {PlayerEvent} */
const REFUSED = { type: "historyRefused", error: refusal() };
/** @type {PlayerEvent} */
const DURATION = { type: "durationRead", duration: 43 };
/** @type {PlayerEvent} */
const SAVED = { type: "saveAnswered", answer: { state: "saved", position: 40 } };
/** @type {PlayerEvent} */
const GONE = { type: "saveAnswered", answer: { state: "gone", position: 40 } };
/** @type {PlayerEvent} */
const GO = { type: "goTo", position: 20 };
/** @type {PlayerEvent} */
const DETACH = { type: "detach", save: true };
/** @type {PlayerEvent} */
const DROP = { type: "detach", save: false };

const SUSPENDED = "suspended: stopInterval";
const RESUMED_ELSEWHERE = "following: report ready, save 41";
const CLOSED_AND_FAILED = "closed: close, report failed";
const CLOSED_AND_GONE = "closed: close, report gone";

/**
 * An event, what the element says then, and what becomes of each state: the state after it and the
 * effects. "=" stands for the state before.
 * @type {[PlayerEvent | PlayerEvent["type"], Partial<Reading>, ...string[]][]}
 */
const TABLE = [
  // event, reading, waiting, resuming, following, suspended, closed
  ["loadedmetadata", {}, "=", "=", "=", "=", "="],
  ["loadedmetadata", FROM_START, "following: report ready", "=", "=", "=", "="],
  ["durationchange", { duration: 70 }, "=", "=", "=", "=", "="],
  ["progress", PLAYED, "=", "=", "=", "=", "="],
  ["change", PLAYED, "=", "=", "=", "=", "="],
  ["playing", PLAYED, "=: startInterval", "=: startInterval", "=: startInterval", "=", "="],
  ["pause", PAUSED, "=: stopInterval", "=: stopInterval", "=: stopInterval, save 42", "=", "="],
  ["ended", PAUSED, "=: stopInterval", "=: stopInterval", "=: stopInterval, save 42", "=", "="],
  ["seeking", { currentTime: 20, seeking: true }, "=", "waiting", "=", "=", "="],
  ["seeking", { currentTime: 40, seeking: true }, "=", "=", "=", "=", "="],
  ["seeked", { currentTime: 40.5, seeking: false }, "=", "following: report ready", "=", "=", "="],
  ["seeked", { currentTime: 41, seeking: false }, "=", RESUMED_ELSEWHERE, "=: save 41", "=", "="],
  ["emptied", {}, "=: stopInterval", "waiting: stopInterval", "waiting: stopInterval", "=", "="],
  ["interval", PLAYED, "=", "=", "=: save 42", "=", "="],
  ["leave", PLAYED, "=", "=", "=: save 42", "=: flush", "="],
  ["overdue", { currentTime: 9 }, "=", "=", "=", "=", "="],
  ["overdue", { currentTime: 10 }, "following: report ready", "=", "=", "=", "="],
  ["sessionOpened", PLAYED, "=", "=", "=: save 42", "=", "="],
  [DURATION, {}, "=", "=", "=", "=", "="],
  [DURATION, { ...PAUSED, ended: true, duration: 42 }, "=", "=", "=: save 43", "=", "="],
  [HISTORY, {}, "resuming: seek 50", "=", "resuming: seek 50", "=", "="],
  [DELAYED, {}, "=: retryHistory, report retrying", "=: retryHistory", "=: retryHistory", "=: retryHistory", "="],
  [KEPT, {}, "resuming: seek 50, retryHistory", "=: retryHistory", "=: retryHistory", "=: retryHistory", "="],
  [REFUSED, {}, CLOSED_AND_FAILED, CLOSED_AND_FAILED, CLOSED_AND_FAILED, CLOSED_AND_FAILED, "="],
  [SAVED, {}, "=: report saved", "=: report saved", "=: report saved", "=: report saved", "=: report saved"],
  [GONE, {}, CLOSED_AND_GONE, CLOSED_AND_GONE, CLOSED_AND_GONE, CLOSED_AND_GONE, "=: report gone"],
  ["startOver", {}, "=: seek 0", "waiting: seek 0", "=: seek 0, save 0", "=", "=: seek 0"],
  [GO, {}, "=: seek 20", "waiting: seek 20", "=: seek 20", "=", "=: seek 20"],
  ["forget", PLAYED, "=", "=", "=", "=", "="],
  ["forgotten", PLAYED, "=", "=", "=", "=", "="],
  ["forgetFailed", PLAYED, "=", "=", "=", "=", "="],
  ["suspend", PLAYED, SUSPENDED, SUSPENDED, "suspended: save 42, stopInterval", "=", "="],
  ["unsuspend", STILL_PLAYED, "=", "=", "=", `${RESUMED_ELSEWHERE}, startInterval`, "="],
  ["unsuspend", { currentTime: 0 }, "=", "=", "=", "resuming: seek 40", "="],
  ["unsuspend", UNLOADED, "=", "=", "=", "waiting", "="],
  [DETACH, PLAYED, "closed: close", "closed: close", "closed: save 42, close", "closed: flush, close", "="],
  [DROP, PLAYED, "closed: close", "closed: close", "closed: close", "closed: close", "="],
];

/** @param {PlayerEvent | PlayerEvent["type"]} event */
const typeOf = (event) => (typeof event === "string" ? event : event.type);

for (const type of new Set(TABLE.map(([event]) => typeOf(event)))) {
  test(`${type} does in each state what the table says`, () => {
    for (const [event, reading, ...expected] of TABLE) {
      if (typeOf(event) === type) check(event, reading, expected);
    }
  });
}

/**
 * @param {PlayerEvent | PlayerEvent["type"]} event @param {Partial<Reading>} reading
 * @param {string[]} expected for each state
 */
function check(event, reading, expected) {
  Object.entries(PLAYERS).forEach(([phase, make], at) => {
    const player = make();
    assert.equal(player.state.phase, phase);
    const { state } = player;
    const before = structuredClone(state);
    const effects = describe(player.send(event, reading)).join(", ");
    assert.deepEqual(state, before, "the state before is left as it was");
    const actual = player.state.phase + (effects && `: ${effects}`);
    assert.equal(actual, expected[at].replace("=", phase), `${typeOf(event)} while ${phase}`);
  });
}

test("the table has every event, and every event has every state", () => {
  const types = TABLE.map(([event]) => typeOf(event));
  assert.deepEqual([...new Set(types)].sort(), Object.keys(TRANSITIONS).sort());
  for (const transitions of Object.values(TRANSITIONS)) {
    assert.deepEqual(Object.keys(transitions).sort(), Object.keys(PLAYERS).sort());
  }
});
