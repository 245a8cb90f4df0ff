/**
 * Playhead for Vidstack, as its `MediaStorage`.
 *
 *     const player = document.querySelector("media-player");
 *     player.storage = createMediaStorage(playhead, player, () => 3);
 */
/** @typedef {import("../src/playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../src/playhead.js").Handle} Handle */
/** @typedef {import("../src/playhead.js").Playhead} Playhead */
/** @typedef {import("vidstack").MediaStorage} MediaStorage */
/** @typedef {import("vidstack").Src} Src */
/**
 * What is used of the `<media-player>` element.
 * @typedef {ParentNode & { state: { live: boolean } }} MediaPlayer
 *
 * - rest: the storage of volume, captions and all else but the position; nothing keeps them without
 *   it
 * @typedef {AttachOptions & { rest?: MediaStorage }} StorageOptions
 */
/**
 * @param {Pick<Playhead, "attach" | "resumeAt">} playhead @param {MediaPlayer} player
 * @param {(src: Src | null) => number | string | null} videoIdOf the video of a source; null for one
 *   that is not saved
 * @param {StorageOptions} [options]
 * @returns {MediaStorage}
 */
export function createMediaStorage(playhead: Pick<Playhead, "attach" | "resumeAt">, player: MediaPlayer, videoIdOf: (src: Src | null) => number | string | null, { rest, ...options }?: StorageOptions): MediaStorage;
export type AttachOptions = import("../src/playhead.js").AttachOptions;
export type Handle = import("../src/playhead.js").Handle;
export type Playhead = import("../src/playhead.js").Playhead;
export type MediaStorage = import("vidstack").MediaStorage;
export type Src = import("vidstack").Src;
/**
 * - rest: the storage of volume, captions and all else but the position; nothing keeps them without
 *   it
 */
export type MediaPlayer = ParentNode & {
    state: {
        live: boolean;
    };
};
/**
 * What is used of the `<media-player>` element.
 */
export type StorageOptions = AttachOptions & {
    rest?: MediaStorage;
};
