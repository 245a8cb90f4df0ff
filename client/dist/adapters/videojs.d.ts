/**
 * Gives every player the function `playhead({ videoId, … })`, which takes the options of `attach`
 * and returns its handle. Call it again when the player gets another video.
 * @param {Pick<typeof import("video.js").default, "registerPlugin">} videojs
 * @param {Pick<Playhead, "attach">} playhead
 */
export function registerPlayhead(videojs: Pick<typeof import("video.js").default, "registerPlugin">, playhead: Pick<Playhead, "attach">): void;
export type AttachOptions = import("../src/playhead.js").AttachOptions;
export type Handle = import("../src/playhead.js").Handle;
export type Playhead = import("../src/playhead.js").Playhead;
export type Player = ReturnType<typeof import("video.js").default>;
export type PluginOptions = AttachOptions & {
    videoId: number | string;
};
export type PlayerWithPlayhead = Player & {
    playhead: (options: PluginOptions) => Handle;
};
