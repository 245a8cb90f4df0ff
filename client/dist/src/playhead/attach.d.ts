/**
 * Resumes and saves a video until it is detached.
 * @param {Pick<Connection, "outbox" | "currentAccount">
 *   & { client: Pick<Playhead, "load" | "duration" | "forget"> }} server
 * @param {HTMLVideoElement} video @param {number | string} videoId
 * @param {AttachOptions & { signal: AbortSignal }} options
 * @returns {Handle}
 */
export function attach({ client, outbox, currentAccount }: Pick<Connection, "outbox" | "currentAccount"> & {
    client: Pick<Playhead, "load" | "duration" | "forget">;
}, video: HTMLVideoElement, videoId: number | string, options: AttachOptions & {
    signal: AbortSignal;
}): Handle;
export type AttachOptions = import("../playhead.js").AttachOptions;
export type Connection = import("../playhead.js").Connection;
export type Entry = import("../playhead.js").Entry;
export type Handle = import("../playhead.js").Handle;
export type HandleCalls = import("../playhead.js").HandleCalls;
export type Playhead = import("../playhead.js").Playhead;
export type PlayheadEvent = import("../playhead.js").PlayheadEvent;
export type PlayerEffect = import("./machine.js").PlayerEffect;
export type PlayerEvent = import("./machine.js").PlayerEvent;
export type Reading = import("./playback.js").Reading;
export type Timer = import("./retry.js").Timer;
export type PlayerSession = ReturnType<Connection["outbox"]["open"]>;
