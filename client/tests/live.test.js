import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { PlayheadError, subjectOf } from "../src/playhead/request.js";
import { TestPage, settle } from "./live-page.js";
import { LiveServer } from "./live-server.js";
import { reportedBy } from "./reports.js";

const page = new EventTarget();
const sight = Object.assign(new EventTarget(), { visibilityState: "visible" });
Object.assign(globalThis, {
  window: globalThis,
  document: sight,
  location: { href: "https://example.org/" },
  addEventListener: page.addEventListener.bind(page),
});
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_800_000_000_000 });
  mock.method(Math, "random", () => 0.5);
});

/** @param {number} ms */
async function pass(ms) {
  for (let left = ms; left > 0; left -= 500) {
    mock.timers.tick(Math.min(500, left));
    await settle();
  }
}

/** @param {"hidden" | "visible"} state */
async function see(state) {
  sight.visibilityState = state;
  sight.dispatchEvent(new Event("visibilitychange"));
  await settle();
}

test("a subscriber hears what other devices change, and what is its own", async () => {
  const { page, server } = await TestPage.open();
  assert.equal(page.live.phase(), "live");
  assert.deepEqual(page.news(), ["resync"]);
  server.save(3, 40);
  await page.save(4, 10);
  server.forget(3);
  server.forget(9);
  assert.deepEqual(page.news(), ["3 40", "4 10 own", "3 gone", "9 gone"]);
  assert.equal(page.live.entry(3), null);
  assert.equal(page.live.entry(4)?.watch_position, 10);
  assert.equal(page.live.entry(5), undefined);
  page.isEqual();
});

test("an edit of another device is told as such, though the session of the entry stays", async () => {
  const { page, server } = await TestPage.open();
  await page.save(4, 10);
  page.news();
  server.save(4, 50, "own");
  assert.deepEqual(page.news(), ["4 50"]);
  await page.save(4, 51);
  assert.deepEqual(page.news(), ["4 51 own"]);
});

test("whose a change is that comes before an answer is known after it", async () => {
  const { page, server } = await TestPage.open();
  page.news();
  /** @type {() => void} */
  let release = () => {};
  server.holdsAnswers = new Promise((done) => (release = done));
  const saved = page.save(4, 10);
  await settle();
  assert.deepEqual(page.news(), ["4 10 own"]);
  server.save(4, 60, "own");
  server.save(5, 20, "own");
  assert.deepEqual(page.news(), ["4 60 own", "5 20"]);
  release();
  await saved;
  await settle();
  assert.deepEqual(page.news(), ["4 60"]);
});

test("a save whose answer was lost counts as own until it is answered", async () => {
  const { page, server } = await TestPage.open();
  page.news();
  page.hasWaitingSave = true;
  server.save(4, 10, "own");
  server.save(5, 10, "elsewhere");
  assert.deepEqual(page.news(), ["4 10 own", "5 10"]);
  page.hasWaitingSave = false;
  await page.save(4, 12);
  assert.deepEqual(page.news(), ["4 12 own"]);
});

test("two subscribers share a socket, which is closed after the last", async () => {
  const { page, server } = await TestPage.open();
  const stop = page.live.subscribe(() => {});
  page.life.abort();
  await pass(10_000);
  assert.equal(server.sockets.length, 1);
  stop();
  await pass(10_000);
  assert.equal(server.sockets.length, 0);
  assert.equal(server.hellos.length, 1);
});

test("after a lost socket nothing is missed, and nothing comes twice", async () => {
  const { page, server } = await TestPage.open();
  server.save(3, 40);
  page.news();
  server.cut();
  server.save(4, 7);
  await pass(10_000);
  assert.deepEqual(page.news(), ["4 7"]);
  assert.equal(server.hellos.at(-1).since, "0.0");
  page.isEqual();
});

test("a place that is too old makes the page read all anew", async () => {
  const { page, server } = await TestPage.open();
  server.save(3, 40);
  server.cut();
  server.forget(3);
  server.oldest = server.latest;
  page.news();
  await pass(10_000);
  assert.deepEqual(page.news(), ["resync"]);
  page.isEqual();
});

test("what was polled in part before a socket came is told by a resync", async () => {
  const server = new LiveServer();
  server.hasSocket = false;
  for (let video = 1; video <= 5; video++) server.save(video, video);
  const changes = server.changes.bind(server);
  server.changes = (path) => {
    if (server.polls === 0) return changes(path);
    server.hasSocket = true;
    throw new PlayheadError("no network");
  };
  const { page } = await TestPage.open(server);
  await pass(60_000);
  assert.equal(page.live.phase(), "live");
  assert.deepEqual(page.news(), ["resync"]);
  page.isEqual();
});

