/** One socket to the server at a time, and the tokens that it sends. */
import { claimsOf } from "../request.js";

/** @typedef {import("./machine.js").ConnectionEvent} ConnectionEvent */
/** @typedef {import("../request.js").Requests} Requests */

const PROTOCOL = "playhead.v1";
/** A token that does not say when it expires is sent again after this time. */
const UNKNOWN_VALIDITY_MS = 600_000;
const SHORTEST_MS = 15_000;
const LONGEST_MS = 86_400_000;

/**
 * - dispatch: takes what happens
 * - isOther: whether a token is of another account than that of the socket
 * - greeting: the message that sends a token
 * - onMessage: takes each message of the server
 * @typedef {{ requestToken: Requests["requestToken"], baseUrl: string,
 *   dispatch: (event: ConnectionEvent) => void, isOther: (token: string) => boolean,
 *   greeting: (token: string) => object, onMessage: (message: any) => void }} SocketOptions
 */

/** @param {SocketOptions} options */
export function createSocket({ requestToken, baseUrl, dispatch, isOther, greeting, onMessage }) {
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {string | null} The access token that was sent last. */
  let sent = null;
  let round = 0; // what an earlier socket still does is ignored

  function close() {
    round++;
    socket?.close();
    socket = null;
  }

  /**
   * Reads a token, and passes it on unless the socket was closed meanwhile.
   * @param {boolean} isRefused whether the last token is of no use
   * @param {(token: string, isNew: boolean) => void} use
   */
  async function withToken(isRefused, use) {
    const thisRound = round;
    try {
      const refused = (isRefused && sent) || undefined;
      let token = await requestToken({ refused });
      if (thisRound !== round) return;
      if (token) use(token, isRefused);
      else dispatch({ type: "signedOut" });
    } catch {
      if (thisRound === round) dispatch({ type: "tokenFailed" });
    }
  }

  /** @param {string} token @param {boolean} isNew */
  function connect(token, isNew) {
    const thisRound = round;
    const opened = (socket = new WebSocket(addressOf(baseUrl), PROTOCOL));
    const isCurrent = () => thisRound === round;
    opened.addEventListener("open", () => isCurrent() && greet(token, isNew));
    opened.addEventListener(
      "close",
      ({ code }) => isCurrent() && dispatch({ type: "closed", code }),
    );
    opened.addEventListener("message", ({ data }) => isCurrent() && onMessage(parse(data)));
  }

  /** @param {string} token @param {boolean} isNew */
  function greet(token, isNew) {
    sent = token;
    const message = JSON.stringify(greeting(token));
    dispatch({ type: "greeted", validForMs: validForMs(token, isNew) });
    socket?.send(message);
  }

  return {
    close,

    /** @param {boolean} isRefused whether the server has refused the last token */
    open(isRefused) {
      close();
      void withToken(isRefused, connect);
    },

    /** Sends a token again. @param {boolean} isExpiring whether the last one is about to expire */
    greet(isExpiring) {
      void withToken(false, (token) => {
        if (isOther(token)) return dispatch({ type: "account" });
        if (!isExpiring || token !== sent) return greet(token, false);
        // This provider does not renew its tokens ahead of time.
        void withToken(true, greet);
      });
    },
  };
}

/** @param {string} baseUrl */
function addressOf(baseUrl) {
  const address = new URL(`${baseUrl}/api/v1/live`, globalThis.location?.href);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}

/** @param {unknown} data @returns {any} */
function parse(data) {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}

/**
 * How long a token is valid, by the clock of this device, which may be wrong. A new token has its
 * whole life before it.
 * @param {string} token @param {boolean} isNew @returns {number} milliseconds
 */
function validForMs(token, isNew) {
  const { exp, iat } = claimsOf(token);
  if (typeof exp !== "number") return UNKNOWN_VALIDITY_MS;
  const hasBegin = typeof iat === "number";
  const longest = hasBegin ? (exp - iat) * 1000 : LONGEST_MS;
  const rest = isNew && hasBegin ? longest : exp * 1000 - Date.now();
  return Math.max(SHORTEST_MS, Math.min(rest, longest, LONGEST_MS));
}
