import assert from "node:assert/strict";
import { test } from "node:test";
import { TestPlayer, UNLOADED, noAnswer, savesOf } from "./player.js";
import { randomFrom } from "./random.js";

/** @typedef {import("../src/playhead/machine.js").PlayerEvent} PlayerEvent */
/** @typedef {import("../src/playhead/outbox.js").PlayerSave} PlayerSave */

const RUNS = 10_000;
const EVENTS = 80;
const DURATION = 60;

/** A server with one entry, which takes saves as the outbox sends them. */
class Server {
  /** @param {number} position */
  constructor(position) {
    this.position = position;
  }

  get resumeAt() {
    return this.position > 5 && this.position < DURATION * 0.95 ? this.position : 0;
  }

  /** @param {PlayerSave} save @param {boolean} hasChosen whether the viewer chose a position */
  take({ position, unsure }, hasChosen) {
    if (unsure && this.resumeAt > position) return;
    const isFurther = this.resumeAt > position + 1;
    assert.ok(
      hasChosen || !isFurther,
      `${position} replaced ${this.resumeAt}, and nobody chose it`,
    );
    this.position = position;
  }
}

/** A player, its element, its page and its server, which act in any order. */
class World {
  /** @param {() => number} random @param {boolean} hasViewer who seeks and starts over */
  constructor(random, hasViewer) {
    this.random = random;
    this.server = new Server(this.second());
    this.hasViewer = hasViewer;
    this.hasChosen = false;
    this.isForgetting = false;
    this.isTruncated = random() < 0.2;
    /** @type {PlayerEvent["type"][]} Events that the element has yet to send. */
    this.pending = [];
    const isLoaded = random() < 0.5;
    const reading = { loop: random() < 0.3, ...(isLoaded ? {} : UNLOADED) };
    this.player = new TestPlayer({ reading });
  }

  /** Not so near the end that a truncated file could be taken for a whole one. */
  second() {
    return Math.floor(this.random() * (DURATION - 10));
  }

  /** @param {PlayerEvent | PlayerEvent["type"]} event @param {object} [changes] */
  send(event, changes) {
    const effects = this.player.send(event, changes);
    for (const effect of effects) if (effect.type === "seek") this.seek(effect.to);
    const saves = savesOf(effects);
    for (const save of saves) {
      assert.ok(this.hasChosen || !save.chosen, "nobody has chosen");
      assert.ok(save.chosen || save.position > 0, "a start that nobody chose");
      const hasEnded = save.position >= DURATION - 1;
      assert.ok(!hasEnded || !this.isTruncated, "an end that the file does not have");
      const clock = this.player.reading.moment.tick / 1_000;
      assert.ok(save.played <= clock, `${save.played} seconds played in ${clock}`);
      this.server.take(save, this.hasChosen);
    }
  }

  sendPending() {
    const next = this.pending.shift();
    if (next) this.send(next);
  }

  get fileEnd() {
    return this.isTruncated ? DURATION / 3 : DURATION;
  }

  /** The element seeks at once, and says so later. @param {number} to */
  seek(to) {
    if (!this.player.reading.hasMetadata) return;
    Object.assign(this.player.reading, { currentTime: to, seeking: true, ended: false });
    this.pending.push("seeking");
  }

  finishSeek() {
    const { reading } = this.player;
    // A restart is told before it is done.
    if (!reading.seeking || (reading.currentTime === 0 && this.pending.includes("seeking"))) return;
    reading.seeking = false;
    this.pending.push("timeupdate", "seeked");
    if (reading.currentTime < this.fileEnd) return;
    if (reading.paused) reading.ended = !reading.loop;
    else this.end();
  }

  /** Browsers say of a truncated file, too, that it was played to the end of the video. */
  end() {
    const { reading } = this.player;
    Object.assign(reading, { currentTime: DURATION, playedEnd: DURATION });
    if (reading.loop) return this.seek(0);
    Object.assign(reading, { ended: true, paused: true });
    this.pending.push("timeupdate", "pause", "ended");
  }

  /** Time passes, but not so much that the beginning of a seek is told late. */
  pass() {
    if (this.pending.includes("seeking")) return this.sendPending();
    const { player, fileEnd } = this;
    const { paused, seeking, hasMetadata } = player.reading;
    player.pass(paused || seeking || !hasMetadata ? 0 : this.random() * 2);
    if (paused || seeking || !hasMetadata || player.reading.currentTime < fileEnd) {
      return this.send("timeupdate");
    }
    this.end();
  }

