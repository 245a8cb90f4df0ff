/** A page of a viewer with the live module, for tests whose timers are mocked. */
import assert from "node:assert/strict";
import { createLive } from "../src/playhead/live/live.js";
import { createRequests, subjectOf } from "../src/playhead/request.js";
import { LiveServer, socketTo, tokenOf } from "./live-server.js";

/** @typedef {import("../src/playhead/live/live.js").LiveEvent} LiveEvent */

/** Lets promises settle. */
export async function settle() {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

/** A page of a viewer, and what it was told. */
export class TestPage {
  /** @param {LiveServer} server */
  constructor(server) {
    this.server = server;
    /** @type {string | null} */
    this.user = "1";
    /** @type {string | null} */
    this.token = null;
    this.aheadMs = 0;
    /** @type {string[]} */
    this.told = [];
    this.life = new AbortController();
    globalThis.WebSocket = socketTo(server);
    const getToken = (/** @type {{ refused?: string }} */ { refused }) => {
      if (this.user === null) return null;
      if (this.token === null || this.token === refused) this.token = tokenOf(this.user, this.aheadMs);
      return this.token;
    };
    const fetch = async (/** @type {any} */ url, /** @type {any} */ { body }) =>
      Response.json(await (body ? server.answer(url, JSON.parse(body)) : server.changes(url)));
    const requests = createRequests({
      getToken,
      getUser: subjectOf,
      baseUrl: "",
      fetch: /** @type {any} */ (fetch),
    });
    this.request = requests.request;
    this.hasWaitingSave = false;
    /** @type {import("../src/playhead/live/own.js").OwnSaves} */
    const outbox = {
      newestWaiting: () =>
        /** @type {any} */ (this.hasWaitingSave ? { session: "own" } : undefined),
    };
    this.client = new AbortController();
    const rest = { baseUrl: "", signal: this.client.signal, onDeliver: new Set() };
    const connection = /** @type {any} */ ({ ...requests, ...rest, outbox });
    this.live = createLive({ connection });
  }

  async subscribe() {
    this.live.subscribe((event) => this.told.push(describe(event)), { signal: this.life.signal });
    await settle();
  }

  /** Saves as a player of this page. @param {number} video @param {number} position */
  async save(video, position) {
    const body = { watch_position: position };
    await this.request("POST", `/videos/${video}/watch-history`, { body });
  }

  /** What was told since the last call. */
  news() {
    return this.told.splice(0).filter((text) => !text.startsWith("phase"));
  }

  /** Compares the picture with the server's rows. */
  isEqual() {
    const rows = [...this.server.rows.values()].map(({ entry }) => entry).filter(Boolean);
    const byId = (/** @type {any} */ a, /** @type {any} */ b) => a.video_id - b.video_id;
    assert.deepEqual(this.live.entries().sort(byId), rows.sort(byId));
  }

  static async open(server = new LiveServer()) {
    const page = new TestPage(server);
    await page.subscribe();
    return { page, server };
  }
}

/** @param {LiveEvent} event */
function describe(event) {
  if (event.type === "phase") return `phase ${event.phase}`;
  if (event.type !== "entry") return event.type;
  return `${event.videoId} ${event.entry?.watch_position ?? "gone"}${event.isOwn ? " own" : ""}`;
}
