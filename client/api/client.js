/**
 * The whole API of the server, typed by its own document, with a session that keeps itself fresh.
 *
 *     const api = createApi({ baseUrl: "https://api.example.org" });
 *     await api.signIn("ann", "correct horse");
 *     const { data } = await api.GET("/api/v1/videos", { params: { query: { limit: 5 } } });
 *     const playhead = createPlayhead({ baseUrl, getToken: api.getToken });
 *
 * Calls are those of openapi-fetch. They carry the token of the signed-in user, and are repeated
 * with a newer one when the server answers 401.
 */
import createClient from "openapi-fetch";
import { subjectOf } from "../src/playhead/request.js";
import { createSession } from "./session.js";

/** @typedef {import("./generated/schema.js").paths} paths */
/** @typedef {import("./generated/schema.js").components["schemas"]} Schemas */
/** @typedef {import("./session.js").SessionOptions} SessionOptions */
/** @typedef {import("openapi-fetch").Client<paths>} Client */
/** @typedef {Client & import("./session.js").Session} Api */

/** @param {SessionOptions} [options] @returns {Api} */
export function createApi(options = {}) {
  const { baseUrl = "", fetch = globalThis.fetch } = options;
  const session = createSession(options);

  /** @param {Request} request */
  async function send(request) {
    const token = await session.getToken();
    if (!token) return fetch(request);
    const again = request.clone();
    request.headers.set("authorization", `Bearer ${token}`);
    const response = await fetch(request);
    if (response.status !== 401) return response;
    const newer = await session.getToken({ refused: token });
    // Somebody else may have signed in meanwhile.
    if (!newer || newer === token || subjectOf(newer) !== subjectOf(token)) return response;
    again.headers.set("authorization", `Bearer ${newer}`);
    return fetch(again);
  }

  /** @type {Client} */
  const client = createClient({ baseUrl: baseUrl || globalThis.location?.origin, fetch: send });
  return { ...client, ...session };
}
