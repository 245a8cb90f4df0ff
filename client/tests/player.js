/** A player for tests, whose element and clock the test moves. */
import { initialState, transition } from "../src/playhead/machine.js";
import { PlayheadError } from "../src/playhead/request.js";

/** @typedef {import("../src/playhead/machine.js").PlayerEffect} PlayerEffect */
/** @typedef {import("../src/playhead/machine.js").PlayerEvent} PlayerEvent */
/** @typedef {import("../src/playhead/outbox.js").PlayerSave} PlayerSave */
/** @typedef {import("../src/playhead/playback.js").Reading} Reading */

/** @type {Reading} A loaded video of 60 seconds that is paused at its start. */
export const LOADED = {
  currentTime: 0,
  duration: 60,
  playbackRate: 1,
  paused: true,
  ended: false,
  seeking: false,
  loop: false,
  hasMetadata: true,
  hasFutureData: true,
  hasError: false,
  seekable: [0, 60],
  playedEnd: 0,
  source: "https://example.org/video.webm",
  moment: { at: 1_000_000, page: 1_000_000, tick: 0 },
};

/** What of a reading changes when nothing of the file is known. */
export const UNLOADED = {
  duration: NaN,
  hasMetadata: false,
  hasFutureData: false,
  seekable: null,
};

export const noAnswer = () => new PlayheadError("no network");
export const refusal = (status = 403) => new PlayheadError("refused", { status, code: "refused" });

export class TestPlayer {
  /** @param {{ resume?: boolean, startedAt?: number, reading?: Partial<Reading> }} [options] */
  constructor({ resume = true, startedAt, reading = {} } = {}) {
    /** @type {Reading} */
    this.reading = { ...LOADED, ...reading };
    this.state = initialState(this.reading, { resume, startedAt });
    /** @type {PlayerEffect[]} All effects, the oldest first. */
    this.effects = [];
  }

  /**
   * @param {PlayerEvent | PlayerEvent["type"]} event a name stands for an event without details
   * @param {Partial<Reading>} [changes] of the element, before the event
   * @returns {PlayerEffect[]} effects of this event
   */
  send(event, changes = {}) {
    this.reading = { ...this.reading, ...changes };
    const details = /** @type {PlayerEvent} */ (
      typeof event === "string" ? { type: event } : event
    );
    const { state, effects } = transition(this.state, details, this.reading);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  /** The history was not read in time. */
  overdue() {
    const { moment } = this.reading;
    const tick = Math.max(moment.tick, this.state.overdueAt);
    return this.send("timeupdate", { moment: { ...moment, tick } });
  }

  /** Lets time pass, and the video play if it is not paused. @param {number} seconds */
  pass(seconds) {
    const { moment, paused, playbackRate, currentTime, duration } = this.reading;
    const tick = moment.tick + seconds * 1_000;
    const moved = paused ? 0 : seconds * playbackRate;
    const end = duration > 0 ? duration : Infinity;
    this.reading = {
      ...this.reading,
      moment: { ...moment, at: moment.at + seconds * 1_000, tick },
      currentTime: Math.min(end, currentTime + moved),
    };
  }

  /** Plays for some whole seconds, and then pauses. @param {number} seconds */
  play(seconds) {
    this.send("ratechange", { paused: false });
    this.send("playing");
    for (let second = 0; second < seconds; second++) {
      this.pass(1);
      this.send("timeupdate");
    }
    return this.send("pause", { paused: true });
  }

  /** Seeks as the viewer does. @param {number} to */
  seek(to) {
    this.send("seeking", { currentTime: to, seeking: true });
    return this.send("seeked", { seeking: false });
  }

  /** The seek that the player has asked for begins and ends. */
  finishResume() {
    return this.seek(this.state.seekTarget);
  }

  /** The server has answered. @param {number} resumeAt @param {number} [watched] */
  answer(resumeAt, watched = 0) {
    this.send("sessionOpened");
    return this.send({ type: "historyRead", resumeAt, watched });
  }

  /** All saves so far. @returns {PlayerSave[]} */
  get saves() {
    return savesOf(this.effects);
  }
}

/** @param {PlayerEffect[]} effects */
export const savesOf = (effects) =>
  effects.flatMap((effect) => (effect.type === "save" ? [effect.save] : []));

/** Effects in short, such as "save 12" or "report ready". @param {PlayerEffect[]} effects */
export const describe = (effects) =>
  effects.map((effect) => {
    if (effect.type === "save") return `save ${effect.save.position}`;
    if (effect.type === "report") return `report ${effect.event.state}`;
    if (effect.type === "seek") return `seek ${effect.to}`;
    return effect.type;
  });

/** @param {boolean} [resume] */
export const waiting = (resume) => new TestPlayer({ resume });

/** A player that seeks to second 40. */
export function resuming() {
  const player = waiting();
  player.answer(40);
  player.send("seeking", { currentTime: 40, seeking: true });
  return player;
}

/** A player that was taken to second 40 and has begun to play from there. */
export function following() {
  const player = waiting();
  player.answer(40);
  player.finishResume();
  player.send("playing", { paused: false });
  return player;
}

/** A player whose element shows an advertisement. */
export function suspended() {
  const player = following();
  player.send("suspend");
  return player;
}

/** A player whose video was deleted. */
export function closed() {
  const player = following();
  player.send({ type: "saveAnswered", answer: { state: "gone", position: 40 } });
  return player;
}
