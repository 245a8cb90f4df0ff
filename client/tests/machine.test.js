import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LOADED,
  TestPlayer,
  UNLOADED,
  describe,
  following,
  noAnswer,
  savesOf,
  waiting,
} from "./player.js";

/** @param {TestPlayer} player */
const positions = (player) => player.saves.map(({ position }) => position);

/** Loads the video again, as the page does it. @param {TestPlayer} player */
function reload(player) {
  player.send("emptied", { ...UNLOADED, currentTime: 0, paused: true });
  return player.send("loadedmetadata", { ...LOADED, moment: player.reading.moment });
}

test("a viewer is taken to their position and saved from there", () => {
  const player = waiting();
  assert.deepEqual(describe(player.answer(40, 100)), ["seek 40"]);
  const ready = player.finishResume();
  assert.deepEqual(ready, [{ type: "report", event: { state: "ready", position: 40 } }]);
  const [save] = savesOf(player.play(3));
  assert.deepEqual([save.position, save.watched], [43, 103]);
  assert.deepEqual(
    [save.chosen, save.unsure, save.resumed, save.withoutSession],
    [false, false, true, false],
  );
});

test("without a resume the viewer stays where the element is", () => {
  const player = waiting(false);
  assert.deepEqual(describe(player.answer(40)), ["report ready"]);
  const [save] = savesOf(player.play(3));
  assert.deepEqual([save.position, save.unsure], [3, false]);
});

test("a position without an answer is saved as unsure", () => {
  const player = waiting();
  player.send("sessionOpened");
  player.overdue();
  player.play(12);
  const [save] = player.saves;
  assert.deepEqual([save.position, save.unsure, save.resumed], [12, true, false]);
  player.send({ type: "historyRead", resumeAt: 40, watched: 0 });
  assert.equal(player.state.phase, "resuming", "the viewer is still taken to their position");
});

test("a history that comes after a minute of playback moves nobody", () => {
  for (const [seconds, phase] of /** @type {const} */ ([
    [59, "resuming"],
    [60, "following"],
  ])) {
    const player = new TestPlayer({ reading: { duration: 600, seekable: [0, 600] } });
    player.overdue();
    player.play(seconds);
    player.answer(400);
    assert.equal(player.state.phase, phase, `after ${seconds} seconds`);
  }
});

test("a viewer who seeks on the way to their position stays where they went", () => {
  const player = waiting();
  player.answer(40);
  const [save] = savesOf(player.seek(20));
  assert.deepEqual([save.position, save.chosen, save.unsure], [20, true, false]);
  player.send({ type: "historyRead", resumeAt: 50, watched: 0 });
  assert.equal(player.state.phase, "following");
});

test("a video that is not loaded far enough is waited for", () => {
  const player = new TestPlayer({ reading: { seekable: [0, 10] } });
  assert.deepEqual(player.answer(40), []);
  assert.deepEqual(describe(player.send("timeupdate", { seekable: [0, 50] })), ["seek 40"]);
});

test("a resume position in the last second is the start", () => {
  const player = waiting();
  assert.deepEqual(describe(player.answer(59)), ["report ready"]);
  assert.deepEqual(
    savesOf(player.play(3)).map(({ unsure }) => unsure),
    [false],
  );
});

test("a video that is loaded again goes on where it was", () => {
  const player = following();
  player.play(3);
  assert.deepEqual(describe(reload(player)), ["seek 43"]);
  player.finishResume();
  assert.deepEqual(positions(player), [43], "the start of the reload is not saved");
});

test("a reload on the way to the position is taken there again", () => {
  const player = waiting();
  player.answer(40);
  assert.deepEqual(describe(reload(player)), ["seek 40"]);
});

test("a position that the source names is kept, and saved once it is played", () => {
  const player = new TestPlayer({ reading: { source: "video.webm#t=10", currentTime: 10 } });
  player.answer(40);
  assert.equal(player.state.phase, "following");
  player.send("leave");
  assert.deepEqual(positions(player), [], "nothing was played");
  player.play(3);
  assert.deepEqual(
    player.saves.map(({ position, chosen }) => [position, chosen]),
    [[13, true]],
  );
});

test("starting over before the video is loaded is saved when it is", () => {
  const player = new TestPlayer({ reading: UNLOADED });
  player.answer(40);
  assert.deepEqual(player.send("startOver"), []);
  const loaded = player.send("loadedmetadata", { duration: 60, hasMetadata: true });
  assert.deepEqual(describe(loaded), ["report ready", "save 0"]);
  assert.deepEqual(
    player.saves.map(({ chosen, withoutSession }) => [chosen, withoutSession]),
    [[true, true]],
  );
});

test("the viewer goes where the page takes them, and it is saved", () => {
  const player = following();
  player.send({ type: "goTo", position: 20 });
  player.seek(20);
  assert.deepEqual(
    player.saves.map(({ position, chosen }) => [position, chosen]),
    [[20, true]],
  );
});

test("going somewhere before the video is loaded beats the resume", () => {
  const player = new TestPlayer({ reading: UNLOADED });
  player.send({ type: "goTo", position: 20 });
  player.answer(40);
  const loaded = player.send("loadedmetadata", LOADED);
  assert.deepEqual(describe(loaded), ["seek 20"]);
  player.finishResume();
  player.play(2);
  assert.deepEqual(
    player.saves.map(({ position, chosen }) => [position, chosen]),
    [
      [20, true],
      [22, true],
    ],
  );
});

