/**
 * The session of the signed-in user, shared by all tabs. Its access token is renewed when it is
 * about to expire or was refused: once for all calls of a page, and once for all its tabs.
 */
import { PlayheadError, asError, problemError } from "../src/playhead/request.js";

/**
 * - baseUrl: the server's origin and the path below which it is shown (default: the page's origin)
 * - fetch: another transport
 * - storage: where the session is kept (default: localStorage, or memory where there is none)
 * - key: its key there, also the name of the lock between tabs
 * @typedef {{ baseUrl?: string, fetch?: typeof globalThis.fetch, key?: string,
 *   storage?: Pick<Storage, "getItem" | "setItem" | "removeItem"> }} SessionOptions
 */
/** @typedef {ReturnType<typeof createSession>} Session */
/** @typedef {{ access_token: string, refresh_token: string, expires_in: number }} TokenPair */
/** @typedef {{ access: string, refresh: string, expiresAt: number, marginMs: number }} Stored */

/** A token is renewed this long before it expires, or at half of a short life. */
const MARGIN_MS = 60_000;
/** All tabs wait for the answer to a renewal. */
const TIMEOUT_MS = 8_000;

/** @param {SessionOptions} [options] */
export function createSession({
  baseUrl = "",
  fetch = (...args) => globalThis.fetch(...args),
  key = `playhead.api:${baseUrl}`,
  storage = storageOfPage(),
} = {}) {
  /** @type {Promise<string | null> | null} */
  let renewal = null;

  /** @type {Stored | null} A session that the storage has no room for. */
  let unstored = null;

  /** @returns {Stored | null} */
  function current() {
    try {
      return JSON.parse(storage.getItem(key) ?? "null") ?? unstored;
    } catch {
      return unstored;
    }
  }

  function drop() {
    unstored = null;
    storage.removeItem(key);
  }

  /** @param {TokenPair} tokens */
  function store({ access_token, refresh_token, expires_in }) {
    const lifeMs = expires_in * 1_000;
    const times = { expiresAt: Date.now() + lifeMs, marginMs: Math.min(MARGIN_MS, lifeMs / 2) };
    const session = { access: access_token, refresh: refresh_token, ...times };
    drop(); // the older one must not come back
    try {
      storage.setItem(key, JSON.stringify(session));
    } catch {
      unstored = session;
    }
  }

  /** @param {string} path @param {object} body @returns {Promise<any>} */
  async function post(path, body) {
    try {
      const response = await fetch(`${baseUrl}/api/v1/auth/${path}`, {
        method: "POST",
        headers: { accept: "application/json", "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = response.status === 204 ? null : await response.json().catch(() => null);
      if (response.ok) return answer;
      throw problemError(response.status, answer);
    } catch (cause) {
      throw asError(cause);
    }
  }

  /** @param {string} [refused] @returns {Promise<string | null>} */
  async function renew(refused) {
    const session = current();
    if (!session) return null;
    if (session.access !== refused && isFresh(session)) return session.access;
    const answer = await post("refresh", { refresh_token: session.refresh }).catch(nullIfFinal);
    const latest = current();
    // A sign-out or a sign-in during the request takes precedence over its answer.
    if (latest?.refresh !== session.refresh) return latest?.access ?? null;
    if (answer) store(answer);
    else drop();
    return answer?.access_token ?? null;
  }

  /**
   * Renews once for all callers: in this page by the promise, among tabs by the lock. Where a
   * browser has no locks two tabs may renew at once, which the server takes.
   * @param {string} [refused]
   */
  function renewOnce(refused) {
    const { locks } = globalThis.navigator ?? {};
    const task = () => renew(refused);
    renewal ??= Promise.resolve(locks ? locks.request(key, task) : task()).finally(
      () => (renewal = null),
    );
    return renewal;
  }

  return {
    /**
     * @param {string} username user name or e-mail address @param {string} password
     * @throws {PlayheadError} `status` is 401 if they are wrong
     */
    async signIn(username, password) {
      store(await post("login", { username, password }));
    },

    /** Ends the session here at once, and at the server if it can be reached. */
    async signOut() {
      const session = current();
      drop();
      if (session) await post("logout", { refresh_token: session.refresh }).catch(() => {});
    },

    isSignedIn: () => current() !== null,

    /**
     * Returns the access token, as `createPlayhead` asks for it.
     * @param {import("../src/playhead.js").TokenRequest} [request]
     * @returns {Promise<string | null>} null if nobody is signed in
     * @throws {PlayheadError} if the token has expired and the server cannot be reached
     */
    async getToken({ refused, keepalive = false } = {}) {
      const session = current();
      if (!session) return null;
      const isRefused = session.access === refused;
      if (!isRefused && (keepalive || isFresh(session))) return session.access;
      return renewOnce(refused).catch((error) => {
        // The old token is still valid during the margin.
        if (!isRefused && Date.now() < session.expiresAt) return session.access;
        throw error;
      });
    },
  };
}

/** @param {Stored} session */
const isFresh = ({ expiresAt, marginMs }) => Date.now() < expiresAt - marginMs;

/** @param {PlayheadError} error @returns {null} */
function nullIfFinal(error) {
  if (error.code !== undefined && !error.retryable) return null;
  throw error;
}

/** @returns {NonNullable<SessionOptions["storage"]>} */
function storageOfPage() {
  try {
    if (globalThis.document && globalThis.localStorage) return globalThis.localStorage;
  } catch {
    // The browser refuses it.
  }
  /** @type {Map<string, string>} */
  const memory = new Map();
  return {
    getItem: (key) => memory.get(key) ?? null,
    setItem: (key, value) => void memory.set(key, value),
    removeItem: (key) => void memory.delete(key),
  };
}
