/** The position as it is saved, in whole seconds. @param {Step} step */
export function positionOf(step: Step): number;
/** Takes in where the element is. @param {Step} step */
export function count(step: Step): void;
/**
 * Counts, and saves the position if it is new.
 * @param {Step} step @param {SaveOptions} [options]
 */
export function record(step: Step, { keepalive, isDeliberate }?: SaveOptions): void;
/**
 * Writes a position to the queue. Without a session its account is unknown, and it is not saved.
 * @param {Step} step @param {number} position
 * @param {{ keepalive?: boolean, withoutSession?: boolean }} [options]
 */
export function save(step: Step, position: number, { keepalive, withoutSession }?: {
    keepalive?: boolean;
    withoutSession?: boolean;
}): void;
/** @param {Step} step */
export function saveStart(step: Step): void;
export function hasEnded({ state, reading }: Step): boolean;
export function isLate({ state, reading }: Step): boolean;
export function lastSecond({ reading }: Step): number;
export function isResumeKnown({ state: { history } }: Step): boolean;
export type Step = import("./machine.js").Step;
export type SaveOptions = {
    keepalive?: boolean;
    isDeliberate?: boolean;
};