test("a subscriber that throws keeps nothing from the others", async () => {
  const page = new TestPage(new LiveServer());
  page.live.subscribe(() => {
    throw new Error("of the page");
  });
  const reported = await reportedBy(async () => {
    await page.subscribe();
    page.live.close();
  });
  assert.deepEqual(page.news(), ["resync"]);
  assert.ok(reported.length >= 2, `${reported}`);
});

test("without sockets the changes are polled every 30 seconds", async () => {
  const server = new LiveServer();
  server.hasSocket = false;
  for (let video = 1; video <= 5; video++) server.save(video, video);
  const { page } = await TestPage.open(server);
  await pass(60_000);
  assert.deepEqual(page.news(), ["resync"]);
  page.isEqual();
  const before = server.polls;
  for (let position = 10; position < 20; position++) {
    server.save(2, position);
    await pass(30_000);
    assert.deepEqual(page.news(), [`2 ${position}`]);
  }
  assert.equal(server.polls - before, 10);
  server.forget(2);
  server.oldest = server.latest;
  await pass(30_000);
  assert.deepEqual(page.news(), ["resync"]);
  page.isEqual();
  server.hasSocket = true;
  await pass(60_000);
  assert.equal(page.live.phase(), "live");
  const polls = server.polls;
  server.save(5, 50);
  assert.deepEqual(page.news(), ["5 50"]);
  await pass(120_000);
  assert.equal(server.polls, polls);
  page.isEqual();
});

test("offline for a minute and back, the picture is equal again", async () => {
  const { page, server } = await TestPage.open();
  server.save(3, 40);
  server.isAway = true;
  page.news();
  page.live.phase();
  dispatchEvent("offline");
  server.save(3, 50);
  server.save(8, 5);
  await pass(60_000);
  assert.deepEqual(page.news(), []);
  server.isAway = false;
  dispatchEvent("online");
  await pass(1_000);
  assert.deepEqual(page.news(), ["3 50", "8 5"]);
  page.isEqual();
});

/** @param {string} type */
function dispatchEvent(type) {
  page.dispatchEvent(new Event(type));
}

test("a page out of sight is quiet after five minutes, and catches up when seen", async () => {
  const { page, server } = await TestPage.open();
  page.news();
  await see("hidden");
  await pass(290_000);
  server.save(3, 1);
  assert.deepEqual(page.news(), ["3 1"]);
  await pass(11_000);
  assert.equal(server.sockets.length, 0);
  server.save(3, 2);
  await pass(3_600_000);
  assert.deepEqual([server.hellos.length, server.polls], [1, 0]);
  await see("visible");
  assert.deepEqual(page.news(), ["3 2"]);
});

test("the token is renewed on the open socket before it expires", async () => {
  const { page, server } = await TestPage.open();
  await pass(1_800_000);
  assert.equal(server.hellos.length, 2);
  assert.notEqual(server.hellos[0].token, server.hellos[1].token);
  assert.equal(page.live.phase(), "live");
});

test("on a device whose clock is an hour ahead tokens are not renewed all the time", async () => {
  const page = new TestPage(new LiveServer());
  page.aheadMs = 3_600_000;
  await page.subscribe();
  await pass(600_000);
  assert.equal(page.server.hellos.length, 2);
});

test("a refused token is replaced by a newer one at once", async () => {
  const { page, server } = await TestPage.open();
  await pass(1_000); // a token of the same second would be the same
  server.cut(4401);
  await settle();
  assert.equal(page.live.phase(), "live");
  assert.notEqual(server.hellos[0].token, server.hellos[1].token);
});

test("nobody hears another viewer's changes, and a visitor has no socket", async () => {
  const { page, server } = await TestPage.open();
  server.save(3, 40);
  page.news();
  page.user = null;
  await page.live.check();
  await settle();
  assert.deepEqual([server.sockets.length, page.live.entries().length], [0, 0]);
  [page.user, page.token] = ["2", null];
  await page.live.check();
  await settle();
  assert.equal(page.live.phase(), "live");
  assert.equal(server.hellos.at(-1).since, undefined);
  assert.equal(subjectOf(server.hellos.at(-1).token), "2");
});

test("what cannot be understood is ignored", async () => {
  const { page, server } = await TestPage.open();
  page.news();
  const [socket] = server.sockets;
  for (const message of [{}, { type: "later" }, null]) socket.receive(/** @type {any} */ (message));
  socket.dispatchEvent(Object.assign(new Event("message"), { data: "no json" }));
  server.save(1, 1);
  assert.deepEqual(page.news(), ["1 1"]);
});

test("a closed connection leaves no timer, no listener and no socket", async () => {
  for (const isByClient of [false, true]) {
    const { page, server } = await TestPage.open();
    await see("hidden");
    if (isByClient) page.client.abort();
    else page.live.close();
    await see("visible");
    dispatchEvent("online");
    await pass(600_000);
    assert.deepEqual([server.sockets.length, server.hellos.length], [0, 1]);
  }
});
