import assert from "node:assert/strict";
import { test } from "node:test";
import { createPlayhead } from "../src/playhead.js";
import { createHistory } from "../src/playhead/history.js";
import { emptyStorage } from "./storage.js";
import "./timers.js";

const USER = `x.${Buffer.from('{"sub":"1"}').toString("base64url")}.x`;
const ENTRY = { video_id: 7, watch_position: 40, previous: null, hidden: false };

/** A client whose server answers each request with the next of these. */
class TestClient {
  /** @param {...(object | null)} answers the JSON of a success, null for a 204 */
  constructor(...answers) {
    this.storage = emptyStorage();
    /** @type {Record<string, string>} */
    this.headers = {};
    /** @type {[string, ...any][]} The requests: method and path, and the body if there is one. */
    this.sent = [];
    const playhead = createPlayhead({
      getToken: () => USER,
      fetch: async (url, init = {}) => {
        const body = init.body ? [JSON.parse(String(init.body))] : [];
        this.sent.push([`${init.method} ${String(url).slice("/api/v1".length)}`, ...body]);
        const answer = answers.shift() ?? null;
        if (answer instanceof Response) return answer;
        const { headers } = this;
        return answer ? Response.json(answer, { headers }) : new Response(null, { status: 204 });
      },
    });
    this.client = { ...playhead, ...createHistory(playhead) };
  }

  /** Leaves a save in the queue. @param {number} video @param {number} [at] */
  wait(video, at = Date.now()) {
    const save = { video, position: 9, watched: 9, session: "s", sequence: 1, page: 0, tick: 0 };
    this.storage.setItem(`playhead:queue:1:s:${video}`, JSON.stringify({ ...save, at }));
  }

  get waiting() {
    return Object.keys(this.storage).map((key) => key.split(":").at(-1));
  }
}

const refused = () => Response.json({ code: "busy" }, { status: 503 });

test("each call asks the server for what it is named after", async () => {
  const at = new Date("2026-02-03T04:05:06Z");
  const time = "2026-02-03T04:05:06.000Z";
  /** @type {[(client: TestClient["client"]) => Promise<unknown>, string, object?][]} */
  const calls = [
    [(client) => client.undo(7), "POST /videos/7/watch-history/undo"],
    [(client) => client.hide(7), "PUT /videos/7/watch-history/hidden", {}],
    [(client) => client.hide(7, { until: at }), "PUT /videos/7/watch-history/hidden", { until: time }],
    [(client) => client.show(7), "DELETE /videos/7/watch-history/hidden"],
    [(client) => client.markWatched("7"), "PUT /videos/7/watched", {}],
    [(client) => client.markWatched(7, { at }), "PUT /videos/7/watched", { watched_at: time }],
    [(client) => client.markUnwatched(7), "DELETE /videos/7/watched"],
    [(client) => client.resumePlay(9), "POST /plays/9/resume"],
    [(client) => client.preferences(), "GET /users/me/preferences"],
    [
      (client) => client.setPreferences({ retention_days: null }),
      "PATCH /users/me/preferences",
      { retention_days: null },
    ],
    [(client) => client.statistics(), "GET /users/me/statistics"],
    [
      (client) => client.statistics({ from: "2026-01-01", to: "2026-02-01", tz: "Asia/Seoul" }),
      "GET /users/me/statistics?from=2026-01-01&to=2026-02-01&tz=Asia%2FSeoul",
    ],
    [(client) => client.recommendations(5), "GET /videos/recommendations?limit=5"],
    [(client) => client.continueWatching(), "GET /videos/continue-watching?limit=10"],
    [
      (client) => client.continueWatching(6, { maxAgeDays: 90 }),
      "GET /videos/continue-watching?limit=6&max_age_days=90",
    ],
  ];
  for (const [call, request, ...body] of calls) {
    const { client, sent } = new TestClient(ENTRY);
    assert.deepEqual(await call(client), ENTRY);
    assert.deepEqual(sent, [[request, ...body]]);
  }
});

