/**
 * Playhead for Vidstack, as its `MediaStorage`.
 *
 *     const player = document.querySelector("media-player");
 *     player.storage = createMediaStorage(playhead, player, () => 3);
 */

import { resumeAt } from "../src/playhead/start.js";
import { namedStart } from "./fragment.js";

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
 * @param {Pick<Playhead, "attach" | "connection">} playhead @param {MediaPlayer} player
 * @param {(src: Src | null) => number | string | null} videoIdOf the video of a source; null for
 *   one that is not saved
 * @param {StorageOptions} [options]
 * @returns {MediaStorage}
 */
export function createMediaStorage(playhead, player, videoIdOf, { rest, ...options } = {}) {
  /** @type {Handle | null} */
  let handle = null;
  /** @type {Src | null} */
  let source = null;

  function detach() {
    void handle?.detach();
    handle = null;
  }

  /** @param {Src} src */
  async function begin(src) {
    const videoId = videoIdOf(src);
    const video = player.querySelector("video");
    if (videoId === null || !video || player.state.live) return null;
    const named = options.resume === false ? 0 : namedStart(String(src.src));
    const startedAt = named ?? (await resumeAt(playhead, videoId));
    if (src !== source) return null; // the player has gone on to another source meanwhile
    const start = named === null ? { startedAt } : { resume: false };
    handle = playhead.attach(video, videoId, { ...options, ...start });
    return startedAt || null;
  }

  return {
    getTime: async () => (source ? begin(source) : null),
    onLoad(src) {
      detach();
      source = src;
      return rest?.onLoad?.(src);
    },
    onChange(src, mediaId, playerId) {
      detach();
      source = null;
      return rest?.onChange?.(src, mediaId, playerId);
    },
    onDestroy() {
      detach();
      source = null;
      rest?.onDestroy?.();
    },
    getVolume: async () => rest?.getVolume() ?? null,
    setVolume: async (volume) => rest?.setVolume?.(volume),
    getMuted: async () => rest?.getMuted() ?? null,
    setMuted: async (muted) => rest?.setMuted?.(muted),
    getLang: async () => rest?.getLang() ?? null,
    setLang: async (lang) => rest?.setLang?.(lang),
    getCaptions: async () => rest?.getCaptions() ?? null,
    setCaptions: async (captions) => rest?.setCaptions?.(captions),
    getPlaybackRate: async () => rest?.getPlaybackRate() ?? null,
    setPlaybackRate: async (rate) => rest?.setPlaybackRate?.(rate),
    getVideoQuality: async () => rest?.getVideoQuality() ?? null,
    setVideoQuality: async (quality) => rest?.setVideoQuality?.(quality),
    getAudioGain: async () => rest?.getAudioGain() ?? null,
    setAudioGain: async (gain) => rest?.setAudioGain?.(gain),
  };
}
