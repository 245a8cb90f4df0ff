/** A browser's window, document and video element for tests, as far as the client uses them. */
import { setMaxListeners } from "node:events";
import { emptyStorage } from "./storage.js";
import "./timers.js";

// node takes more than ten listeners for a leak, and browsers do not.
setMaxListeners(0);

export const page = {
  window: new EventTarget(),
  document: Object.assign(new EventTarget(), { visibilityState: "visible" }),
};
Object.assign(globalThis, page);

/** The access token of user 1. */
export const TOKEN = `x.${Buffer.from('{"sub":"1"}').toString("base64url")}.x`;

/** Lets what is under way end. @returns {Promise<void>} */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A loaded video of a minute, paused at its start. Its events come at once. */
export class FakeVideo extends EventTarget {
  HAVE_METADATA = 1;
  HAVE_FUTURE_DATA = 3;
  duration = 60;
  playbackRate = 1;
  paused = true;
  ended = false;
  seeking = false;
  loop = false;
  readyState = 4;
  error = null;
  currentSrc = "https://example.org/video.webm";
  seekable = { length: 1, start: () => 0, end: () => 60 };
  played = { length: 0, end: () => 0 };
  #time = 0;
  /** Listeners that are attached now. */
  listeners = 0;

  get currentTime() {
    return this.#time;
  }

  set currentTime(time) {
    this.#time = time;
    this.seeking = true;
    this.tell("seeking");
    this.seeking = false;
    this.tell("seeked");
  }

  /** @param {string} type */
  tell(type) {
    this.dispatchEvent(new Event(type));
  }

  async play() {
    this.paused = false;
    this.tell("playing");
  }

  /** Plays on to a second. @param {number} time */
  advanceTo(time) {
    this.#time = time;
    this.tell("timeupdate");
  }

  /** Pauses at a second that it was played to. @param {number} time */
  pauseAt(time) {
    this.#time = time;
    this.paused = true;
    this.tell("pause");
  }

  /** @type {EventTarget["addEventListener"]} */
  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
    this.listeners++;
    const signal = typeof options === "object" ? options.signal : undefined;
    signal?.addEventListener("abort", () => this.listeners--, { once: true });
  }
}

/** As the element that `attach` takes. @param {FakeVideo} video @returns {any} */
export const elementOf = (video) => video;

/** A server with one entry, at second 40. */
export class FakeServer {
  constructor() {
    this.storage = emptyStorage();
    this.isReachable = true;
    this.position = 40;
    /** @type {any[]} The bodies of the saves. */
    this.saves = [];
  }

  /** @type {typeof globalThis.fetch} */
  fetch = async (url, { method, body, signal } = {}) => {
    signal?.throwIfAborted();
    if (!this.isReachable) throw new TypeError("fetch failed");
    if (!String(url).endsWith("/watch-history")) return Response.json({ id: 7, duration: 60 });
    if (method === "POST") {
      const save = JSON.parse(String(body));
      this.saves.push(save);
      this.position = save.watch_position;
    }
    const [resume_at, watch_position] = [this.position, this.position];
    return Response.json({ video_id: 7, resume_at, watch_position, applied: true });
  };

  get positions() {
    return this.saves.map(({ watch_position }) => watch_position);
  }

  /** How many saves wait in the browser. */
  get waiting() {
    return Object.keys(this.storage).filter((key) => key.startsWith("playhead:queue:")).length;
  }
}
