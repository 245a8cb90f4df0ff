/** Files that end before their video does. Browsers report the end of the video all the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestPlayer, describe, following, waiting } from "./player.js";

/** @param {TestPlayer} player */
const positions = (player) => player.saves.map(({ position }) => position);

test("a truncated video that is played again is saved from where it ended", () => {
  const player = waiting();
  player.answer(0);
  player.play(5);
  player.send("pause", { currentTime: 60, ended: true, playedEnd: 60 });
  assert.deepEqual(positions(player), [5], "the reported end is not saved");
  player.send("seeking", { currentTime: 0, seeking: true, ended: false });
  player.send("seeked", { seeking: false });
  player.play(4);
  assert.deepEqual(positions(player), [5]);
  player.play(3);
  assert.deepEqual(positions(player), [5, 7]);
});

/** The browser has begun the video again; its events follow. */
const RESTARTED = { currentTime: 0, seeking: true, ended: false, paused: false };

test("a truncated file that is played before its end is reported keeps the position", () => {
  const player = waiting();
  player.answer(40);
  player.send("seeking", { currentTime: 40, seeking: true });
  // The file ends before the target, and the viewer presses play before "seeked" says so.
  player.send("timeupdate", RESTARTED);
  player.send("seeked");
  player.send("seeking");
  player.send("seeked", { seeking: false });
  player.play(5);
  assert.deepEqual(positions(player), []);
});

test("a truncated file that is begun again before its end is reported is no choice", () => {
  const player = following();
  player.play(5);
  player.send("ratechange", { paused: false });
  player.pass(0.2);
  player.send("pause", { ...RESTARTED, playedEnd: 60 });
  player.send("ended");
  player.send("seeking");
  player.send("seeked", { seeking: false });
  player.play(5);
  assert.deepEqual(
    player.saves.map(({ position, chosen }) => [position, chosen]),
    [[45, false]],
  );
});

test("a whole file that is begun again before its end is reported is a choice", () => {
  const player = new TestPlayer();
  player.answer(55);
  player.finishResume();
  player.play(4);
  player.send("ratechange", { paused: false });
  player.pass(0.9);
  player.send("pause", { ...RESTARTED, playedEnd: 60 });
  player.send("ended");
  player.send("seeking");
  player.send("seeked", { seeking: false });
  player.play(3);
  assert.deepEqual(positions(player), [59, 0, 3]);
});

test("an event before the seek of a truncated loop keeps where the file ended", () => {
  const player = new TestPlayer({ reading: { loop: true } });
  player.answer(40);
  player.finishResume();
  player.play(3);
  player.send("ratechange", { paused: false });
  player.send("timeupdate", { ...RESTARTED, playedEnd: 60 });
  player.send("seeking");
  player.send("seeked", { seeking: false });
  player.play(5);
  assert.deepEqual(positions(player), [43]);
});

test("a pause before the seek of a truncated loop is no choice", () => {
  const player = new TestPlayer({ reading: { loop: true } });
  player.answer(40);
  player.finishResume();
  player.play(3);
  player.send("playing", { paused: false });
  player.send("seeking", { ...RESTARTED, playedEnd: 60, paused: true });
  player.send("pause");
  player.send("seeked", { seeking: false });
  player.play(5);
  assert.deepEqual(positions(player), [43]);
});

test("a history that comes after the end of a truncated file still moves the viewer", () => {
  const player = waiting();
  player.send("sessionOpened");
  player.play(5);
  player.send("ended", { currentTime: 60, ended: true, playedEnd: 60 });
  assert.deepEqual(describe(player.answer(40)), ["seek 40"]);
});

test("a seek that is told after a truncated file has ended does not go to the end", () => {
  const player = following();
  player.play(5);
  // The viewer has sought past the end of the file.
  player.send("seeking", { currentTime: 60, ended: true, playedEnd: 60, paused: true });
  player.send("timeupdate");
  player.send("seeked");
  player.send("ended");
  assert.deepEqual(positions(player), [45]);
});

test("a truncated file that has ended during an advertisement has not ended", () => {
  const player = following();
  player.play(5);
  player.send("suspend", { currentTime: 60, ended: true, playedEnd: 60 });
  player.send("unsuspend");
  player.send("leave");
  assert.deepEqual(positions(player), [45]);
});

test("a truncated file that is begun again twice is no choice", () => {
  const player = following();
  player.play(5);
  player.send("ended", { currentTime: 60, ended: true, playedEnd: 60 });
  for (let time = 0; time < 2; time++) {
    player.send("seeking", { ...RESTARTED, paused: true });
    player.send("seeked", { seeking: false });
  }
  player.play(5);
  assert.deepEqual(positions(player), [45]);
});
