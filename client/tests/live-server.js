/** A stand-in for the server's socket and its changes, for tests of the live module. */
import { PlayheadError } from "../src/playhead/request.js";

/** @typedef {import("../src/playhead.js").Entry} Entry */

/**
 * A token as the server makes them, valid for half an hour.
 * @param {string} user
 * @param {number} [aheadMs] by how much the clock here is ahead of the server's
 */
export function tokenOf(user, aheadMs = 0) {
  const iat = Math.floor((Date.now() - aheadMs) / 1_000);
  const claims = JSON.stringify({ sub: user, iat, exp: iat + 1_800 });
  return `x.${Buffer.from(claims).toString("base64url")}.x`;
}

/**
 * @param {number} video @param {number} position
 * @returns {Entry}
 */
export const entryOf = (video, position) =>
  /** @type {any} */ ({ video_id: video, watch_position: position, resume_at: position });

/**
 * Keeps a row of each video with the number of its last change. A token has the number up to which
 * all was told, and the number of the newest change when it was made.
 */
export class LiveServer {
  constructor() {
    /** @type {Map<number, { entry: Entry | null, session: string | null, change: number }>} */
    this.rows = new Map();
    this.latest = 0;
    this.oldest = 0; // tokens that were made before this change are refused
    this.isAway = false;
    this.hasSocket = true;
    /** @type {FakeSocket[]} Those that have said hello. */
    this.sockets = [];
    /** @type {any[]} All hellos. */
    this.hellos = [];
    this.polls = 0;
    /** @type {Promise<void> | null} Answers to saves wait for it. */
    this.holdsAnswers = null;
  }

  /** @param {number} video @param {number} position @param {string | null} [session] */
  save(video, position, session = "elsewhere") {
    this.write(video, entryOf(video, position), session);
  }

  /** @param {number} video */
  forget(video) {
    this.write(video, null, null);
  }

  /** @param {number} video @param {Entry | null} entry @param {string | null} session */
  write(video, entry, session) {
    if (entry) entry.updated_at = `at ${this.latest + 1}`;
    this.rows.set(video, { entry, session, change: ++this.latest });
    for (const socket of this.sockets) this.tell(socket, video);
  }

  /** @param {FakeSocket} socket @param {number} video */
  tell(socket, video) {
    const { entry, session } = this.rows.get(video) ?? {};
    const { token } = socket;
    if (!entry) return socket.receive({ type: "forgotten", video_id: video, token });
    socket.receive({ type: "entry", entry, session_id: session, token });
  }

  /** @param {FakeSocket} socket @param {any} message */
  hear(socket, message) {
    this.hellos.push(message);
    const since = this.read(message.since ?? this.token());
    if (since === null) socket.receive({ type: "resync" });
    for (const [video, { change }] of this.rows)
      if (change > (since ?? this.latest)) this.tell(socket, video);
    socket.token = this.token();
    if (!this.sockets.includes(socket)) this.sockets.push(socket);
    socket.receive({ type: "ready", token: socket.token });
  }

  token(place = this.latest) {
    return `${place}.${this.latest}`;
  }

  /** The place of a token, null if it is too old. @param {string} token */
  read(token) {
    const [place, made] = token.split(".").map(Number);
    return made < this.oldest ? null : place;
  }

  /** Closes all sockets. @param {number} [code] */
  cut(code = 1006) {
    for (const socket of this.sockets.splice(0)) socket.end(code);
  }

  /**
   * The answer to a save of the page itself, which comes when the page's test lets it.
   * @param {string} path @param {{ watch_position: number }} save
   */
  async answer(path, { watch_position }) {
    const video = Number(path.match(/videos\/(\d+)/)?.[1]);
    this.save(video, watch_position, "own");
    const entry = { ...this.rows.get(video)?.entry, applied: true };
    await this.holdsAnswers;
    return entry;
  }

  /** The answer to a poll, two changes a page. @param {string} path */
  changes(path) {
    this.polls++;
    if (this.isAway) throw new PlayheadError("no network");
    const since = this.read(new URL(path, "http://x").searchParams.get("since") ?? "-1");
    if (since === null)
      throw new PlayheadError("too old", { status: 410, code: "changes_expired" });
    const rows = [...this.rows].filter(([, { change }]) => change > since);
    rows.sort(([, a], [, b]) => a.change - b.change);
    const page = rows.slice(0, 2);
    const token = this.token(rows.length > 2 ? page[1][1].change : this.latest);
    const changes = page.map(([video_id, { entry }]) => ({ video_id, entry }));
    return { changes, token, more: rows.length > 2 };
  }
}

/** The browser's WebSocket, to this server. @param {LiveServer} server */
export const socketTo = (server) =>
  /** @type {any} */ (
    class extends FakeSocket {
      /** @param {string} url @param {string} protocol */
      constructor(url, protocol) {
        super(server, url, protocol);
      }
    }
  );

class FakeSocket extends EventTarget {
  /** @param {LiveServer} server @param {string} url @param {string} protocol */
  constructor(server, url, protocol) {
    super();
    Object.assign(this, { server, url, protocol });
    this.server = server;
    this.token = "";
    this.isOpen = !server.isAway && server.hasSocket;
    queueMicrotask(() => {
      if (this.isOpen) this.dispatchEvent(new Event("open"));
      else this.end(1006);
    });
  }

  /** @param {string} text */
  send(text) {
    if (this.isOpen) this.server.hear(this, JSON.parse(text));
  }

  /** @param {object} message */
  receive(message) {
    const data = JSON.stringify(message);
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  /** @param {number} code */
  end(code) {
    this.isOpen = false;
    this.server.sockets = this.server.sockets.filter((socket) => socket !== this);
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }

  close() {
    this.end(1000);
  }
}
