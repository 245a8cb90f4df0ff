/** The calls that read lists and figures of the viewer. */
import { queryOf, timeOf } from "./query.js";
import { videoPath } from "./sender.js";

/** @typedef {import("../playhead.js").ContinueItem} ContinueItem */
/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./edits.js").Preferences} Preferences */
/** @typedef {import("./edits.js").Time} Time */
/**
 * One page of a list. `next` is the `cursor` of the page after it, null on the last page.
 * @template T
 * @typedef {{ items: T[], next: string | null }} Page
 */
/**
 * - limit: items of a page, 1 to 100 (20 by default)
 * - cursor: the `next` of the page before
 * @typedef {{ cursor?: string | null, limit?: number, signal?: AbortSignal }} PageOptions
 */

/**
 * A video as the server's lists have it; `duration` in seconds, `watch_progress` 0 to 100.
 * @typedef {{ id: number, user_id: number, uploader_username: string, title: string,
 *   description: string | null, duration: number | null, width: number | null,
 *   height: number | null, file_size: number | null, thumbnail_path: string | null,
 *   status: string, view_count: number, created_at: string, updated_at: string,
 *   published_at: string | null, stream_url?: string | null,
 *   watch_progress?: number | null }} VideoItem
 */
/** @typedef {Entry & { video: VideoItem }} HistoryItem */

/**
 * One opening of a player, from its first save to its last. Positions are seconds;
 * `watched_seconds` is time really played.
 * @typedef {{ id: number, video_id: number, video_title: string, device: string | null,
 *   started_at: string, ended_at: string, start_position: number, end_position: number,
 *   watched_seconds: number, completed: boolean }} Play
 */

/**
 * What a viewer watched in a range of days. Dates are those of the time zone `tz`, in which a play
 * counts on the day and the hour at which it began.
 * - days: every day of the range
 * - weekdays: seconds of Monday to Sunday
 * - hours: seconds of the 24 hours of the day
 * @typedef {{ from: string, to: string, tz: string, watched_seconds: number, plays: number,
 *   videos_started: number, videos_completed: number,
 *   days: { date: string, watched_seconds: number, plays: number, completed: number }[],
 *   weekdays: number[], hours: number[],
 *   top_videos: { video_id: number, video_title: string, watched_seconds: number,
 *     plays: number }[],
 *   top_uploaders: { username: string, watched_seconds: number }[],
 *   devices: { device: string | null, watched_seconds: number }[],
 *   longest_streak_days: number, current_streak_days: number }} ViewingStatistics
 */

/**
 * A video for this viewer, and why: others who watched that video watched this one too, or it is
 * popular.
 * @typedef {VideoItem & { reason: { kind: "watched_together", video_id: number,
 *   video_title: string } | { kind: "popular" } }} Recommendation
 */

/** @param {import("../playhead.js").Connection} connection */
export function createLists({ exchange, request }) {
  /**
   * Reads one page of a list; `next` is the cursor of the page after it.
   * @param {string} path @param {AbortSignal} [signal]
   * @returns {Promise<Page<any>>}
   */
  async function requestPage(path, signal) {
    const { data, headers } = await exchange("GET", path, { signal });
    const target = /<[^>]*[?&]cursor=([^&>]+)[^>]*>\s*;[^,]*rel="?next"?/.exec(
      headers.get("link") ?? "",
    );
    return { items: data, next: target && decodeURIComponent(target[1]) };
  }

  return {
    /**
     * Reads what was begun and not finished, newest first, without what is hidden.
     * @param {number} [limit] 1 to 100
     * @param {{ maxAgeDays?: number, signal?: AbortSignal }} [options] `maxAgeDays`: last watched
     *   at most so long ago, 1 to 3650
     * @returns {Promise<ContinueItem[]>}
     */
    continueWatching(limit = 10, { maxAgeDays, signal } = {}) {
      const query = queryOf({ limit, max_age_days: maxAgeDays });
      return request("GET", `/videos/continue-watching${query}`, { signal });
    },

    /**
     * Reads the entries, last watched first; the completed ones last completed first.
     * - q: words of the title or description
     * - since, until: bounds of the time last watched
     * @param {PageOptions & { state?: "all" | "in_progress" | "completed", q?: string,
     *   since?: Time, until?: Time }} [options]
     * @returns {Promise<Page<HistoryItem>>}
     */
    history({ state, q, since, until, cursor, limit, signal } = {}) {
      const bounds = { since: timeOf(since), until: timeOf(until) };
      const query = queryOf({ state, q, ...bounds, cursor, limit });
      return requestPage(`/watch-history${query}`, signal);
    },

    /**
     * Reads the plays of all videos, or of one, last begun first.
     * @param {PageOptions & { since?: Time, until?: Time, videoId?: number | string }} [options]
     * @returns {Promise<Page<Play>>}
     */
    plays({ since, until, videoId, cursor, limit, signal } = {}) {
      const bounds = { since: timeOf(since), until: timeOf(until) };
      const query = queryOf({ ...bounds, video_id: videoId, cursor, limit });
      return requestPage(`/plays${query}`, signal);
    },

    /**
     * Reads the plays of one video, last begun first.
     * @param {number | string} videoId @param {PageOptions} [options]
     * @returns {Promise<Page<Play>>}
     */
    playsOf(videoId, { cursor, limit, signal } = {}) {
      const path = `${videoPath(videoId)}/plays${queryOf({ cursor, limit })}`;
      return requestPage(path, signal);
    },

    /** @returns {Promise<Preferences>} */
    preferences: () => request("GET", "/users/me/preferences"),

    /**
     * Reads what was watched, by default in the last 30 days in UTC.
     * - from, to: dates such as 2026-02-28, at most 366 days
     * - tz: an IANA time zone such as Asia/Seoul
     * @param {{ from?: string, to?: string, tz?: string }} [options]
     * @returns {Promise<ViewingStatistics>}
     */
    statistics: ({ from, to, tz } = {}) =>
      request("GET", `/users/me/statistics${queryOf({ from, to, tz })}`),

    /**
     * Reads videos that the viewer may like, the best first.
     * @param {number} [limit] 1 to 100 @returns {Promise<Recommendation[]>}
     * @throws {PlayheadError} "recommendations_off" until the viewer has switched them on
     */
    recommendations: (limit) => request("GET", `/videos/recommendations${queryOf({ limit })}`),
  };
}