  /** Time passes without playback, as while it buffers. */
  wait() {
    const { player } = this;
    const { paused } = player.reading;
    player.reading.paused = true;
    player.pass(10);
    player.reading.paused = paused;
  }

  play() {
    const { ended, hasMetadata } = this.player.reading;
    if (!hasMetadata) return;
    if (ended) {
      // To play a whole video again is a choice of the viewer; a truncated one begins by itself.
      if (!this.isTruncated && !this.hasViewer) return;
      this.hasChosen ||= this.hasViewer;
      this.seek(0);
    }
    Object.assign(this.player.reading, { paused: false });
    this.pending.push("ratechange", "playing");
  }

  reload() {
    this.pending = [];
    const changes = { currentTime: 0, seeking: false, ended: false, paused: true, playedEnd: 0 };
    this.send("emptied", { ...UNLOADED, ...changes });
  }

  load() {
    if (this.player.reading.hasMetadata) return;
    const loaded = { duration: DURATION, hasMetadata: true, hasFutureData: true };
    this.send("loadedmetadata", { ...loaded, seekable: [0, this.random() < 0.3 ? 10 : DURATION] });
  }

  delay() {
    const kept = this.random() < 0.3 ? { position: this.second(), watched: 9 } : undefined;
    this.send({ type: "historyDelayed", kept, retryInMs: 1_000, error: noAnswer() });
  }

  forget() {
    if (this.isForgetting) {
      this.server.position = 0;
      this.send("forgotten");
    } else {
      this.send("forget");
    }
    this.isForgetting = !this.isForgetting;
  }

  /** An advertisement begins or ends, beside the element or in it. */
  interrupt() {
    const { reading, state } = this.player;
    if (state.phase !== "suspended") return this.send("suspend");
    this.pending = [];
    const start = { currentTime: 0, seeking: false, ended: false, paused: true, playedEnd: 0 };
    this.send("unsuspend", this.random() < 0.5 && reading.hasMetadata ? start : {});
  }

  choose() {
    if (!this.hasViewer) return;
    this.hasChosen = true;
    if (this.random() < 0.2) this.send("startOver");
    else this.seek(this.second());
  }

  step() {
    /** @type {[number, () => void][]} */
    const actions = [
      [30, () => this.pass()],
      [40, () => this.sendPending()],
      [12, () => this.finishSeek()],
      [8, () => this.play()],
      [4, () => this.send("pause", { paused: true })],
      [6, () => this.load()],
      [1, () => this.reload()],
      [4, () => this.send("sessionOpened")],
      [5, () => this.send({ type: "historyRead", resumeAt: this.server.resumeAt, watched: 9 })],
      [4, () => this.delay()],
      [2, () => this.wait()],
      [2, () => this.send({ type: "durationRead", duration: this.random() < 0.5 ? 60 : null })],
      [3, () => this.send("leave")],
      [2, () => this.send("canplay")],
      [2, () => this.send("ratechange", { playbackRate: this.random() < 0.5 ? 2 : 1 })],
      [
        2,
        () => this.player.reading.hasMetadata && this.send("timeupdate", { seekable: [0, DURATION] }),
      ],
      [1, () => this.send("durationchange")],
      [1, () => this.forget()],
      [this.player.state.phase === "suspended" ? 30 : 0.5, () => this.interrupt()],
      [4, () => this.choose()],
      [0.1, () => this.send({ type: "saveAnswered", answer: { state: "gone", position: 0 } })],
      [0.1, () => this.send({ type: "detach", save: this.random() < 0.5 })],
    ];
    const total = actions.reduce((sum, [weight]) => sum + weight, 0);
    let draw = this.random() * total;
    for (const [weight, act] of actions) if ((draw -= weight) < 0) return act();
  }
}

/** @param {number} seed @param {boolean} hasViewer */
function run(seed, hasViewer) {
  const world = new World(randomFrom(seed), hasViewer);
  for (let event = 0; event < EVENTS; event++) {
    const wasClosed = world.player.state.phase === "closed";
    const before = world.player.saves.length;
    world.step();
    const isClosed = world.player.state.phase === "closed";
    assert.ok(
      !wasClosed || (isClosed && world.player.saves.length === before),
      "closed is the end",
    );
  }
  return world.player.saves;
}

for (const hasViewer of [false, true]) {
  const viewer = hasViewer ? "a viewer who seeks" : "a viewer who chooses nothing";
  test(`in no order of events is a further position lost, with ${viewer}`, () => {
    let saves = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      try {
        saves += run(seed, hasViewer).length;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    assert.ok(saves > RUNS / 3, `only ${saves} positions were saved`);
  });
}
