/**
 * The signed-in user, shared by all tabs through localStorage. The tokens are renewed in time.
 * @typedef {{ id: number, username: string }} SessionUser
 *
 * `expires_in` is in seconds.
 * @typedef {{ access_token: string, refresh_token: string, expires_in: number }} Tokens
 *
 * A session as it is stored. The access token expires at `expires_at`, in milliseconds since 1970.
 * It is renewed `margin` milliseconds earlier.
 * @typedef {{ user: SessionUser, access_token: string, refresh_token: string, expires_at: number,
 *   margin: number }} Session
 */
import { base } from "./base.js";
import { PlayheadError } from "./playhead.js";
import { retryDelay } from "./playhead/retry.js";

/** Sites below different paths of one host share its storage. */
const KEY = `playhead.session${base}`;
const MARGIN_MS = 60_000;
/**
 * The server accepts a spent refresh token again for REFRESH_GRACE_SECONDS (60 by default), in case
 * its answer was lost. This leaves time for two more tries.
 */
const TIMEOUT_MS = 8_000;
/** Browsers run a longer timer at once. */
const TIMER_LIMIT_MS = 2_147_483_647;

/** @type {string | null} The session, where the browser refuses storage. */
let memory = null;
/** @type {Promise<string | null> | null} */
let renewal = null;
let timer = 0;
let failures = 0;
/** @type {Set<() => void>} */
const listeners = new Set();
let announcedUser = current()?.user.id ?? null;

/** @returns {Session | null} */
export function current() {
  try {
    return JSON.parse(readRaw() ?? "null");
  } catch {
    return null;
  }
}

/** @returns {SessionUser | null} */
export const user = () => current()?.user ?? null;

/** @param {Tokens} tokens @param {SessionUser} who */
export function start(tokens, who) {
  writeRaw(JSON.stringify(toSession(tokens, { id: who.id, username: who.username })));
  update();
}

/** The signed-in user has another name. @param {string} username */
export function rename(username) {
  const session = current();
  if (session) writeRaw(JSON.stringify({ ...session, user: { ...session.user, username } }));
}

export function end() {
  writeRaw(null);
  update();
}

/**
 * Calls back when another user, or nobody, is signed in, here or in another tab.
 * @param {() => void} listener
 */
export function onChange(listener) {
  listeners.add(listener);
}

/**
 * Returns the access token. It is renewed first if it is about to expire or was refused.
 * @param {{ refused?: string, keepalive?: boolean }} [request] `refused`: a token that the server
 *   has refused; `keepalive`: do not wait for a renewal
 * @returns {string | null | Promise<string | null>} null if nobody is signed in
 * @throws {Error} if the token has expired and the server cannot be reached
 */
export function token({ refused, keepalive = false } = {}) {
  const session = current();
  if (!session) return null;
  const { access_token, expires_at } = session;
  if (access_token === refused) return refresh(refused);
  if (keepalive || isFresh(session)) return access_token;
  return refresh().catch((error) => {
    // The old token is still valid during the margin.
    if (Date.now() < expires_at) return access_token;
    throw error;
  });
}

/** @param {string} [refused] */
function refresh(refused) {
  renewal ??= withLock(() => renew(refused)).finally(() => (renewal = null));
  return renewal;
}

/**
 * Runs a task in one tab at a time where the browser has Web Locks. Elsewhere two tabs may renew at
 * once, which the server accepts.
 * @param {() => Promise<string | null>} task
 */
const withLock = async (task) =>
  navigator.locks ? navigator.locks.request(`playhead.refresh${base}`, task) : task();

/** @param {string} [refused] @returns {Promise<string | null>} */
async function renew(refused) {
  const session = current();
  if (!session) return null;
  if (session.access_token !== refused && isFresh(session)) return session.access_token;
  const tokens = await requestTokens(session.refresh_token);
  const latest = current();
  // A sign-out or a renewal of another tab during the request takes precedence over its answer.
  if (latest?.refresh_token !== session.refresh_token) return latest?.access_token ?? null;
  if (!tokens) {
    end();
    return null;
  }
  writeRaw(JSON.stringify(toSession(tokens, session.user)));
  update();
  return tokens.access_token;
}

/**
 * @param {string} refreshToken
 * @returns {Promise<Tokens | null>} null if the server refuses
 * @throws {Error} without an answer of the server
 */
async function requestTokens(refreshToken) {
  const response = await fetch(`${base}/api/v1/auth/refresh`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ refresh_token: refreshToken }),
    // All tabs wait for this request.
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer = await response.json().catch(() => null);
  const { status } = response;
  const { retryable } = new PlayheadError("", { status, code: answer?.code });
  const isRefused = !response.ok && !retryable && answer?.code !== undefined;
  // Any other answer comes from a proxy on the way.
  if (!isRefused && !answer?.access_token) throw new PlayheadError(`refresh answered ${status}`);
  return response.ok ? answer : null;
}

/** @param {Tokens} tokens @param {SessionUser} who @returns {Session} */
function toSession({ access_token, refresh_token, expires_in }, who) {
  const life = expires_in * 1000;
  const [expires_at, margin] = [Date.now() + life, Math.min(MARGIN_MS, life / 2)];
  return { user: who, access_token, refresh_token, expires_at, margin };
}

/** @param {Session} session */
const isFresh = (session) => Date.now() < session.expires_at - session.margin;

/** The stored session may have changed: plans its renewal, and calls the listeners. */
function update() {
  schedule();
  const id = user()?.id ?? null;
  if (id === announcedUser) return;
  announcedUser = id;
  for (const listener of listeners) listener();
}

/**
 * Renews the access token ahead of time, because a save of a closing page cannot wait for it.
 * @param {number} [leastMs] delay after a failure
 */
function schedule(leastMs = 0) {
  clearTimeout(timer);
  const session = current();
  if (!session) return;
  const wait = Math.max(leastMs, session.expires_at - session.margin - Date.now());
  timer = window.setTimeout(
    async () => {
      await Promise.resolve(token()).catch(() => null);
      const latest = current();
      failures = latest && isFresh(latest) ? 0 : failures + 1;
      schedule(failures && retryDelay(failures, new PlayheadError("")));
    },
    Math.min(wait, TIMER_LIMIT_MS),
  );
}

function readRaw() {
  try {
    return localStorage.getItem(KEY) ?? memory;
  } catch {
    return memory;
  }
}

/** @param {string | null} value */
function writeRaw(value) {
  memory = null;
  try {
    if (value === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value);
  } catch {
    memory = value;
  }
}

// The key is null when the whole storage was cleared.
addEventListener("storage", (event) => (event.key === KEY || event.key === null) && update());
// A page from the back-forward cache has missed the events of the storage.
addEventListener("pageshow", (event) => event.persisted && update());
schedule();
