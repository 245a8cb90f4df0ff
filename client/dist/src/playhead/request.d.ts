/** @param {Required<Pick<PlayheadOptions, "getToken" | "getUser" | "baseUrl" | "fetch">>} options */
export function createRequests({ getToken, getUser, baseUrl, fetch }: Required<Pick<PlayheadOptions, "getToken" | "getUser" | "baseUrl" | "fetch">>): {
    exchange: (method: string, path: string, { body, keepalive, signal, account }?: RequestOptions) => Promise<{
        data: any;
        headers: Headers;
    }>;
    request: (method: string, path: string, options?: RequestOptions) => Promise<any>;
    currentAccount: () => Promise<string | null>;
};
/**
 * The user id in a token of the server.
 * @param {string} token @returns {string | null} null for any other token
 */
export function subjectOf(token: string): string | null;
/** Requests to the server as the signed-in user. */
/** @typedef {import("../playhead.js").PlayheadOptions} PlayheadOptions */
/**
 * - keepalive: the request outlives the page
 * - account: send it with a token of this account only; without it, with any token
 * @typedef {{ body?: object, keepalive?: boolean, signal?: AbortSignal,
 *   account?: string }} RequestOptions
 * @typedef {ReturnType<typeof createRequests>} Requests
 */
/** How long a request, or the page's token provider, may take. */
export const TIMEOUT_MS: 20000;
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
    constructor(message: string, { status, code, retryAfterMs, cause }?: {
        status?: number;
        code?: string;
        retryAfterMs?: number;
        cause?: unknown;
    });
    status: number;
    code: string | undefined;
    retryAfterMs: number;
    retryable: boolean;
}
export function asError(cause: unknown): PlayheadError;
export function signedOutError(): PlayheadError;
export function problemError(status: number, problem?: {
    detail?: string;
    code?: string;
} | null, retryAfterMs?: number): PlayheadError;
export type PlayheadOptions = import("../playhead.js").PlayheadOptions;
/**
 * - keepalive: the request outlives the page
 * - account: send it with a token of this account only; without it, with any token
 */
export type RequestOptions = {
    body?: object;
    keepalive?: boolean;
    signal?: AbortSignal;
    account?: string;
};
/**
 * - keepalive: the request outlives the page
 * - account: send it with a token of this account only; without it, with any token
 */
export type Requests = ReturnType<typeof createRequests>;
