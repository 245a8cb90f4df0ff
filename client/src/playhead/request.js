/** Requests to the server as the signed-in user. */

/** @typedef {import("../playhead.js").PlayheadOptions} PlayheadOptions */
/**
 * - keepalive: the request outlives the page
 * - account: send it with a token of this account only; the signed-in one by default
 * @typedef {{ body?: object, keepalive?: boolean, signal?: AbortSignal,
 *   account?: string }} RequestOptions
 * @typedef {ReturnType<typeof createRequests>} Requests
 */

/** How long a request, or the page's token provider, may take. */
export const TIMEOUT_MS = 20_000;
/** These refusals may be lifted without a change of the request. */
const PASSING_REFUSALS = [408, 425, 429];

/**
 * A request that did not succeed.
 * - status: the HTTP status, 0 without an answer
 * - code: the code of the server's problem document, if there was one
 * - retryAfterMs: how long the server asks to wait, 0 if it does not say
 * - retryable: whether the same request may succeed later
 */
export class PlayheadError extends Error {
  /**
   * @param {string} message
   * @param {{ status?: number, code?: string, retryAfterMs?: number, cause?: unknown }} [details]
   */
  constructor(message, { status = 0, code, retryAfterMs = 0, cause } = {}) {
    super(message, { cause });
    this.name = "PlayheadError";
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    const isRefused = status >= 400 && status < 500 && !PASSING_REFUSALS.includes(status);
    // A refusal without a code comes from a proxy on the way, which may have lost the server.
    this.retryable = !(isRefused && (code !== undefined || status === 401));
  }
}

/** An error that is not of the server counts as no answer. @param {unknown} cause */
export const asError = (cause) =>
  cause instanceof PlayheadError ? cause : new PlayheadError(String(cause), { cause });

export const signedOutError = () =>
  new PlayheadError("Not signed in as this user", { status: 401 });

/**
 * @param {Required<Pick<PlayheadOptions, "getToken" | "getUser" | "baseUrl" | "fetch">>} options
 */
export function createRequests({ getToken, getUser, baseUrl, fetch }) {
  /** @type {Set<(method: string, path: string, answer: Promise<any>) => void>} */
  const onRequest = new Set();

  /**
   * The account of a token, unique among all servers.
   * @param {string} token @returns {string} empty if the user is unknown
   */
  function accountOf(token) {
    const user = getUser(token) ?? "";
    return user === "" || baseUrl === "" ? String(user) : `${user}@${baseUrl}`;
  }

  /**
   * A page that never answers would hold up every later save.
   * @type {typeof getToken}
   */
  const requestToken = (options) =>
    untilAborted(getToken(options), AbortSignal.timeout(TIMEOUT_MS));

  /** @returns {Promise<string | null>} the signed-in account; null for nobody */
  async function currentAccount() {
    // The first question needs no request where the page has a token in memory.
    const token = (await requestToken({ keepalive: true })) ?? (await requestToken({}));
    return token ? accountOf(token) : null;
  }

  /**
   * Sends a request below `/api/v1`, and once more with a newer token after a 401.
   * @param {string} method @param {string} path @param {RequestOptions} [options]
   * @returns {Promise<{ data: any, headers: Headers }>} `data`: the JSON of the answer, or null
   *   without a body
   * @throws {PlayheadError}
   */
  async function exchange(method, path, { body, keepalive, signal, account } = {}) {
    /** @param {string} token */
    const send = (token) => {
      account ??= accountOf(token);
      // The newer token after a 401 may be of somebody who has signed in since.
      if (accountOf(token) !== account) throw signedOutError();
      const headers = new Headers({ authorization: `Bearer ${token}` });
      if (body) headers.set("content-type", "application/json");
      return fetch(`${baseUrl}/api/v1${path}`, {
        method,
        headers,
        keepalive,
        body: body && JSON.stringify(body),
        signal: anySignal(signal, AbortSignal.timeout(TIMEOUT_MS)),
      });
    };
    try {
      const token = await requestToken({ keepalive });
      if (!token) throw signedOutError();
      let response = await send(token);
      if (response.status === 401) {
        const newer = await requestToken({ refused: token, keepalive });
        if (newer && newer !== token) response = await send(newer);
      }
      const { headers } = response;
      if (response.status === 204) return { data: null, headers };
      if (response.ok) return { data: await response.json(), headers };
      const problem = await response.json().catch(() => null);
      const retryAfterMs = Number(headers.get("retry-after")) * 1_000 || 0; // none if it is a date
      throw problemError(response.status, problem, retryAfterMs);
    } catch (cause) {
      throw asError(cause);
    }
  }

  /**
   * @param {string} method @param {string} path @param {RequestOptions} [options]
   * @returns {Promise<any>} the JSON of the answer, or null without a body
   * @throws {PlayheadError}
   */
  function request(method, path, options) {
    const answer = exchange(method, path, options).then(({ data }) => data);
    for (const observe of onRequest) observe(method, path, answer);
    return answer;
  }

  return {
    exchange,
    request,
    requestToken,
    currentAccount,
    accountOf,

    /** Called with each request. */
    onRequest,
  };
}

/**
 * @param {number} status @param {{ detail?: string, code?: string } | null} [problem]
 * @param {number} [retryAfterMs]
 */
export const problemError = (status, problem, retryAfterMs) =>
  new PlayheadError(problem?.detail ?? `HTTP ${status}`, {
    status,
    code: problem?.code,
    retryAfterMs,
  });

/**
 * The user id in a token of the server.
 * @param {string} token @returns {string | null} null for any other token
 */
export const subjectOf = (token) => claimsOf(token).sub ?? null;

/**
 * The claims of a JSON Web Token.
 * @param {string} token @returns {Record<string, any>} empty for any other token
 */
export function claimsOf(token) {
  try {
    const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return Object(JSON.parse(atob(payload)));
  } catch {
    return {};
  }
}

/** @param {...(AbortSignal | undefined)} signals */
export const anySignal = (...signals) =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined));

/**
 * @template T @param {T | Promise<T>} answer @param {AbortSignal} signal
 * @returns {Promise<T>} rejects if the signal is aborted before the answer
 */
export function untilAborted(answer, signal) {
  const end = new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
  return Promise.race([answer, /** @type {Promise<never>} */ (end)]);
}
