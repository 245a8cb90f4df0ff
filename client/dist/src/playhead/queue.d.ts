/**
 * How long ago a moment was.
 *
 * Neither clock is right alone. The wall clock may have been set back in between; the stopwatch may
 * stand still while the machine sleeps, and starts again with every page. The longer of the two
 * ages counts: a save that seems too old gives way to another device, but one that seems too young
 * would replace its position. The stopwatch says nothing about a moment of another page.
 * @param {Moment} moment @returns {number} whole milliseconds, from 0 to 30 days
 */
export function ageOf({ at, page, tick }: Moment): number;
export function createQueue(): {
    read: (key: string) => QueuedSave | null;
    remove: (key: string) => void;
    waiting: (account: string) => QueuedSave[];
    isEmpty: () => boolean;
    /** @param {string} account @param {string} session @param {number | string} video */
    keyOf: (account: string, session: string, video: number | string) => string;
    /**
     * Stores a save in place of the one with the same key, whose position and time watched it
     * covers. If the queue is full, the oldest save makes room. Without an account the save is kept
     * in memory only.
     * @param {string} account @param {string} key @param {Save} save
     */
    put(account: string, key: string, save: Save): void;
    /** Whether it survives a reload. @param {string} key */
    isKept: (key: string) => boolean;
    /**
     * Removes an answered save, unless a newer one has replaced it.
     * @param {QueuedSave} answered
     */
    settle({ key, raw }: QueuedSave): void;
    /**
     * Removes saves, of all sessions.
     * @param {string} account @param {(save: Save) => boolean} isUnwanted
     * @returns {QueuedSave[]} what was removed
     */
    drop(account: string, isUnwanted: (save: Save) => boolean): QueuedSave[];
};
/**
 * The saves that the server has not answered yet: the newest one of every player session, in
 * localStorage, so that they outlive the page. Each has a key of its own, so that tabs never
 * overwrite each other's saves.
 *
 * A moment by both clocks, in milliseconds: `at` by the wall clock, `tick` by the stopwatch of the
 * page that was loaded at `page`.
 * @typedef {{ at: number, page: number, tick: number }} Moment
 *
 * The names below are those in localStorage, where saves of earlier versions may wait.
 * - position, watched, played: whole seconds; `watched` of all sessions, `played` of this one
 * - session: the player session; null for a save that the server compares by age alone
 * - sequence: counts the saves of the session, from 1
 * - chosen: the viewer chose the position, or the one it was played from
 * - unsure: the viewer did not choose it, and the server may have a position further on
 * - resumed: it was played from a resume position
 * - ended: the video was played to its end
 * - now: the save counts as one of now, whatever its age
 * @typedef {{ video: number | string, position: number, watched: number, played?: number,
 *   session: string | null, sequence: number, chosen?: boolean, unsure?: boolean,
 *   resumed?: boolean, ended?: boolean, now?: boolean } & Moment} Save
 *
 * `raw` is the save as it is stored. A newer save under the same key differs in it.
 * @typedef {{ key: string, raw: string, save: Save }} QueuedSave
 */
/** The largest number of saves of one account: as many as the server takes in one batch. */
export const CAPACITY: 500;
export function now(): Moment;
/**
 * The names below are those in localStorage, where saves of earlier versions may wait.
 * - position, watched, played: whole seconds; `watched` of all sessions, `played` of this one
 * - session: the player session; null for a save that the server compares by age alone
 * - sequence: counts the saves of the session, from 1
 * - chosen: the viewer chose the position, or the one it was played from
 * - unsure: the viewer did not choose it, and the server may have a position further on
 * - resumed: it was played from a resume position
 * - ended: the video was played to its end
 * - now: the save counts as one of now, whatever its age
 */
export type Moment = {
    at: number;
    page: number;
    tick: number;
};
/**
 * `raw` is the save as it is stored. A newer save under the same key differs in it.
 */
export type Save = {
    video: number | string;
    position: number;
    watched: number;
    played?: number;
    session: string | null;
    sequence: number;
    chosen?: boolean;
    unsure?: boolean;
    resumed?: boolean;
    ended?: boolean;
    now?: boolean;
} & Moment;
/**
 * The saves that the server has not answered yet: the newest one of every player session, in
 * localStorage, so that they outlive the page. Each has a key of its own, so that tabs never
 * overwrite each other's saves.
 *
 * A moment by both clocks, in milliseconds: `at` by the wall clock, `tick` by the stopwatch of the
 * page that was loaded at `page`.
 */
export type QueuedSave = {
    key: string;
    raw: string;
    save: Save;
};
