/**
 * Counts what was played since the last reading.
 * @param {Playback} playback @param {Reading} reading
 * @returns {boolean} whether the element is at another position than at the last reading
 */
export function countPlayed(playback: Playback, reading: Reading): boolean;
/**
 * Why a looping video has just begun to seek to its start. Call it before `startSeek`.
 * @param {Playback} playback @param {Reading} reading @param {number | null} serverDuration
 * @returns {"end" | "cut" | null} it was played to its end, its file ended too early, or the viewer
 *   went there
 */
export function loopReason(playback: Playback, reading: Reading, serverDuration: number | null): "end" | "cut" | null;
/**
 * A seek has begun, and nothing was played at its target yet.
 * @param {Playback} playback @param {Reading} reading
 */
export function startSeek(playback: Playback, reading: Reading): void;
/** The metadata of the file has arrived. @param {Playback} playback @param {Reading} reading */
export function announceDuration(playback: Playback, { duration }: Reading): void;
/**
 * The duration has changed. A shorter one is ignored, and so is the first one of a file that
 * announced none: it may only be what has been loaded.
 * @param {Playback} playback @param {Reading} reading
 */
export function extendDuration(playback: Playback, { duration }: Reading): void;
/** Another file is loaded, or the same one again. @param {Playback} playback */
export function resetPlayback(playback: Playback): void;
/**
 * The begin and end that the fragment of an address names (`#t=10,20`), or null.
 * @param {string} source
 */
export function fragmentOf(source: string): string | null;
export function newPlayback(): Playback;
export function explainedPosition({ position }: Playback, { seeking, currentTime }: Reading): number;
export function hasPlayedToEnd(playback: Playback, reading: Reading, serverDuration: number | null): boolean;
export function isCutOff(playback: Playback, reading: Reading, serverDuration: number | null): boolean;
export function hasBeenAtEnd({ playedEnd, duration }: Reading): boolean;
export function isAtStart({ currentTime, seekable }: Reading): boolean;
export function isBeginningAgain(reading: Reading): boolean;
export function isStartFragment(fragment: string | null): boolean;
export type Moment = import("./queue.js").Moment;
/**
 * - watched: seconds that the viewer watched, by the clock, in all sessions that are known
 * - played: the same in this player session
 * - position: the newest position that playing or a seek explains
 * - isExplained: the element is at that position
 * - playedSinceSeek: seconds of video played since the last seek, up to `position`
 * - playedSinceJump: seconds of video played since the position jumped without a reason
 * - rate: the speed at the last reading
 * - countedUpTo: the last reading that was counted; `tick` in milliseconds
 * - announcedDuration: what the file said before it was played; Infinity when it did not say
 * - isTruncated: the file ends before that
 * - wasAtEnd: the browser has been at the end
 */
export type Reading = {
    currentTime: number;
    duration: number;
    playbackRate: number;
    paused: boolean;
    ended: boolean;
    seeking: boolean;
    loop: boolean;
    hasMetadata: boolean;
    hasFutureData: boolean;
    hasError: boolean;
    seekable: [number, number] | null;
    playedEnd: number | null;
    source: string;
    moment: Moment;
};
/**
 * What the element says at one moment. Times are seconds of video.
 * - currentTime, duration, playbackRate, paused, ended, seeking, loop: as the element has them
 * - hasMetadata, hasFutureData: whether its `readyState` has come that far
 * - hasError: whether loading or decoding failed
 * - seekable: the start of the first and the end of the last seekable range
 * - playedEnd: the end of the last played range
 * - source: the address of the file, with its fragment
 * - moment: when this was read
 */
export type Playback = {
    watched: number;
    played: number;
    position: number;
    isExplained: boolean;
    playedSinceSeek: number;
    playedSinceJump: number;
    rate: number;
    countedUpTo: {
        position: number;
        tick: number;
        isRunning: boolean;
        isSeek: boolean;
    };
    announcedDuration: number;
    isTruncated: boolean;
    wasAtEnd: boolean;
};
