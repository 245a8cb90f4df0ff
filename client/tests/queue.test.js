import assert from "node:assert/strict";
import { test } from "node:test";
import { CAPACITY, ageOf, createQueue, now } from "../src/playhead/queue.js";
import { emptyStorage } from "./storage.js";

/** @param {number | string} video @param {number} position @param {number} [ageMs] */
function saveOf(video, position, ageMs = 0) {
  const moment = now();
  return {
    video,
    position,
    watched: 0,
    played: 0,
    session: "s",
    sequence: 1,
    ...moment,
    at: moment.at - ageMs,
  };
}

test("the age of a save is the longer of what the two clocks say", () => {
  const { at, page, tick } = now();
  assert.ok(ageOf({ at: at - 5_000, page, tick }) >= 5_000, "the wall clock");
  assert.ok(
    ageOf({ at: at + 60_000, page, tick: tick - 7_000 }) >= 7_000,
    "a wall clock that was set back",
  );
  assert.ok(
    ageOf({ at, page: page - 1, tick: tick - 7_000 }) < 5_000,
    "the stopwatch of another page",
  );
  assert.equal(ageOf({ at: 0, page, tick }), 30 * 24 * 60 * 60 * 1000, "at most 30 days");
});

test("a newer save replaces the older one of its player session", () => {
  emptyStorage();
  const queue = createQueue();
  const key = queue.keyOf("1", "s", 7);
  queue.put("1", key, saveOf(7, 10));
  const [sent] = queue.waiting("1");
  queue.put("1", key, saveOf(7, 20));
  queue.settle(sent);
  assert.deepEqual(
    queue.waiting("1").map(({ save }) => save.position),
    [20],
    "the answer was for the older save",
  );
  queue.settle(queue.waiting("1")[0]);
  assert.ok(queue.isEmpty());
});

test("accounts do not see what others left", () => {
  emptyStorage();
  const queue = createQueue();
  for (const [account, video] of [
    ["1", 7],
    ["1", 17],
    ["11", 7],
  ]) {
    queue.put(String(account), queue.keyOf(String(account), "s", video), saveOf(video, 10));
  }
  const videosOf = (/** @type {string} */ account) =>
    queue.waiting(account).map(({ save }) => save.video);
  assert.deepEqual([videosOf("1"), videosOf("11")], [[7, 17], [7]]);
});

test("the oldest save makes room when the queue is full", () => {
  emptyStorage();
  const queue = createQueue();
  for (let video = 1; video <= CAPACITY; video++) {
    queue.put(
      "1",
      queue.keyOf("1", "s", video),
      saveOf(video, 10, video === 123 ? 60_000 : 50_000),
    );
  }
  queue.put("1", queue.keyOf("1", "s", "new"), saveOf("new", 10));
  const videos = queue.waiting("1").map(({ save }) => save.video);
  assert.equal(videos.length, CAPACITY);
  assert.ok(videos.includes("new") && !videos.includes(123));
});

test("without a name or without room, a save is kept in memory only", () => {
  const storage = emptyStorage();
  const queue = createQueue();
  const unnamed = queue.keyOf("", "s", 7);
  queue.put("", unnamed, saveOf(7, 10));
  assert.equal(queue.isKept(unnamed), false);
  assert.equal(queue.read(unnamed)?.save.position, 10);
  const named = queue.keyOf("1", "s", 7);
  queue.put("1", named, saveOf(7, 10));
  assert.equal(queue.isKept(named), true);
  storage.setItem = () => {
    throw new Error("no room");
  };
  queue.put("1", named, saveOf(7, 20));
  assert.equal(queue.isKept(named), false);
  assert.equal(queue.read(named)?.save.position, 20);
});

test("what is no save is removed from the queue", () => {
  const storage = emptyStorage();
  const queue = createQueue();
  for (const junk of [
    "",
    "{",
    "null",
    "[]",
    '{"video":1}',
    JSON.stringify({ ...saveOf(7, 10), position: "10" }),
  ]) {
    const key = queue.keyOf("1", "s", 7);
    storage.setItem(key, junk);
    assert.equal(queue.read(key), null, junk);
    assert.equal(storage.getItem(key), null, junk);
  }
});
