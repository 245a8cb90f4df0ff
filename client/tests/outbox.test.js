import assert from "node:assert/strict";
import { test } from "node:test";
import { createOutbox } from "../src/playhead/outbox.js";
import { now } from "../src/playhead/queue.js";
import { PlayheadError } from "../src/playhead/request.js";
import { emptyStorage } from "./storage.js";
import "./timers.js";

/** @typedef {import("../src/playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {{ method: string, path: string, body: any, account?: string }} Sent */

const noAnswer = () => new PlayheadError("no network");
const gone = () => new PlayheadError("gone", { status: 404, code: "video_not_found" });

/** An outbox whose server answers as the test says. */
class TestOutbox {
  /** @param {(sent: Sent) => any} answer */
  constructor(answer = ({ body }) => ({ applied: true, watch_position: body.watch_position })) {
    this.storage = emptyStorage();
    this.answer = answer;
    /** @type {string | null} */
    this.account = "1";
    /** @type {Sent[]} */
    this.sent = [];
    /** @type {string[]} */
    this.reports = [];
    this.life = new AbortController();
    const requests = {
      currentAccount: async () => this.account,
      request: async (
        /** @type {string} */ method,
        /** @type {string} */ path,
        /** @type {any} */ { body, account } = {},
      ) => {
        const sent = { method, path, body, account };
        this.sent.push(sent);
        return this.answer(sent);
      },
    };
    this.outbox = createOutbox(requests, this.life.signal);
  }

  /** @param {number | string} [video] */
  open(video = 7) {
    const report = (/** @type {PlayheadEvent} */ { state, position }) =>
      this.reports.push(`${state} ${position}`);
    return this.openFor(this.account ?? "", video, report);
  }

  /**
   * @param {string} account @param {number | string} video
   * @param {(event: PlayheadEvent) => unknown} [report]
   */
  openFor(account, video, report = () => {}) {
    /** @param {import("../src/playhead/machine.js").PlayerEvent} event */
    const dispatch = (event) => event.type === "saveAnswered" && report(event.answer);
    return this.outbox.open(account, video, dispatch, () => {});
  }

  get waiting() {
    return Object.keys(this.storage).filter((key) => key.startsWith("playhead:queue:")).length;
  }
}

/** @param {number} position @param {object} [changes] */
const saveOf = (position, changes) => ({
  position,
  watched: 0,
  played: 0,
  chosen: false,
  unsure: false,
  resumed: false,
  ended: false,
  withoutSession: false,
  ...now(),
  ...changes,
});

test("a save is kept until the server has answered it", async () => {
  const player = new TestOutbox(() => {
    throw noAnswer();
  });
  const session = player.open();
  session.push(saveOf(10));
  await player.outbox.deliver();
  assert.equal(player.waiting, 1);
  assert.equal(player.reports.at(-1), "retrying 10");
  player.answer = ({ body }) => ({ applied: true, watch_position: body.watch_position });
  await player.outbox.deliver();
  assert.equal(player.waiting, 0);
  assert.equal(player.reports.at(-1), "saved 10");
});

test("saves of a session are numbered, and carry their age", async () => {
  const player = new TestOutbox();
  const session = player.open();
  for (const position of [10, 20]) {
    session.push(saveOf(position, { tick: performance.now() - 5_000 }));
    await player.outbox.deliver();
  }
  const [first, second] = player.sent.map(({ body }) => body);
  assert.deepEqual([first.sequence, second.sequence], [1, 2]);
  assert.equal(first.session_id, second.session_id);
  assert.ok(first.age_ms >= 5_000 && first.age_ms < 6_000);
});

test("a save says how long its session has played, unless it has no session", async () => {
  const player = new TestOutbox();
  const session = player.open();
  for (const withoutSession of [false, true]) {
    session.push(saveOf(10, { watched: 90, played: 9, withoutSession }));
    await player.outbox.deliver();
  }
  assert.deepEqual(
    player.sent.map(({ body }) => [body.watch_duration, body.played_seconds]),
    [
      [90, 9],
      [90, undefined],
    ],
  );
});

test("a save that is not taken is answered, alone and in a batch", async () => {
  const player = new TestOutbox(() => null);
  player.open().push(saveOf(10));
  await player.outbox.deliver();
  assert.deepEqual(player.reports, ["not-stored 10"]);
  assert.equal(player.waiting, 0);
  const taken = { status: 200, entry: { applied: true, watch_position: 20 } };
  player.answer = () => ({ results: [{ status: 204 }, taken] });
  const sessions = [7, 8].map((video) =>
    player.openFor("1", video, ({ state }) => player.reports.push(`${video} ${state}`)),
  );
  sessions.forEach((session) => session.push(saveOf(20)));
  await player.outbox.deliver();
  assert.deepEqual(player.reports.slice(-2), ["7 not-stored", "8 saved"]);
  assert.equal(player.waiting, 0);
});

test("saves of several sessions go out as one batch", async () => {
  const player = new TestOutbox();
  player.account = null;
  const sessions = [7, 8].map((video) => player.openFor("1", video));
  sessions.forEach((session, at) => session.push(saveOf(10 + at)));
  await player.outbox.deliver();
  assert.equal(player.sent.length, 0, "nobody is signed in");
  player.account = "1";
  player.answer = ({ body }) => ({
    results: body.saves.map(() => ({ status: 200, entry: { applied: true, watch_position: 10 } })),
  });
  await player.outbox.deliver();
  assert.deepEqual(
    player.sent.map(({ path }) => path),
    ["/watch-history/batch"],
  );
  assert.deepEqual(
    player.sent[0].body.saves.map((/** @type {any} */ save) => save.video_id),
    [7, 8],
  );
  assert.equal(player.waiting, 0);
});