test("a chosen start that is saved while the page goes away is sent alone", () => {
  for (const [to, withoutSession] of /** @type {const} */ ([
    [20, true],
    [31, false],
  ])) {
    const player = following();
    player.send("seeking", { currentTime: to, seeking: true });
    const [save] = savesOf(player.send("leave"));
    assert.deepEqual([save.position, save.withoutSession], [to, withoutSession]);
  }
});

test("after a save near the start the last one is part of its session", () => {
  const player = following();
  player.seek(8);
  player.play(5);
  player.send("ratechange", { paused: false });
  player.pass(2);
  player.send("leave");
  assert.deepEqual(
    player.saves.map(({ position, withoutSession }) => [position, withoutSession]),
    [
      [8, false],
      [13, false],
      [15, false],
    ],
  );
});

test("a 0 that nobody chose is not saved", () => {
  const player = waiting();
  player.answer(0);
  player.send("leave");
  player.play(0);
  assert.deepEqual(positions(player), []);
  player.seek(0);
  assert.deepEqual(positions(player), [0]);
});

test("time played is that of this session, by the clock, at any speed", () => {
  const player = waiting();
  player.answer(10, 100);
  player.finishResume();
  player.play(2);
  player.pass(60); // a pause
  player.send("ratechange", { playbackRate: 2 });
  player.play(3);
  player.seek(40);
  player.send("ratechange", { paused: false, hasFutureData: false });
  player.reading.moment = { ...player.reading.moment, tick: player.reading.moment.tick + 9_000 };
  player.send("playing", { hasFutureData: true }); // after buffering
  player.play(4);
  const last = player.saves.at(-1);
  assert.deepEqual([last?.position, last?.played, last?.watched], [48, 9, 109]);
});

test("a loop loses no time between the last report and its start", () => {
  const player = new TestPlayer({ reading: { loop: true, duration: 2, seekable: [0, 2] } });
  player.answer(0);
  player.send("playing", { paused: false });
  for (let round = 0; round < 5; round++) {
    for (const seconds of [0.9, 0.9]) {
      player.pass(seconds);
      player.send("timeupdate");
    }
    player.pass(0.2);
    player.send("seeking", { currentTime: 0, seeking: true, playedEnd: 2 });
    player.send("seeked", { seeking: false });
  }
  player.send("leave");
  assert.ok(Math.abs(player.state.played - 10) < 0.01);
});

test("nothing is saved during a deletion, nor after it until playback moves", () => {
  const player = following();
  player.send("forget");
  player.play(3);
  player.send("forgotten");
  player.send("leave");
  assert.deepEqual(positions(player), []);
  player.play(2);
  assert.deepEqual(
    player.saves.map(({ position, watched }) => [position, watched]),
    [[45, 2]],
  );
});

test("a deletion that failed lets saves go on", () => {
  const player = following();
  player.send("forget");
  player.send("forgetFailed");
  player.send("leave");
  assert.deepEqual(positions(player), [40]);
});

test("the end of the video is saved as the server's duration", () => {
  const player = following();
  player.send({ type: "durationRead", duration: 62 });
  player.send("playing");
  for (let second = 0; second < 20; second++) {
    player.pass(1);
    player.send("timeupdate");
  }
  player.send("pause", { ended: true, paused: true, playedEnd: 60 });
  assert.deepEqual(positions(player), [50, 60, 62]);
});

test("a looping video is saved at its end and stays there", () => {
  const player = new TestPlayer({ reading: { loop: true } });
  player.answer(55);
  player.finishResume();
  player.send("playing", { paused: false });
  for (let second = 0; second < 5; second++) {
    player.pass(1);
    player.send("timeupdate");
  }
  player.send("seeking", { currentTime: 0, seeking: true, playedEnd: 60 });
  player.send("seeked", { seeking: false });
  player.pass(1);
  player.send("leave");
  const saves = player.saves.map(({ position, watched, chosen }) => [position, watched, chosen]);
  assert.deepEqual(saves, [
    [60, 5, false],
    [60, 6, false],
  ]);
});

test("a position of this browser is taken up while the server does not answer", () => {
  const player = waiting();
  player.send("sessionOpened");
  const kept = { position: 36, watched: 9 };
  const delayed = { type: /** @type {const} */ ("historyDelayed"), kept, error: noAnswer() };
  const effects = player.send({ ...delayed, retryInMs: 500 });
  assert.deepEqual(effects, [
    { type: "seek", to: 36 },
    { type: "retryHistory", inMs: 500 },
  ]);
  player.finishResume();
  const [save] = savesOf(player.play(3));
  assert.deepEqual([save.position, save.unsure, save.resumed, save.watched], [39, true, true, 12]);
});

test("a video that stalls every 8 seconds is saved every 10 seconds or so", () => {
  const player = waiting();
  player.answer(0);
  player.send("play", { paused: false });
  player.send("playing");
  const [rounds, seconds] = [5, 8];
  for (let round = 0; round < rounds; round++) {
    for (let second = 0; second < seconds; second++) {
      player.pass(1);
      player.send("timeupdate");
    }
    player.send("waiting", { hasFutureData: false });
    const { moment } = player.reading;
    player.send("playing", {
      hasFutureData: true,
      moment: { ...moment, tick: moment.tick + 1_000 },
    });
  }
  assert.deepEqual(
    player.saves.map(({ position }) => position),
    [9, 18, 27, 36],
  );
});
