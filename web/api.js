/**
 * The server's HTTP API, as the pages use it. All functions reject with a `Problem`.
 *
 * `duration` is in seconds, `watch_progress` 0 to 100.
 * @typedef {{ id: number, title: string, description: string | null, duration: number | null,
 *   thumbnail_path: string | null, uploader_username: string, created_at: string,
 *   stream_url?: string | null, watch_progress?: number | null }} Video
 * @typedef {{ email: string, username: string, password: string,
 *   full_name?: string | null }} NewUser
 * @typedef {{ id: number, email: string, username: string, full_name: string | null }} Account
 */
import { base } from "./base.js";
import { deviceName } from "./device.js";
import { createPlayhead, PlayheadError } from "./playhead.js";
import { createHistory } from "./playhead/history.js";
import { refusal, t } from "./i18n.js";
import * as session from "./session.js";

/** The name of this device in the history. */
export const deviceHere = deviceName(navigator.userAgent);

const player = createPlayhead({ getToken: session.token, baseUrl: base, device: deviceHere });
export const playhead = { ...player, ...createHistory(player) };

/** A problem document (RFC 9457), or no answer if `status` is 0. */
export class Problem extends Error {
  /**
   * @param {number} status @param {string} detail
   * @param {{ field: string, message: string }[]} errors
   */
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/**
 * What went wrong, in one line for the viewer.
 * @param {unknown} error
 * @throws the error itself if it is not about a request
 */
export function describeError(error) {
  if (error instanceof Problem) return error.message || t("unreachable");
  if (!(error instanceof PlayheadError)) throw error;
  if (error.status === 401) return t("sessionEnded");
  return error.status === 0 ? t("unreachable") : refusal(error.code ?? "", error.message);
}

/** @typedef {{ method?: string, body?: object, auth?: boolean, keepalive?: boolean }} Options */

/**
 * @param {string} path of the site @param {Options} [options] `auth`: as the signed-in user, if any
 * @returns {Promise<{ data: any, headers: Headers }>}
 */
export async function request(
  path,
  { method = "GET", body, auth = false, keepalive = false } = {},
) {
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
    if (response.status === 401 && token) {
      // Without a newer token the session is over, and the request is that of a visitor.
      response = await send(await session.token({ refused: token }));
    }
    if (!response.ok) throw await readProblem(response);
    return {
      data: response.status === 204 ? null : await response.json(),
      headers: response.headers,
    };
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, "");
  }
}

/** @param {Response} response */
async function readProblem(response) {
  const problem = await response.json().catch(() => null);
  const detail = String(problem?.detail ?? problem?.title ?? response.statusText);
  const message = refusal(String(problem?.code), detail);
  return new Problem(response.status, message, problem?.errors ?? []);
}

/**
 * Reads the first page of the videos that a search finds, or of all.
 * @param {string} query empty for all @param {number} limit 1 to 100
 * @returns {Promise<{ videos: Video[], next: string | null }>}
 */
export const listVideos = (query, limit) => {
  const parameters = new URLSearchParams({ limit: String(limit) });
  if (query) parameters.set("q", query);
  return readVideos(`/api/v1/videos?${parameters}`);
};

/** Reads one page of a list; `next` is the path of the page after it. @param {string} path */
export async function readVideos(path) {
  const { data, headers } = await request(path, { auth: true });
  return { videos: /** @type {Video[]} */ (data), next: nextPage(headers.get("link")) };
}

/** @param {number} id @returns {Promise<Video>} */
export const getVideo = async (id) => (await request(`/api/v1/videos/${id}`, { auth: true })).data;

const ACCOUNT = "/api/v1/users/me";

/** @returns {Promise<Account>} */
export const readAccount = async () => (await request(ACCOUNT, { auth: true })).data;

/**
 * A new name, e-mail or password needs the current one.
 * @param {Partial<NewUser> & { current_password?: string }} change @returns {Promise<Account>}
 */
export const changeAccount = async (change) =>
  (await request(ACCOUNT, { method: "PATCH", body: change, auth: true })).data;

/** Deletes the account with its videos and history. @param {string} current_password */
export const deleteAccount = (current_password) =>
  request(ACCOUNT, { method: "DELETE", body: { current_password }, auth: true });

/** Creates an account and signs in. @param {NewUser} account */
export async function signUp(account) {
  await request("/api/v1/auth/register", { method: "POST", body: account });
  await signIn(account.username, account.password);
}

/** @param {string} username user name or e-mail address @param {string} password */
export async function signIn(username, password) {
  const { data: tokens } = await request("/api/v1/auth/login", {
    method: "POST",
    body: { username, password },
  });
  const headers = { accept: "application/json", authorization: `Bearer ${tokens.access_token}` };
  const response = await fetch(`${base}/api/v1/auth/me`, { headers }).catch(() => null);
  if (!response?.ok) throw response ? await readProblem(response) : new Problem(0, "");
  session.start(tokens, await response.json());
}

/** Ends the session here at once. The server is told if it can be reached. */
export function signOut() {
  const refresh_token = session.current()?.refresh_token;
  session.end();
  if (!refresh_token) return;
  request("/api/v1/auth/logout", {
    method: "POST",
    body: { refresh_token },
    keepalive: true,
  }).catch(() => {});
}

/** @param {string | null} link a Link header @returns {string | null} */
function nextPage(link) {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  if (!target) return null;
  // Behind a proxy the server may not know its own origin.
  const { pathname, search } = new URL(target, location.href);
  // Without PUBLIC_PATH the link lacks the path below which a proxy shows the site.
  return (pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname) + search;
}
