/** Requests to the server, in the name of whoever is signed in. */

/** @typedef {import("../playhead.js").PlayheadOptions} PlayheadOptions */
/**
 * `account`: send it only under a token of that account; without it, under any.
 * @typedef {{ body?: object, keepalive?: boolean, signal?: AbortSignal, account?: string }} RequestOptions
 * @typedef {ReturnType<typeof createRequests>} Requests
 */

export const TIMEOUT_MS = 20_000;

/**
 * A request that did not succeed: `status` is 0 when there was no answer, `code` the stable word of the server's problem
 * document, `retryable` whether the same request may succeed later.
 */
export class PlayheadError extends Error {
  /** @param {string} message @param {{ status?: number, code?: string, retryAfterMs?: number, cause?: unknown }} [details] */
  constructor(message, { status = 0, code, retryAfterMs = 0, cause } = {}) {
    super(message, { cause });
    this.name = "PlayheadError";
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    // A refusal without a word of the server's comes from something on the way to it, such as a proxy that has lost it.
    const isFinal = status >= 400 && status < 500 && ![408, 425, 429].includes(status) && (code !== undefined || status === 401);
    this.retryable = !isFinal;
  }
}

/** Anything but an answer of the server counts as no answer. @param {unknown} cause */
export const asError = (cause) => (cause instanceof PlayheadError ? cause : new PlayheadError(String(cause), { cause }));

export const signedOut = () => new PlayheadError("Nobody is signed in, or somebody else", { status: 401 });

/** @param {Required<PlayheadOptions>} options */
export function createRequests({ getToken, getUser, baseUrl, fetch }) {
  /** The account of a token, among those of all servers; empty where nothing tells whose it is. @param {string} token */
  function accountOf(token) {
    const user = getUser(token);
    if (user === null || user === undefined || user === "") return "";
    return baseUrl ? `${user}@${baseUrl}` : String(user);
  }

  /** A host that waits for a renewal without end would hold up every later save. @type {typeof getToken} */
  const askForToken = (request) => inTime(getToken(request));

  /** The account that is signed in, without a request where the host knows it; null for nobody. */
  async function whoIsSignedIn() {
    const token = (await askForToken({ keepalive: true })) ?? (await askForToken({}));
    return token ? accountOf(token) : null;
  }

  /** @param {string} method @param {string} path @param {RequestOptions} [options] @returns {Promise<any>} */
  async function call(method, path, { body, keepalive, signal, account } = {}) {
    /** @param {string} token */
    const send = (token) => {
      if (account !== undefined && accountOf(token) !== account) throw signedOut();
      const headers = new Headers({ accept: "application/json", authorization: `Bearer ${token}` });
      if (body) headers.set("content-type", "application/json");
      // As long as a request that hangs.
      const limits = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
      const init = { method, headers, keepalive, body: body && JSON.stringify(body), signal: AbortSignal.any(limits) };
      return fetch(`${baseUrl}/api/v1${path}`, init);
    };
    try {
      const token = await askForToken({ keepalive });
      if (!token) throw signedOut();
      let response = await send(token);
      if (response.status === 401) {
        const newer = await askForToken({ refused: token, keepalive });
        if (newer && newer !== token) response = await send(newer);
      }
      if (response.ok) return response.status === 204 ? null : await response.json();
      throw problemError(response.status, await response.json().catch(() => null), retryAfter(response));
    } catch (cause) {
      throw asError(cause);
    }
  }

  return { call, whoIsSignedIn };
}

/** @param {number} status @param {{ detail?: string, code?: string } | null} [problem] @param {number} [retryAfterMs] */
export const problemError = (status, problem, retryAfterMs) =>
  new PlayheadError(problem?.detail ?? `HTTP ${status}`, { status, code: problem?.code, retryAfterMs });

/** The user that one of the server's own tokens names. @param {string} token @returns {string | null} */
export function subjectOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub ?? null;
  } catch {
    return null;
  }
}

/** @template T @param {T | Promise<T>} answer @returns {Promise<T>} */
async function inTime(answer) {
  let timer = 0;
  const late = new Promise((_, reject) => {
    timer = window.setTimeout(() => reject(new PlayheadError("No token in time")), TIMEOUT_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Seconds or a date, by RFC 9110. @param {Response} response */
function retryAfter(response) {
  const value = response.headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return wait > 0 ? wait : 0;
}
