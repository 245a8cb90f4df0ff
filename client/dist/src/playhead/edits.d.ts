/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("../playhead.js").Connection} Connection */
/**
 * A time is a `Date`, or a text in RFC 3339.
 * @typedef {Date | string} Time
 */
/**
 * What the server keeps of a viewer.
 * - history: "on" keeps plays and positions, "positions" no plays, "off" nothing new
 * - retention_days: 1 to 3650 days after which what was watched is deleted; null for never
 * - recommendations: whether the viewer gets recommendations, and is learned from
 * @typedef {{ history: "on" | "positions" | "off", retention_days: number | null,
 *   recommendations: boolean }} Preferences
 */
/**
 * - account: send it with a token of this account only
 * @typedef {{ account?: string }} EditOptions
 */
/** @param {Connection} connection */
export function createEdits(connection: Connection): {
    /**
     * Deletes the entries of many videos with their plays.
     * @param {(number | string)[]} videoIds 1 to 500
     * @returns {Promise<{ deleted: number }>} how many entries there were
     */
    forgetMany(videoIds: (number | string)[]): Promise<{
        deleted: number;
    }>;
    /**
     * Deletes all entries and plays that were last watched before a time, or all.
     * @param {{ before?: Time }} [options] not in the future
     * @returns {Promise<{ deleted: number }>} how many entries there were
     */
    clearHistory({ before }?: {
        before?: Time;
    }): Promise<{
        deleted: number;
    }>;
    /**
     * Goes back to the place that was given up last, which becomes the `previous` one.
     * @param {number | string} videoId @param {EditOptions} [options] @returns {Promise<Entry>}
     * @throws {PlayheadError} "nothing_to_undo" if there is none
     */
    undo: (videoId: number | string, { account }?: EditOptions) => Promise<Entry>;
    /**
     * Takes a video out of "continue watching" until it is watched further.
     * @param {number | string} videoId
     * @param {{ until?: Time }} [options] it comes back then at the latest
     * @returns {Promise<Entry>}
     */
    hide: (videoId: number | string, { until }?: {
        until?: Time;
    }) => Promise<Entry>;
    /**
     * Shows a hidden video again.
     * @param {number | string} videoId @returns {Promise<Entry>}
     */
    show: (videoId: number | string) => Promise<Entry>;
    /**
     * @param {number | string} videoId
     * @param {{ at?: Time }} [options] when it was watched, now by default
     * @returns {Promise<Entry>}
     */
    markWatched: (videoId: number | string, { at }?: {
        at?: Time;
    }) => Promise<Entry>;
    /**
     * Forgets that a video was watched to its end.
     * @param {number | string} videoId @returns {Promise<Entry>}
     */
    markUnwatched: (videoId: number | string) => Promise<Entry>;
    /**
     * Marks many videos as watched or not watched.
     * @param {(number | string)[]} videoIds 1 to 500 @param {boolean} watched
     * @returns {Promise<{ changed: number, skipped: number[] }>} `skipped`: unknown videos
     */
    mark(videoIds: (number | string)[], watched: boolean): Promise<{
        changed: number;
        skipped: number[];
    }>;
    /**
     * Deletes one play. The position stays.
     * @param {number} playId @returns {Promise<void>}
     */
    deletePlay(playId: number): Promise<void>;
    /**
     * Takes the position of the video to the end of a play.
     * @param {number} playId @returns {Promise<Entry>}
     */
    resumePlay: (playId: number) => Promise<Entry>;
    /**
     * Changes some preferences, and returns all of them.
     * @param {Partial<Preferences>} changes @returns {Promise<Preferences>}
     */
    setPreferences: (changes: Partial<Preferences>) => Promise<Preferences>;
};
export type Entry = import("../playhead.js").Entry;
export type Save = import("./queue.js").Save;
export type Connection = import("../playhead.js").Connection;
/**
 * A time is a `Date`, or a text in RFC 3339.
 */
export type Time = Date | string;
/**
 * What the server keeps of a viewer.
 * - history: "on" keeps plays and positions, "positions" no plays, "off" nothing new
 * - retention_days: 1 to 3650 days after which what was watched is deleted; null for never
 * - recommendations: whether the viewer gets recommendations, and is learned from
 */
export type Preferences = {
    history: "on" | "positions" | "off";
    retention_days: number | null;
    recommendations: boolean;
};
/**
 * - account: send it with a token of this account only
 */
export type EditOptions = {
    account?: string;
};
