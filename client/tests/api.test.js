import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../api/client.js";
import { FakeStorage } from "./storage.js";

/** A server that issues tokens, and refuses all but the newest. */
class TokenServer {
  constructor() {
    this.storage = new FakeStorage();
    this.issued = 0;
    this.isReachable = true;
    this.lifeSeconds = 1_800;
    /** @type {string[]} The requests: method, path and token. */
    this.requests = [];
  }

  /** Revokes the access token, but not the refresh token. */
  revoke() {
    this.revoked = this.issued;
  }

  get renewals() {
    return this.requests.filter((request) => request.includes("/refresh")).length;
  }

  /** @type {typeof globalThis.fetch} */
  fetch = async (input, init) => {
    const request = new Request(input, init);
    if (!this.isReachable) throw new TypeError("fetch failed");
    const path = new URL(request.url).pathname.slice("/api/v1".length);
    const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? "nobody";
    this.requests.push(`${request.method} ${path} ${token}`);
    await new Promise((resolve) => setImmediate(resolve));
    if (path === "/auth/logout") return new Response(null, { status: 204 });
    if (path.startsWith("/auth/")) return this.issue(await request.json());
    const isValid = token === `access-${this.issued}` && this.revoked !== this.issued;
    if (!isValid) return Response.json({ code: "unauthorized" }, { status: 401 });
    return Response.json([{ id: 7, body: request.body ? await request.json() : null }]);
  };

  /** @param {{ password?: string, refresh_token?: string }} body */
  issue({ password, refresh_token }) {
    const isKnown = password === "right" || refresh_token === `refresh-${this.issued}`;
    if (!isKnown) return Response.json({ code: "invalid_token" }, { status: 401 });
    this.issued++;
    return Response.json({
      access_token: `access-${this.issued}`,
      refresh_token: `refresh-${this.issued}`,
      expires_in: this.lifeSeconds,
    });
  }

  /** Another page of the same viewer. */
  page() {
    const { fetch, storage } = this;
    return createApi({ baseUrl: "https://a.example", fetch, storage });
  }
}

async function signedIn() {
  const server = new TokenServer();
  const api = server.page();
  await api.signIn("ann", "right");
  return { server, api };
}

test("a call carries the token of the user, and none without one", async () => {
  const { server, api } = await signedIn();
  assert.equal((await api.GET("/api/v1/videos")).data?.[0].id, 7);
  await api.signOut();
  assert.equal((await api.GET("/api/v1/videos")).response.status, 401);
  assert.deepEqual(server.requests.slice(1), [
    "GET /videos access-1",
    "POST /auth/logout nobody",
    "GET /videos nobody",
  ]);
});

test("a wrong password signs nobody in", async () => {
  const api = new TokenServer().page();
  await assert.rejects(api.signIn("ann", "wrong"), { name: "PlayheadError", status: 401 });
  assert.equal(api.isSignedIn(), false);
});

test("ten calls that are refused renew the token once, and are sent again", async () => {
  const { server, api } = await signedIn();
  server.revoke();
  const path = { video_id: 7 };
  const body = { watch_position: 9 };
  const save = () => api.POST("/api/v1/videos/{video_id}/watch-history", { params: { path }, body });
  const answers = await Promise.all(Array.from({ length: 10 }, save));
  for (const { data } of answers) assert.deepEqual(data, [{ id: 7, body }]);
  assert.equal(server.renewals, 1);
});

test("two tabs renew the token once", async () => {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  const locks = {
    request: (/** @type {string} */ _, /** @type {() => Promise<unknown>} */ task) =>
      (last = last.then(task, task)),
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  const { server, api } = await signedIn();
  const other = server.page();
  server.revoke();
  const answers = await Promise.all([api, other].map((tab) => tab.GET("/api/v1/videos")));
  for (const { response } of answers) assert.equal(response.status, 200);
  assert.equal(server.renewals, 1);
  if (before) Object.defineProperty(globalThis, "navigator", before);
  else Reflect.deleteProperty(globalThis, "navigator");
});

test("a token that is about to expire is renewed before it is used", async () => {
  const server = new TokenServer();
  server.lifeSeconds = 0;
  const api = server.page();
  await api.signIn("ann", "right");
  assert.equal(await api.getToken({ keepalive: true }), "access-1");
  server.lifeSeconds = 1_800;
  assert.equal(await api.getToken(), "access-2");
  assert.equal(await api.getToken(), "access-2");
});

test("without network the session stays", async () => {
  const { server, api } = await signedIn();
  server.isReachable = false;
  await assert.rejects(api.getToken({ refused: "access-1" }), { status: 0 });
  assert.equal(api.isSignedIn(), true);
  server.isReachable = true;
  assert.equal(await api.getToken({ refused: "access-1" }), "access-2");
});

test("a session that the server has ended is over", async () => {
  const { server, api } = await signedIn();
  server.revoke();
  server.issue({ password: "right" }); // another sign-in has taken the place
  assert.equal((await api.GET("/api/v1/videos")).response.status, 401);
  assert.equal(api.isSignedIn(), false);
});

test("a sign-out during a renewal stays", async () => {
  const { api } = await signedIn();
  const renewal = api.getToken({ refused: "access-1" });
  await api.signOut();
  assert.equal(await renewal, null);
  assert.equal(api.isSignedIn(), false);
});

test("without a storage the session is that of the page", async () => {
  const { fetch } = new TokenServer();
  const api = createApi({ baseUrl: "https://a.example", fetch });
  await api.signIn("ann", "right");
  assert.equal(await api.getToken(), "access-1");
  await api.signOut();
  assert.equal(await api.getToken(), null);
});

test("a browser whose storage is full keeps the session while the page is open", async () => {
  const { server, api } = await signedIn();
  server.storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  server.revoke();
  assert.equal(await api.getToken({ refused: "access-1" }), "access-2");
  assert.equal(await api.getToken(), "access-2");
  await api.signOut();
  assert.equal(await api.getToken(), null);
  await api.signIn("ann", "right");
  assert.equal(await api.getToken(), "access-3");
});

test("a page without a storage keeps the session in memory", async () => {
  const { fetch } = new TokenServer();
  Object.assign(globalThis, { document: {} });
  Object.defineProperty(globalThis, "localStorage", { value: null, configurable: true });
  const api = createApi({ baseUrl: "https://a.example", fetch });
  Reflect.deleteProperty(globalThis, "document");
  Reflect.deleteProperty(globalThis, "localStorage");
  await api.signIn("ann", "right");
  assert.equal(await api.getToken(), "access-1");
});
