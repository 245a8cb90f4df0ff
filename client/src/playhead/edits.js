/** The calls that change what the server keeps of the viewer, except saves. */
import { queryOf, timeOf } from "./query.js";
import { removeWith } from "./removal.js";
import { historyPath, nullWhenMissing, videoPath } from "./sender.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./queue.js").Save} Save */
/** @typedef {import("../playhead.js").Connection} Connection */
/**
 * A time is a `Date`, or a text in RFC 3339.
 * @typedef {Date | string} Time
 */

/**
 * What the server keeps of a viewer.
 * - history: "on" keeps plays and positions, "positions" no plays, "off" nothing new
 * - retention_days: 1 to 3650 days after which what was watched is deleted; null for never
 * - recommendations: whether the viewer gets recommendations, and is learned from
 * @typedef {{ history: "on" | "positions" | "off", retention_days: number | null,
 *   recommendations: boolean }} Preferences
 */

/**
 * - account: send it with a token of this account only
 * @typedef {{ account?: string }} EditOptions
 */

/** @param {Connection} connection */
export function createEdits(connection) {
  const { request, outbox, currentAccount } = connection;
  /**
   * Changes something, after the saves that wait: they were made before it.
   * @param {string} method @param {string} path @param {object} [body]
   * @param {string} [account] by default the one that is signed in at the call
   */
  async function edit(method, path, body, account) {
    account ??= (await currentAccount()) ?? "";
    await outbox.deliver();
    return request(method, path, { body, account });
  }

  /** @param {number | string} videoId */
  const watchedPath = (videoId) => `${videoPath(videoId)}/watched`;
  /** @param {number | string} videoId */
  const hiddenPath = (videoId) => `${historyPath(videoId)}/hidden`;

  return {
    /**
     * Saves one position as that of now, without retries.
     * @param {number | string} videoId @param {number} position seconds
     * @param {{ watchDuration?: number, keepalive?: boolean, signal?: AbortSignal }} [options]
     *   `watchDuration`: seconds watched in all
     * @returns {Promise<Entry | null>} null if the viewer keeps no history
     */
    save(videoId, position, { watchDuration = 0, ...options } = {}) {
      const watched = Math.floor(watchDuration);
      const body = { watch_position: Math.floor(position), watch_duration: watched };
      return request("POST", historyPath(videoId), { ...options, body });
    },

    /**
     * Deletes the entry of a video with its plays, if there is one. Players of this video save
     * nothing again until playback moves.
     * @param {number | string} videoId
     * @param {EditOptions} [options] by default the account of a player of this video, or else the
     *   signed-in one
     * @returns {Promise<void>}
     */
    async forget(videoId, { account } = {}) {
      /** @param {{ video: number | string }} of */
      const isOfIt = ({ video }) => String(video) === String(videoId);
      const players = [...outbox.sessions.values()].filter(isOfIt);
      /** @param {"forget" | "forgotten" | "forgetFailed"} type */
      const dispatchAll = (type) => players.forEach(({ dispatch }) => dispatch({ type }));
      dispatchAll("forget");
      await null; // a call within a player's report is handled after it
      try {
        await removeWith(
          connection,
          isOfIt,
          (owner) =>
            request("DELETE", historyPath(videoId), { account: owner }).catch(nullWhenMissing),
          account ?? players[0]?.account,
        );
        dispatchAll("forgotten");
      } catch (error) {
        dispatchAll("forgetFailed");
        throw error;
      }
    },

    /**
     * Deletes the entries of many videos with their plays.
     * @param {(number | string)[]} videoIds 1 to 500
     * @returns {Promise<{ deleted: number }>} how many entries there were
     */
    forgetMany(videoIds) {
      const ids = new Set(videoIds.map(String));
      const body = { video_ids: videoIds.map(Number) };
      return removeWith(
        connection,
        ({ video }) => ids.has(String(video)),
        (account) => request("POST", "/watch-history/forget", { account, body }),
      );
    },

    /**
     * Deletes all entries and plays that were last watched before a time, or all.
     * @param {{ before?: Time }} [options] not in the future
     * @returns {Promise<{ deleted: number }>} how many entries there were
     */
    clearHistory({ before } = {}) {
      const end = before === undefined ? Infinity : new Date(before).getTime();
      const path = `/watch-history${queryOf({ before: timeOf(before) })}`;
      return removeWith(
        connection,
        ({ at }) => at < end,
        (account) => request("DELETE", path, { account }),
      );
    },

    /**
     * Goes back to the place that was given up last, which becomes the `previous` one.
     * @param {number | string} videoId @param {EditOptions} [options] @returns {Promise<Entry>}
     * @throws {PlayheadError} "nothing_to_undo" if there is none
     */
    undo: (videoId, { account } = {}) =>
      edit("POST", `${historyPath(videoId)}/undo`, undefined, account),

    /**
     * Takes a video out of "continue watching" until it is watched further.
     * @param {number | string} videoId
     * @param {{ until?: Time }} [options] it comes back then at the latest
     * @returns {Promise<Entry>}
     */
    hide: (videoId, { until } = {}) =>
      edit("PUT", hiddenPath(videoId), until === undefined ? {} : { until: timeOf(until) }),

    /**
     * Shows a hidden video again.
     * @param {number | string} videoId @returns {Promise<Entry>}
     */
    show: (videoId) => edit("DELETE", hiddenPath(videoId)),

    /**
     * @param {number | string} videoId
     * @param {{ at?: Time }} [options] when it was watched, now by default
     * @returns {Promise<Entry>}
     */
    markWatched: (videoId, { at } = {}) =>
      edit("PUT", watchedPath(videoId), at === undefined ? {} : { watched_at: timeOf(at) }),

    /**
     * Forgets that a video was watched to its end.
     * @param {number | string} videoId @returns {Promise<Entry>}
     */
    markUnwatched: (videoId) => edit("DELETE", watchedPath(videoId)),

    /**
     * Marks many videos as watched or not watched.
     * @param {(number | string)[]} videoIds 1 to 500 @param {boolean} watched
     * @returns {Promise<{ changed: number, skipped: number[] }>} `skipped`: unknown videos
     */
    mark(videoIds, watched) {
      const body = { video_ids: videoIds.map(Number), watched };
      return edit("POST", "/watch-history/mark", body);
    },

    /**
     * Deletes one play. The position stays.
     * @param {number} playId @returns {Promise<void>}
     */
    async deletePlay(playId) {
      await edit("DELETE", `/plays/${playId}`);
    },

    /**
     * Takes the position of the video to the end of a play.
     * @param {number} playId @returns {Promise<Entry>}
     */
    resumePlay: (playId) => edit("POST", `/plays/${playId}/resume`),

    /**
     * Changes some preferences, and returns all of them.
     * @param {Partial<Preferences>} changes @returns {Promise<Preferences>}
     */
    setPreferences: (changes) => edit("PATCH", "/users/me/preferences", changes),
  };
}
