import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../src/playhead/machine.js";
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
const LATER = { moment: { at: 1_010_000, page: 1_000_000, tick: 10_000 } };
const LATER_AT_9 = { ...LATER, currentTime: 9 };
const LATER_AT_50 = { ...LATER, currentTime: 50 };
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

const SUSPENDED = "suspended";
const RESUMED_ELSEWHERE = "following: report ready, save 41";
const CLOSED_AND_FAILED = "closed: report failed";
const CLOSED_AND_GONE = "closed: report gone";

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
  ["canplay", PLAYED, "=", "=", "=", "=", "="],
  ["timeupdate", PLAYED, "=", "=", "=", "=", "="],
  ["timeupdate", LATER_AT_9, "=", "=", "=", "=", "="],
  ["timeupdate", LATER_AT_50, "following: report ready", "=", "=: save 50", "=", "="],
  ["ratechange", PLAYED, "=", "=", "=", "=", "="],
  ["play", PLAYED, "=", "=", "=", "=", "="],
  ["waiting", PLAYED, "=", "=", "=", "=", "="],
  ["playing", PLAYED, "=", "=", "=", "=", "="],
  ["pause", PAUSED, "=", "=", "=: save 42", "=", "="],
  ["ended", PAUSED, "=", "=", "=: save 42", "=", "="],
  ["seeking", { currentTime: 20, seeking: true }, "=", "waiting", "=", "=", "="],
  ["seeking", { currentTime: 40, seeking: true }, "=", "=", "=", "=", "="],
  ["seeked", { currentTime: 40.5, seeking: false }, "=", "following: report ready", "=", "=", "="],
  ["seeked", { currentTime: 41, seeking: false }, "=", RESUMED_ELSEWHERE, "=: save 41", "=", "="],
  ["emptied", {}, "=", "waiting", "waiting", "=", "="],
  ["leave", PLAYED, "=", "=", "=: save 42", "=: flush", "="],
  ["sessionOpened", PLAYED, "=", "=", "=: save 42", "=", "="],
  [DURATION, {}, "=", "=", "=", "=", "="],
  [DURATION, { ...PAUSED, ended: true, duration: 42 }, "=", "=", "=: save 43", "=", "="],
  [HISTORY, {}, "resuming: seek 50", "=", "resuming: seek 50", "=", "="],
  [DELAYED, {}, "=: retryHistory, report retrying", "=: retryHistory", "=: retryHistory", "=: retryHistory", "="],
  [KEPT, {}, "resuming: seek 50, retryHistory", "=: retryHistory", "=: retryHistory", "=: retryHistory", "="],
  [REFUSED, {}, CLOSED_AND_FAILED, CLOSED_AND_FAILED, CLOSED_AND_FAILED, CLOSED_AND_FAILED, "="],
  [SAVED, {}, "=: report saved", "=: report saved", "=: report saved", "=: report saved", "=: report saved"],
  [GONE, {}, CLOSED_AND_GONE, CLOSED_AND_GONE, CLOSED_AND_GONE, CLOSED_AND_GONE, "=: report gone"],
  ["startOver", {}, "=", "waiting", "=: save 0", "=", "="],
  [GO, {}, "=", "waiting", "=", "=", "="],
  ["forget", PLAYED, "=", "=", "=", "=", "="],
  ["forgotten", PLAYED, "=", "=", "=", "=", "="],
  ["forgetFailed", PLAYED, "=", "=", "=", "=", "="],
  ["suspend", PLAYED, SUSPENDED, SUSPENDED, "suspended: save 42", "=", "="],
  ["unsuspend", STILL_PLAYED, "=", "=", "=", RESUMED_ELSEWHERE, "="],
  ["unsuspend", { currentTime: 0 }, "=", "=", "=", "resuming: seek 40", "="],
  ["unsuspend", UNLOADED, "=", "=", "=", "waiting", "="],
  [DETACH, PLAYED, "closed", "closed", "closed: save 42", "closed: flush", "="],
  [DROP, PLAYED, "closed", "closed", "closed", "closed", "="],
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
  assert.deepEqual([...new Set(types)].sort(), Object.keys(ACTIONS).sort());
  for (const [event, , ...expected] of TABLE) {
    assert.equal(expected.length, Object.keys(PLAYERS).length, typeOf(event));
  }
});
