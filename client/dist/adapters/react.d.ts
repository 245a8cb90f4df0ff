/**
 * Resumes and saves the video element that `ref` is given to, until it is gone or another video or
 * user comes.
 * @param {Pick<Playhead, "attach"> | null} playhead null while nobody is signed in; another one for
 *   another user
 * @param {number | string | null} videoId null for none
 * @param {Omit<AttachOptions, "signal">} [options] the callbacks of the newest rendering are called
 * @returns {{ ref: (video: HTMLVideoElement | null) => void, handle: Handle | null,
 *   state: PlayheadEvent | null, entry: Entry | null }} the last state and entry that were told
 */
export function usePlayhead(playhead: Pick<Playhead, "attach"> | null, videoId: number | string | null, options?: Omit<AttachOptions, "signal">): {
    ref: (video: HTMLVideoElement | null) => void;
    handle: Handle | null;
    state: PlayheadEvent | null;
    entry: Entry | null;
};
export type AttachOptions = import("../src/playhead.js").AttachOptions;
export type Entry = import("../src/playhead.js").Entry;
export type Handle = import("../src/playhead.js").Handle;
export type Playhead = import("../src/playhead.js").Playhead;
export type PlayheadEvent = import("../src/playhead.js").PlayheadEvent;
