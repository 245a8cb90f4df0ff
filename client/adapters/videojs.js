/**
 * Playhead for Video.js 8, as a plugin.
 *
 *     registerPlayhead(videojs, createPlayhead({ getToken }));
 *     const player = videojs("my-video");
 *     player.playhead({ videoId: 3 });
 */

/** @typedef {import("../src/playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../src/playhead.js").Handle} Handle */
/** @typedef {import("../src/playhead.js").Playhead} Playhead */
/** @typedef {AttachOptions & { videoId: number | string }} PluginOptions */
/** @typedef {{ playhead: (options: PluginOptions) => Handle }} WithPlayhead */
/**
 * What is used of a player.
 * @typedef {{ tech: (safety: boolean) => any, duration: () => number | undefined,
 *   on: (type: string, listener: () => void) => void,
 *   off: (type: string, listener: () => void) => void }} VideoJsPlayer
 */

/** The events of videojs-contrib-ads, on which the plugins of advertisers are built. */
const [AD_BEGINS, AD_ENDS] = ["adstart", "adend"];

/**
 * Gives every player the function `playhead({ videoId, … })`, which takes the options of `attach`
 * and returns its handle. Call it again when the player gets another video. For TypeScript a player
 * is then `typeof player & WithPlayhead`.
 * @param {{ registerPlugin: (name: string, plugin: Function) => unknown }} videojs
 * @param {Pick<Playhead, "attach">} playhead
 */
export function registerPlayhead(videojs, playhead) {
  /** @type {WeakMap<VideoJsPlayer, () => void>} */
  const detachers = new WeakMap();

  /** @this {VideoJsPlayer} @param {PluginOptions} options */
  function plugin({ videoId, ...options }) {
    detachers.get(this)?.();
    const handle = playhead.attach(this.tech(true).el(), videoId, options);
    const suspend = () => handle.suspend();
    const unsuspend = () => isLive(this) || handle.unsuspend();
    const noticeLive = () => isLive(this) && suspend();
    const detach = () => {
      void handle.detach();
      this.off(AD_BEGINS, suspend);
      this.off(AD_ENDS, unsuspend);
      this.off("durationchange", noticeLive);
      this.off("dispose", detach);
    };
    this.on(AD_BEGINS, suspend);
    this.on(AD_ENDS, unsuspend);
    this.on("durationchange", noticeLive);
    this.on("dispose", detach);
    noticeLive(); // it may be loaded already
    detachers.set(this, detach);
    return handle;
  }
  videojs.registerPlugin("playhead", plugin);
}

/**
 * A film may lack a duration, but an HLS or DASH stream without one is live.
 * @param {VideoJsPlayer} player
 */
const isLive = (player) => Boolean(player.tech(true).vhs) && player.duration() === Infinity;
