/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("./queue.js").QueuedSave} QueuedSave */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("./sender.js").Outcome} Outcome */
/** @typedef {ReturnType<typeof createOutbox>} Outbox */
/**
 * `entry` is there if the server has answered with one.
 * @typedef {(event: PlayheadEvent, entry?: Entry) => void} Report
 *
 * One player, from attach to detach.
 * - retryingPosition: the position of its last event, if that was "retrying"; otherwise null
 * - storedPosition: the position that the server last took from it
 * @typedef {{ account: string, video: number | string, report: Report,
 *   retryingPosition: number | null, storedPosition?: number }} PlayerSession
 *
 * A position of a player, as in the queue. `withoutSession`: the server is to compare it with other
 * saves by age alone, not as part of its player session.
 * @typedef {import("./queue.js").Moment & { position: number, watched: number, played: number,
 *   chosen: boolean, unsure: boolean, resumed: boolean, ended: boolean,
 *   withoutSession: boolean }} PlayerSave
 */
/**
 * @param {Pick<import("./request.js").Requests, "request" | "currentAccount">} requests
 * @param {AbortSignal} life when it ends, so do the timer and the listener; a delivery under way
 *   still ends, and what then waits is delivered by the next page
 * @param {string} [device] the name of this device, for people
 */
export function createOutbox({ request, currentAccount }: Pick<import("./request.js").Requests, "request" | "currentAccount">, life: AbortSignal, device?: string): {
    deliver: () => Promise<void>;
    settle: () => Promise<void>;
    newestWaiting: (account: string, video: number | string, ownKey?: string) => import("./queue.js").Save | undefined;
    /** The error of a save that waits for its next try. @returns {PlayheadError} */
    waitError(): PlayheadError;
    /**
     * Removes queued saves.
     * @param {string} account @param {(save: Save) => boolean} isUnwanted
     * @returns {() => void} puts them back
     */
    drop(account: string, isUnwanted: (save: Save) => boolean): () => void;
    /**
     * Opens a session of a player.
     * @param {string} account empty if the user is unknown
     * @param {number | string} video @param {Report} report
     */
    open(account: string, video: number | string, report: Report): {
        /** @param {PlayerSave} save @param {boolean} [keepalive] whether the page may go away */
        push({ withoutSession, ...save }: PlayerSave, keepalive?: boolean): void;
        /** Sends the newest save now, if it is not answered yet. */
        flush: () => void;
        /** The newest waiting save of an earlier session of this video. */
        earlierSave: () => import("./queue.js").Save | undefined;
        /** Ends the reports. Queued saves are still delivered. */
        close(): Promise<void>;
    };
};
export type Entry = import("../playhead.js").Entry;
export type PlayheadEvent = import("../playhead.js").PlayheadEvent;
export type QueuedSave = import("./queue.js").QueuedSave;
export type Save = import("./queue.js").Save;
export type Outcome = import("./sender.js").Outcome;
export type Outbox = ReturnType<typeof createOutbox>;
/**
 * One player, from attach to detach.
 * - retryingPosition: the position of its last event, if that was "retrying"; otherwise null
 * - storedPosition: the position that the server last took from it
 */
export type Report = (event: PlayheadEvent, entry?: Entry) => void;
/**
 * A position of a player, as in the queue. `withoutSession`: the server is to compare it with other
 * saves by age alone, not as part of its player session.
 */
export type PlayerSession = {
    account: string;
    video: number | string;
    report: Report;
    retryingPosition: number | null;
    storedPosition?: number;
};
/**
 * `entry` is there if the server has answered with one.
 */
export type PlayerSave = import("./queue.js").Moment & {
    position: number;
    watched: number;
    played: number;
    chosen: boolean;
    unsure: boolean;
    resumed: boolean;
    ended: boolean;
    withoutSession: boolean;
};
import { PlayheadError } from "./request.js";
