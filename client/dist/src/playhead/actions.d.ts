/**
 * Resumes, or follows where the element is, once history and metadata are there: a seek before the
 * metadata would be lost.
 * @param {Step} step @param {{ keepalive?: boolean }} [options]
 */
export function start(step: Step, { keepalive }?: {
    keepalive?: boolean;
}): void;
/**
 * The source or the page begins the video at the current position, which is saved once the video is
 * played from there.
 * @param {Step} step
 */
export function chooseCurrent(step: Step): void;
/**
 * Whether the player begins where the page has told it to, which nobody chose.
 * @param {Step} step
 */
export function hasStarted({ state, reading }: Step): boolean;
/**
 * The metadata has arrived. By then a browser has begun to seek to what the source names, or to a
 * position that the page set before.
 * @param {Step} step
 */
export function readSource(step: Step): void;
/**
 * A seek has begun, by the player, by a browser that loops, or by the viewer.
 * @param {Step} step
 */
export function seek(step: Step): void;
/** The seek of the player has ended. @param {Step} step */
export function endResume(step: Step): void;
/**
 * The element has been at its end. By now it may have been begun again.
 * @param {Step} step
 */
export function end(step: Step): void;
/** Another file is loaded, or the same one again. @param {Step} step */
export function reset({ state, effects }: Step): void;
/** The element is about to play something else. @param {Step} step */
export function suspend(step: Step): void;
/** The element has the video again, or is about to. @param {Step} step */
export function unsuspend(step: Step): void;
/** The page may be about to go away. @param {Step} step */
export function leave(step: Step): void;
/** @param {Step} step @param {Extract<PlayerEvent, { type: "historyRead" }>} event */
export function readHistory(step: Step, { resumeAt, watched }: Extract<PlayerEvent, {
    type: "historyRead";
}>): void;
/** @param {Step} step @param {Extract<PlayerEvent, { type: "historyDelayed" }>} event */
export function delayHistory(step: Step, { kept, retryInMs, error }: Extract<PlayerEvent, {
    type: "historyDelayed";
}>): void;
/**
 * The history cannot be read: a save could overwrite it.
 * @param {Step} step @param {Extract<PlayerEvent, { type: "historyRefused" }>} event
 */
export function refuseHistory(step: Step, { error }: Extract<PlayerEvent, {
    type: "historyRefused";
}>): void;
/** @param {Step} step @param {Extract<PlayerEvent, { type: "saveAnswered" }>} event */
export function reportAnswer(step: Step, { answer }: Extract<PlayerEvent, {
    type: "saveAnswered";
}>): void;
/** @param {Step} step */
export function startOver(step: Step): void;
/** @param {Step} step @param {Extract<PlayerEvent, { type: "goTo" }>} event */
export function goTo(step: Step, { position }: Extract<PlayerEvent, {
    type: "goTo";
}>): void;
/** @param {Step} step */
export function finishForgetting(step: Step): void;
/** @param {Step} step */
export function close({ state, effects }: Step): void;
export type PlayerEvent = import("./machine.js").PlayerEvent;
export type Step = import("./machine.js").Step;
