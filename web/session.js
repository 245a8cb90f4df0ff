/**
 * Who is signed in, shared by all tabs through localStorage, with tokens that renew themselves.
 * @typedef {{ id: number, username: string }} SessionUser
 * @typedef {{ access_token: string, refresh_token: string, expires_in: number }} Tokens
 * @typedef {{ user: SessionUser, access_token: string, refresh_token: string, expires_at: number, margin: number }} Session
 */
import { base } from "./base.js";
import { PlayheadError } from "./playhead.js";
import { retryDelay } from "./playhead/outbox.js";

/** Sites below different paths of one host share its storage. */
const KEY = `playhead.session${base}`;
const MARGIN_MS = 60_000;
/** The server takes a token again whose answer was lost, for half a minute: two more tries fall into that. */
const TIMEOUT_MS = 8_000;
const TIMER_LIMIT_MS = 2_147_483_647;

/** @type {string | null} */
let memory = null; // stands in where the browser refuses storage
/** @type {Promise<string | null> | null} */
let refreshing = null;
let timer = 0;
let failures = 0;
/** @type {Set<() => void>} */
const listeners = new Set();
let announced = current()?.user.id ?? null;

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
  changed();
}

export function end() {
  writeRaw(null);
  changed();
}

/**
 * Calls back when another user, or nobody, is signed in from now on, here or in another tab.
 * @param {() => void} listener
 */
export function onChange(listener) {
  listeners.add(listener);
}

/**
 * The access token, renewed when it is about to expire or was `refused`. With `keepalive` the one in hand, without a wait.
 * @param {{ refused?: string, keepalive?: boolean }} [request]
 * @returns {string | null | Promise<string | null>}
 */
export function token({ refused, keepalive = false } = {}) {
  const session = current();
  if (!session) return null;
  const { access_token, expires_at } = session;
  if (access_token === refused) return refresh(refused);
  if (keepalive || isFresh(session)) return access_token;
  return refresh().catch((error) => {
    // The renewal was early on purpose: while the old token lasts, a server out of reach is no reason to stop.
    if (Date.now() < expires_at) return access_token;
    throw error;
  });
}

/** @param {string} [refused] */
function refresh(refused) {
  refreshing ??= alone(() => renew(refused)).finally(() => (refreshing = null));
  return refreshing;
}

/** One tab at a time where the browser has Web Locks; elsewhere the server bears two for a while. @param {() => Promise<string | null>} task */
const alone = async (task) => (navigator.locks ? navigator.locks.request(`playhead.refresh${base}`, task) : task());

/** @param {string} [refused] @returns {Promise<string | null>} */
async function renew(refused) {
  const held = current();
  if (!held) return null;
  if (held.access_token !== refused && isFresh(held)) return held.access_token;
  const response = await fetch(`${base}/api/v1/auth/refresh`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ refresh_token: held.refresh_token }),
    // All tabs wait for this one.
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer = await response.json().catch(() => null);
  const { status } = response;
  const { retryable } = new PlayheadError("", { status, code: answer?.code });
  const isRefused = !response.ok && !retryable && answer?.code !== undefined;
  // What is neither new tokens nor a refusal of the server's comes from something on the way to it.
  if (!isRefused && !answer?.access_token) throw new PlayheadError(`refresh answered ${status}`);
  const tokens = response.ok ? answer : null;
  const now = current();
  // Signed out, or renewed by another tab, while the answer was on its way: that counts, not this answer.
  if (now?.refresh_token !== held.refresh_token) return now?.access_token ?? null;
  if (!tokens) {
    end();
    return null;
  }
  writeRaw(JSON.stringify(toSession(tokens, held.user)));
  changed();
  return tokens.access_token;
}

/** @param {Tokens} tokens @param {SessionUser} who @returns {Session} */
function toSession({ access_token, refresh_token, expires_in }, who) {
  const life = expires_in * 1000;
  return { user: who, access_token, refresh_token, expires_at: Date.now() + life, margin: Math.min(MARGIN_MS, life / 2) };
}

/** @param {Session} session */
const isFresh = (session) => Date.now() < session.expires_at - session.margin;

function changed() {
  schedule();
  const id = user()?.id ?? null;
  if (id === announced) return;
  announced = id;
  for (const listener of listeners) listener();
}

// A save sent while the page closes cannot wait for a renewal, so the token in hand is kept fresh ahead of time.
function schedule(leastMs = 0) {
  clearTimeout(timer);
  const session = current();
  if (!session) return;
  const wait = Math.max(leastMs, session.expires_at - session.margin - Date.now());
  timer = window.setTimeout(async () => {
    await Promise.resolve(token()).catch(() => null);
    const held = current();
    failures = held && isFresh(held) ? 0 : failures + 1;
    schedule(failures && retryDelay(failures, new PlayheadError("")));
  }, Math.min(wait, TIMER_LIMIT_MS));
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

// A null key means that the whole storage was cleared. A page taken back from the cache has missed such events.
addEventListener("storage", (event) => (event.key === KEY || event.key === null) && changed());
addEventListener("pageshow", (event) => event.persisted && changed());
schedule();