test("a refused batch is sent one by one", async () => {
  const player = new TestOutbox(({ path, body }) => {
    if (path.endsWith("/batch")) throw new PlayheadError("no", { status: 400, code: "invalid" });
    if (path.includes("/7/")) throw gone();
    return { applied: true, watch_position: body.watch_position };
  });
  const sessions = [player.open(7), player.open(8)];
  player.account = null;
  await player.outbox.deliver();
  player.account = "1";
  sessions.forEach((session, at) => session.push(saveOf(10 + at)));
  await player.outbox.deliver();
  assert.deepEqual(player.reports.sort(), ["gone 10", "saved 11"]);
  assert.equal(player.waiting, 0);
});

test("an unsure save behind the server's position is dropped", async () => {
  for (const [resume_at, report] of /** @type {const} */ ([
    [30, "superseded 30"],
    [10, "saved 20"],
  ])) {
    const player = new TestOutbox(({ method, body }) =>
      method === "GET" ? { resume_at, watch_position: resume_at } : { applied: true, ...body },
    );
    player.open().push(saveOf(20, { unsure: true }));
    await player.outbox.deliver();
    assert.deepEqual(player.reports, [report]);
    assert.equal(
      player.sent.some(({ method }) => method === "POST"),
      resume_at < 20,
    );
    assert.equal(player.waiting, 0);
  }
});

test("an unsure save waits while the entry cannot be read", async () => {
  const player = new TestOutbox(() => {
    throw noAnswer();
  });
  const session = player.open();
  session.push(saveOf(20, { unsure: true }), true);
  await player.outbox.deliver();
  assert.deepEqual(
    player.sent.map(({ method }) => method),
    ["GET"],
  );
  assert.equal(player.waiting, 1);
});

test("without a network one read is enough", async () => {
  const player = new TestOutbox(() => {
    throw noAnswer();
  });
  player.account = null;
  for (const video of [7, 8, 9]) player.openFor("1", video).push(saveOf(20, { unsure: true }));
  await player.outbox.deliver();
  player.account = "1";
  await player.outbox.deliver();
  assert.equal(player.sent.length, 1);
  assert.equal(player.waiting, 3);
});

test("a chosen start is sent again if the server took it for a failed one", async () => {
  const player = new TestOutbox(({ body }) =>
    body.session_id ? { applied: false, watch_position: 50 } : { applied: true, watch_position: 3 },
  );
  const session = player.open();
  session.push(saveOf(3, { chosen: true }));
  await player.outbox.deliver();
  assert.deepEqual(
    player.sent.map(({ body }) => Boolean(body.session_id)),
    [true, false],
  );
  assert.deepEqual(player.reports, ["saved 3"]);
});

test("a save that nobody chose gives way to a newer one", async () => {
  const player = new TestOutbox(() => ({ applied: false, watch_position: 50 }));
  player.open().push(saveOf(3));
  await player.outbox.deliver();
  assert.equal(player.sent.length, 1);
  assert.deepEqual(player.reports, ["superseded 50"]);
});

test("saves of one user are never sent with the token of another", async () => {
  const player = new TestOutbox();
  const session = player.open();
  player.account = "2";
  session.push(saveOf(10));
  await player.outbox.deliver();
  assert.equal(player.sent.length, 0);
  assert.deepEqual(player.reports, ["signed-out 10"]);
  assert.equal(player.waiting, 1);
});

test("a session finds the save of an earlier one, unless nobody chose it", () => {
  const player = new TestOutbox();
  const earlier = player.openFor("1", 7);
  const session = player.openFor("1", 7);
  player.account = null;
  for (const [changes, position] of /** @type {const} */ ([
    [{ unsure: true }, undefined],
    [{ unsure: true, resumed: true }, 10],
    [{}, 10],
  ])) {
    earlier.push(saveOf(10, changes));
    assert.equal(session.earlierSave()?.position, position);
  }
});

test("a save of now that could not be sent has its age days later", async () => {
  const player = new TestOutbox();
  const tenDays = 864_000_000;
  const save = { ...waitingSave(7), at: Date.now() - tenDays, page: 1, session: null, now: true };
  player.outbox.queue.put("1", keyOf(player, 7), save);
  await player.outbox.deliver();
  assert.ok(player.sent[0].body.age_ms >= tenDays);
});

test("an answer to a batch that is not the server's leaves all saves", async () => {
  for (const answer of [{ login: "required" }, { results: [{ status: 204 }] }]) {
    const player = new TestOutbox(() => answer);
    for (const video of [1, 2, 3]) player.outbox.queue.put("1", keyOf(player, video), waitingSave(video));
    await player.outbox.deliver();
    assert.equal(player.waiting, 3);
    player.life.abort();
  }
});

/** @param {TestOutbox} player @param {number} video */
const keyOf = ({ outbox }, video) => outbox.queue.keyOf("1", "s", video);
/** @param {number} video */
const waitingSave = (video) => ({ ...saveOf(9), video, session: "s", sequence: 1 });