test("many videos are marked and forgotten in one request", async () => {
  const marked = new TestClient({ changed: 1, skipped: [9] });
  assert.deepEqual(await marked.client.mark([7, "9"], true), { changed: 1, skipped: [9] });
  const body = { video_ids: [7, 9], watched: true };
  assert.deepEqual(marked.sent, [["POST /watch-history/mark", body]]);
  const forgotten = new TestClient({ deleted: 2 });
  assert.deepEqual(await forgotten.client.forgetMany([7, 8]), { deleted: 2 });
  assert.deepEqual(forgotten.sent, [["POST /watch-history/forget", { video_ids: [7, 8] }]]);
});

test("a list has the cursor of the page after it", async () => {
  const list = new TestClient([ENTRY], [], []);
  list.headers = {
    link: '<https://example.org/p/api/v1/watch-history?limit=1&cursor=a%2Bb%3D>; rel="next"',
  };
  const options = { state: /** @type {const} */ ("completed"), q: "sea", limit: 1 };
  const first = await list.client.history(options);
  assert.deepEqual(first, { items: [ENTRY], next: "a+b=" });
  list.headers = {};
  const second = await list.client.history({ ...options, cursor: first.next });
  assert.deepEqual(second, { items: [], next: null });
  await list.client.plays({ since: new Date(0), videoId: 7 });
  await list.client.playsOf(7, { limit: 5 });
  assert.deepEqual(
    list.sent.map(([request]) => request),
    [
      "GET /watch-history?state=completed&q=sea&limit=1",
      "GET /watch-history?state=completed&q=sea&cursor=a%2Bb%3D&limit=1",
      "GET /plays?since=1970-01-01T00%3A00%3A00.000Z&video_id=7",
      "GET /videos/7/plays?limit=5",
    ],
  );
});

test("a deletion drops the waiting saves of what it deletes", async () => {
  /** @type {[(client: TestClient["client"]) => Promise<unknown>, string[]][]} */
  const deletions = [
    [(client) => client.forget(7), ["8", "9"]],
    [(client) => client.forgetMany([7, "8"]), ["9"]],
    [(client) => client.clearHistory({ before: new Date(2_000) }), ["9"]],
    [(client) => client.clearHistory(), []],
  ];
  for (const [remove, left] of deletions) {
    const test = new TestClient({ deleted: 1 });
    for (const [video, at] of [
      [7, 1_000],
      [8, 1_999],
      [9, 2_000],
    ])
      test.wait(video, at);
    await remove(test.client);
    assert.deepEqual(test.waiting, left);
    assert.equal(test.sent.length, 1);
  }
});

test("a deletion that fails keeps the waiting saves", async () => {
  const test = new TestClient(refused(), refused(), refused());
  test.wait(7);
  await assert.rejects(test.client.forget(7), { status: 503 });
  await assert.rejects(test.client.forgetMany([7]), { status: 503 });
  await assert.rejects(test.client.clearHistory(), { status: 503 });
  assert.deepEqual(test.waiting, ["7"]);
});

test("a change is made after the saves that wait", async () => {
  const test = new TestClient({ ...ENTRY, applied: true }, { ...ENTRY, hidden: true });
  test.wait(7);
  assert.equal((await test.client.hide(7)).hidden, true);
  assert.deepEqual(
    test.sent.map(([request]) => request),
    ["POST /videos/7/watch-history", "PUT /videos/7/watch-history/hidden"],
  );
});

test("nothing to undo is an error, and a deleted play is nothing", async () => {
  const problem = Response.json({ code: "nothing_to_undo", detail: "no" }, { status: 409 });
  const test = new TestClient(problem, null);
  await assert.rejects(test.client.undo(7), { status: 409, code: "nothing_to_undo" });
  assert.equal(await test.client.deletePlay(9), undefined);
  assert.deepEqual(test.sent.at(-1), ["DELETE /plays/9"]);
});
