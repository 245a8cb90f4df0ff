/** Which account a request is sent as, when tokens expire and users change meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../api/client.js";
import { createPlayhead } from "../src/playhead.js";
import { createHistory } from "../src/playhead/history.js";
import { FakeVideo, elementOf, page, settled } from "./page.js";
import { FakeStorage, emptyStorage } from "./storage.js";

/** @param {string} sub @param {number} [number] */
const tokenOf = (sub, number = 0) =>
  `x.${Buffer.from(JSON.stringify({ sub, number })).toString("base64url")}.x`;
const [ANN, BOB] = [tokenOf("ann"), tokenOf("bob")];
const NAMES = { [ANN]: "ann", [BOB]: "bob" };
const refused = () => Response.json({ code: "unauthorized" }, { status: 401 });

/** @param {RequestInit} [init] */
const tokenIn = (init) => String(new Headers(init?.headers).get("authorization")).slice(7);

async function idle() {
  for (let turn = 0; turn < 20; turn++) await settled();
}

test("after a save with an expired token from memory the player goes on", async () => {
  emptyStorage();
  let [memory, valid] = [tokenOf("ann", 1), tokenOf("ann", 1)];
  /** @type {number[]} */
  const positions = [];
  /** @type {string[]} */
  const states = [];
  const playhead = createPlayhead({
    getToken: ({ refused: old, keepalive }) => {
      if (!keepalive && old === memory) memory = valid;
      return memory;
    },
    fetch: async (_, init) => {
      if (tokenIn(init) !== valid) return refused();
      const save = init?.body && JSON.parse(String(init.body));
      if (save) positions.push(save.watch_position);
      return Response.json({ duration: 60, watch_position: save?.watch_position, applied: true });
    },
  });
  const video = new FakeVideo();
  const onState = (/** @type {{ state: string }} */ { state }) => states.push(state);
  playhead.attach(elementOf(video), 7, { onState });
  await idle();
  await video.play();
  video.advanceTo(1);
  valid = tokenOf("ann", 2);
  page.document.visibilityState = "hidden";
  page.document.dispatchEvent(new Event("visibilitychange"));
  page.document.visibilityState = "visible";
  await idle();
  video.pauseAt(2);
  await idle();
  assert.deepEqual(positions, [1, 2]);
  assert.deepEqual(states, ["ready", "saved", "saved"]);
  await playhead.destroy();
});

test("an edit is sent as the account that was signed in at the call", async () => {
  const storage = emptyStorage();
  let token = ANN;
  /** @type {string[]} */
  const sent = [];
  /** @type {() => void} */
  let answer = () => {};
  const held = new Promise((resolve) => (answer = () => resolve(null)));
  const playhead = createPlayhead({
    getToken: () => token,
    fetch: async (url, init) => {
      sent.push(`${init?.method} ${url} as ${NAMES[tokenIn(init)]}`);
      await held;
      return Response.json({});
    },
  });
  const save = { video: 7, position: 9, watched: 9, session: "s", sequence: 1, page: 0, tick: 0 };
  storage.setItem("playhead:queue:ann:s:7", JSON.stringify({ ...save, at: Date.now() }));
  const edit = createHistory(playhead).setPreferences({ history: "off" });
  await idle();
  token = BOB;
  answer();
  await assert.rejects(edit, { status: 401 });
  assert.deepEqual(sent, ["POST /api/v1/videos/7/watch-history as ann"]);
});

test("a refused request is not sent again as somebody else", async () => {
  emptyStorage();
  /** @type {string[]} */
  const sent = [];
  const playhead = createPlayhead({
    getToken: ({ refused: old }) => (old ? BOB : ANN),
    fetch: async (_, init) => {
      sent.push(NAMES[tokenIn(init)]);
      return refused();
    },
  });
  await assert.rejects(createHistory(playhead).save(7, 12), { status: 401 });
  assert.deepEqual(sent, ["ann"]);
});

test("a refused call of the typed client is not sent again as somebody else", async () => {
  const [baseUrl, storage] = ["https://a.example", new FakeStorage()];
  /** @type {string[]} */
  const sent = [];
  const signIn = (/** @type {string} */ access) =>
    storage.setItem(
      `playhead.api:${baseUrl}`,
      JSON.stringify({ access, refresh: access, expiresAt: Date.now() + 1e6, marginMs: 0 }),
    );
  const api = createApi({
    baseUrl,
    storage,
    fetch: async (input) => {
      const { headers } = /** @type {Request} */ (input);
      sent.push(NAMES[String(headers.get("authorization")).slice(7)]);
      signIn(BOB); // in another tab
      return refused();
    },
  });
  signIn(ANN);
  const { response } = await api.DELETE("/api/v1/watch-history");
  assert.equal(response.status, 401);
  assert.deepEqual(sent, ["ann"]);
});
