/**
 * The server's HTTP API as the pages use it.
 * @typedef {{ id: number, title: string, description: string | null, duration: number | null, thumbnail_path: string | null,
 *   uploader_username: string, created_at: string, stream_url?: string | null, watch_progress?: number | null }} Video
 * @typedef {{ email: string, username: string, password: string, full_name?: string }} NewUser
 */
import { base } from "./base.js";
import { createPlayhead } from "./playhead.js";
import { refusal } from "./i18n.js";
import * as session from "./session.js";

export const playhead = createPlayhead({ getToken: session.token, baseUrl: base });

/** A refusal (RFC 9457), or no answer at all when `status` is 0. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail @param {{ field: string, message: string }[]} errors */
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/**
 * @param {string} path of the site
 * @param {{ method?: string, body?: object, auth?: boolean, keepalive?: boolean }} [options] auth: as the signed-in user, if any
 * @returns {Promise<{ data: any, headers: Headers }>}
 */
async function request(path, { method = "GET", body, auth = false, keepalive = false } = {}) {
  /** @param {string | null} token */
  const send = (token) => {
    const headers = new Headers({ accept: "application/json" });
    if (token) headers.set("authorization", `Bearer ${token}`);
    if (body) headers.set("content-type", "application/json");
    return fetch(base + path, { method, headers, keepalive, body: body && JSON.stringify(body) });
  };
  try {
    const token = auth ? await session.token() : null;
    let response = await send(token);
    // No newer token means that the session is over: what is public is then shown to a visitor.
    if (response.status === 401 && token) response = await send(await session.token({ refused: token }));
    if (!response.ok) throw await problemOf(response);
    return { data: response.status === 204 ? null : await response.json(), headers: response.headers };
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, "");
  }
}

/** @param {Response} response */
async function problemOf(response) {
  const problem = await response.json().catch(() => null);
  const said = String(problem?.detail ?? problem?.title ?? response.statusText);
  return new Problem(response.status, refusal(String(problem?.code), said), problem?.errors ?? []);
}

/**
 * @param {string} query @param {number} limit
 * @returns {Promise<{ videos: Video[], next: string | null }>}
 */
export const listVideos = (query, limit) => {
  const parameters = new URLSearchParams({ limit: String(limit) });
  if (query) parameters.set("q", query);
  return videosAt(`/api/v1/videos?${parameters}`);
};

/** One page of the list; `next` is where the following one is. @param {string} path */
export async function videosAt(path) {
  const { data, headers } = await request(path, { auth: true });
  return { videos: /** @type {Video[]} */ (data), next: nextPage(headers.get("link")) };
}

/** @param {number} id @returns {Promise<Video>} */
export const getVideo = async (id) => (await request(`/api/v1/videos/${id}`, { auth: true })).data;

/** Makes the account and signs in. @param {NewUser} account */
export async function signUp(account) {
  await request("/api/v1/auth/register", { method: "POST", body: account });
  await signIn(account.username, account.password);
}

/** @param {string} username a name or an e-mail address @param {string} password */
export async function signIn(username, password) {
  const { data: tokens } = await request("/api/v1/auth/login", { method: "POST", body: { username, password } });
  const headers = { accept: "application/json", authorization: `Bearer ${tokens.access_token}` };
  const response = await fetch(`${base}/api/v1/auth/me`, { headers }).catch(() => null);
  if (!response?.ok) throw response ? await problemOf(response) : new Problem(0, "");
  session.start(tokens, await response.json());
}

/** Forgets the session here at once; the server is told when it can be reached. */
export function signOut() {
  const refresh_token = session.current()?.refresh_token;
  session.end();
  if (!refresh_token) return;
  request("/api/v1/auth/logout", { method: "POST", body: { refresh_token }, keepalive: true }).catch(() => {});
}

/** @param {string | null} link a Link header @returns {string | null} */
function nextPage(link) {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  if (!target) return null;
  // Behind a proxy the server may not know its own origin; ours is the one to ask.
  const { pathname, search } = new URL(target, location.href);
  // A proxy that shows the site below a path of which the server was not told leaves it out.
  return (pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname) + search;
}
