import assert from "node:assert/strict";
import { test } from "node:test";
import {
  GIVE_UP_MS,
  LINGER_MS,
  QUIET_MS,
  initialState,
  transition,
} from "../src/playhead/live/machine.js";
import { randomFrom } from "./random.js";

/** @typedef {import("../src/playhead/live/machine.js")} Machine */
/** @typedef {Parameters<Machine["transition"]>[1]} ConnectionEvent */
/**
 * @typedef {Exclude<ConnectionEvent["type"], "greeted" | "closed" | "polled" | "timer">} PlainEvent
 */
/** @typedef {import("../src/playhead/live/machine.js").TimerName} TimerName */

/** A connection whose timers the test lets pass. */
class TestConnection {
  constructor({ isHidden = false } = {}) {
    this.state = initialState(isHidden);
    /** @type {Map<TimerName, number>} */
    this.timers = new Map();
  }

  /** @param {ConnectionEvent | PlainEvent} event @returns {string[]} the effects without timers */
  send(event) {
    const details = /** @type {ConnectionEvent} */ (
      typeof event === "string" ? { type: event } : event
    );
    const { state, effects } = transition(this.state, details, () => 0.5);
    this.state = state;
    const told = [];
    for (const effect of effects) {
      if (effect.type === "timer") this.timers.set(effect.name, effect.inMs);
      else if (effect.type === "stopTimer") this.timers.delete(effect.name);
      else if (effect.type === "open") told.push(effect.isRefused ? "open newer" : "open");
      else if (effect.type === "greet") told.push(effect.isExpiring ? "greet newer" : "greet");
      else told.push(effect.type === "report" ? effect.phase : effect.type);
    }
    return told;
  }

  /** The time of a timer comes. @param {TimerName} name */
  pass(name) {
    assert.ok(this.timers.delete(name), `${name} does not run`);
    return this.send({ type: "timer", name });
  }

  fail() {
    return this.send({ type: "closed", code: 1006 });
  }

  static live() {
    const connection = new TestConnection();
    connection.send("subscribed");
    connection.send({ type: "greeted", validForMs: 1_800_000 });
    connection.send("ready");
    return connection;
  }
}

test("a socket is opened for the first subscriber, and closed after the last", () => {
  const connection = new TestConnection();
  assert.deepEqual(connection.send("shown"), []);
  assert.deepEqual(connection.send("subscribed"), ["open", "connecting"]);
  assert.equal(connection.timers.get("giveUp"), GIVE_UP_MS);
  assert.deepEqual(connection.send("subscribed"), []);
  assert.deepEqual(connection.send("ready"), ["live"]);
  assert.deepEqual(connection.send("abandoned"), []);
  assert.equal(connection.timers.get("linger"), LINGER_MS);
  connection.send("subscribed"); // the next view
  assert.equal(connection.timers.has("linger"), false);
  connection.send("abandoned");
  assert.deepEqual(connection.pass("linger"), ["close", "off"]);
  assert.deepEqual(connection.send("online"), []);
});

test("a lost socket is opened again, and changes are polled after some failures", () => {
  const connection = TestConnection.live();
  assert.deepEqual(connection.send({ type: "closed", code: 1001 }), ["close", "waiting"]);
  assert.equal(connection.timers.get("retry"), 2_500);
  assert.deepEqual(connection.pass("retry"), ["open", "connecting"]);
  connection.fail();
  connection.pass("retry");
  assert.equal(connection.timers.has("poll"), false);
  connection.fail();
  assert.deepEqual(connection.pass("poll"), ["poll"]);
  connection.send({ type: "polled", leastMs: 0 });
  assert.equal(connection.timers.get("poll"), 30_000);
  connection.send({ type: "polled", leastMs: 90_000 });
  assert.equal(connection.timers.get("poll"), 90_000);
  connection.pass("retry");
  assert.deepEqual(connection.send({ type: "greeted", validForMs: 60_000 }), ["stopPoll"]);
  assert.equal(connection.timers.has("poll"), false);
  assert.deepEqual(connection.send("ready"), ["live"]);
  assert.equal(connection.state.failures, 0);
});

test("a server that does not become ready is given up", () => {
  const connection = new TestConnection();
  connection.send("subscribed");
  assert.deepEqual(connection.pass("giveUp"), ["close", "waiting"]);
  assert.ok(connection.timers.has("retry"));
});

test("a token is renewed before it expires", () => {
  const connection = TestConnection.live();
  assert.equal(connection.timers.get("renew"), 1_755_000);
  assert.deepEqual(connection.pass("renew"), ["greet newer"]);
  connection.send("tokenFailed");
  assert.equal(connection.timers.get("renew"), 10_000);
  connection.send({ type: "greeted", validForMs: 60_000 });
  assert.equal(connection.timers.get("renew"), 40_000);
});

test("a socket that does not answer a token is given up", () => {
  const connection = TestConnection.live();
  connection.pass("renew");
  connection.send({ type: "greeted", validForMs: 1_800_000 });
  assert.equal(connection.timers.get("giveUp"), GIVE_UP_MS);
  assert.deepEqual(connection.send("ready"), []);
  assert.equal(connection.timers.has("giveUp"), false);
  connection.pass("renew");
  connection.send({ type: "greeted", validForMs: 1_800_000 });
  assert.deepEqual(connection.pass("giveUp"), ["close", "waiting"]);
});

test("a refused token is replaced once, and then waited with", () => {
  const connection = TestConnection.live();
  const refused = { type: /** @type {const} */ ("closed"), code: 4401 };
  assert.deepEqual(connection.send(refused), ["open newer", "connecting"]);
  assert.deepEqual(connection.send(refused), ["close", "waiting"]);
  connection.pass("retry");
  assert.deepEqual(connection.send("signedOut"), ["close", "off"]);
  assert.deepEqual(connection.send("subscribed"), []);
  assert.deepEqual(connection.send("account"), ["reset", "open", "connecting"]);
});

test("a page whose place a newer one took polls, and asks again much later", () => {
  const connection = TestConnection.live();
  assert.deepEqual(connection.send({ type: "closed", code: 4429 }), ["close", "waiting"]);
  assert.equal(connection.timers.get("retry"), 900_000);
  assert.deepEqual(connection.pass("poll"), ["poll"]);
  assert.deepEqual(connection.send("hidden"), []);
  assert.deepEqual(connection.send("shown"), ["open", "connecting"]);
});

test("a page is quiet after five minutes out of sight, and back when it is seen", () => {
  const connection = TestConnection.live();
  connection.send("hidden");
  assert.equal(connection.timers.get("quiet"), QUIET_MS);
  assert.deepEqual(connection.pass("quiet"), ["close", "off"]);
  for (const event of /** @type {const} */ (["online", "offline", "subscribed"]))
    assert.deepEqual(connection.send(event), [], event);
  assert.deepEqual(connection.send("shown"), ["open", "connecting"]);
});

test("a page that polls is quiet out of sight too", () => {
  const connection = TestConnection.live();
  connection.send({ type: "closed", code: 4429 });
  connection.send("hidden");
  assert.deepEqual(connection.pass("quiet"), ["close", "stopPoll", "off"]);
  assert.equal(connection.timers.has("poll"), false);
  connection.send({ type: "polled", leastMs: 0 });
  assert.equal(connection.timers.has("poll"), false);
});

test("a page that is opened in the background is quiet after five minutes", () => {
  const connection = new TestConnection({ isHidden: true });
  connection.send("subscribed");
  connection.send("ready");
  assert.deepEqual(connection.pass("quiet"), ["close", "off"]);
});

test("a socket is asked whether it lives when a page is seen after a while", () => {
  const connection = TestConnection.live();
  connection.send("hidden");
  assert.deepEqual(connection.send("shown"), []);
  connection.send("hidden");
  connection.pass("doubt");
  assert.deepEqual(connection.send("shown"), ["greet"]);
  assert.deepEqual(connection.pass("giveUp"), ["close", "waiting"]);
});

test("what the server missed itself is asked for within two seconds", () => {
  const connection = TestConnection.live();
  assert.deepEqual(connection.send("resync"), []);
  assert.equal(connection.timers.get("catchUp"), 1_000);
  assert.deepEqual(connection.pass("catchUp"), ["greet"]);
});

test("without network nothing is held, and with it a socket is opened soon", () => {
  const connection = TestConnection.live();
  assert.deepEqual(connection.send("offline"), ["close", "waiting"]);
  for (let failure = 0; failure < 5; failure++) {
    connection.pass("retry");
    connection.fail();
  }
  connection.send("online");
  assert.equal(connection.timers.get("retry"), 250);
});

test("a page that the browser puts away has no socket until it is shown again", () => {
  const connection = TestConnection.live();
  assert.deepEqual(connection.send("frozen"), ["close", "off"]);
  assert.deepEqual(connection.send("shown"), ["open", "connecting"]);
});

test("no order of events leaves a wanted connection without a next step", () => {
  const events = /** @type {PlainEvent[]} */ ([
    "subscribed",
    "ready",
    "resync",
    "tokenFailed",
    "offline",
    "online",
    "hidden",
    "shown",
    "account",
  ]);
  const connection = new TestConnection();
  connection.send("subscribed");
  const random = randomFrom(7);
  for (let step = 0; step < 20_000; step++) {
    const [kind, which] = [Math.floor(random() * 4), Math.floor(random() * 1_000)];
    const names = [...connection.timers.keys()].filter((name) => name !== "quiet");
    if (kind === 0 && names.length > 0) connection.pass(names[which % names.length]);
    else if (kind === 1)
      connection.send({ type: "closed", code: [1001, 1006, 4401, 4429][which % 4] });
    else connection.send(events[which % events.length]);
    const { phase, isPolling } = connection.state;
    const { timers } = connection;
    assert.notEqual(phase, "off");
    if (phase === "waiting") assert.ok(timers.has("retry"), `step ${step}`);
    if (phase === "connecting") assert.ok(timers.has("giveUp"), `step ${step}`);
    if (phase === "live") assert.ok(!isPolling, `step ${step}`);
  }
});
