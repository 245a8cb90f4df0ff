/**
 * The viewer's history, statistics and preferences. All functions reject with a `Problem`.
 *
 * Positions are in seconds.
 * @typedef {import("./api.js").Video} Video
 * @typedef {{ position: number, device: string | null, at: string }} Place
 * @typedef {import("./playhead.js").Entry & { hidden: boolean, previous: Place | null }} Entry
 * @typedef {Entry & { video: Video }} HistoryItem
 * @typedef {{ id: number, video_id: number, video_title: string, device: string | null,
 *   started_at: string, ended_at: string, start_position: number, end_position: number,
 *   watched_seconds: number, completed: boolean }} Play
 * @typedef {"all" | "in_progress" | "completed"} HistoryState
 *
 * - history: "positions" keeps where the viewer stopped, "off" nothing
 * - retention_days: null for ever
 * @typedef {{ history: "on" | "positions" | "off", retention_days: number | null,
 *   recommendations: boolean }} Preferences
 *
 * @typedef {{ from: string, to: string, tz: string, watched_seconds: number, plays: number,
 *   videos_started: number, videos_completed: number,
 *   days: { date: string, watched_seconds: number, plays: number, completed: number }[],
 *   weekdays: number[], hours: number[],
 *   top_videos: { video_id: number, video_title: string, watched_seconds: number,
 *     plays: number }[],
 *   top_uploaders: { username: string, watched_seconds: number }[],
 *   devices: { device: string | null, watched_seconds: number }[],
 *   longest_streak_days: number, current_streak_days: number }} Statistics
 *
 * @typedef {Video & { reason: { kind: "watched_together", video_id: number, video_title: string }
 *   | { kind: "popular" } }} Recommendation
 */
import { readPage, request } from "./api.js";

const HISTORY = "/api/v1/watch-history";
/** The most videos that one request marks or forgets. */
const BULK_LIMIT = 500;
const COUNT_PAGE = 100;

/** @param {number} videoId @param {string} what */
const ofVideo = (videoId, what) => `/api/v1/videos/${videoId}/${what}`;

/** @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>} */
const send = async (method, path, body) => (await request(path, { method, body, auth: true })).data;

/**
 * The path of the first page of the history.
 * @param {{ state?: HistoryState, words?: string, until?: Date | null, limit: number }} list
 *   `until`: only what was last watched before
 */
export function historyPath({ state = "all", words = "", until = null, limit }) {
  const parameters = new URLSearchParams({ state, limit: String(limit) });
  if (words) parameters.set("q", words);
  if (until) parameters.set("until", until.toISOString());
  return `${HISTORY}?${parameters}`;
}

/**
 * Counts the entries that were last watched before a time, or all.
 * @param {Date | null} until @param {number} most where to stop, a multiple of 100
 * @returns {Promise<{ count: number, hasMore: boolean }>}
 */
export async function countHistory(until, most) {
  let count = 0;
  /** @type {string | null} */
  let path = historyPath({ until, limit: COUNT_PAGE });
  while (path && count < most) {
    const { items, next } = await readPage(path);
    count += items.length;
    path = next;
  }
  return { count, hasMore: path !== null };
}

/** @param {number} videoId @returns {Promise<Entry>} */
export const hide = (videoId) => send("PUT", ofVideo(videoId, "watch-history/hidden"), {});

/** @param {number} videoId @returns {Promise<Entry>} */
export const unhide = (videoId) => send("DELETE", ofVideo(videoId, "watch-history/hidden"));

/** @param {number} videoId @returns {Promise<Entry>} */
export const readEntry = (videoId) => send("GET", ofVideo(videoId, "watch-history"));

/**
 * @param {number} videoId @param {string | null} [watchedAt] now by default
 * @returns {Promise<Entry>}
 */
export const mark = (videoId, watchedAt) =>
  send("PUT", ofVideo(videoId, "watched"), watchedAt ? { watched_at: watchedAt } : {});

/** @param {number} videoId @returns {Promise<Entry>} */
export const unmark = (videoId) => send("DELETE", ofVideo(videoId, "watched"));

/** Goes back to the previous position. @param {number} videoId @returns {Promise<Entry>} */
export const undo = (videoId) => send("POST", ofVideo(videoId, "watch-history/undo"));

/** @param {number[]} videoIds @param {boolean} watched */
export const markMany = (videoIds, watched) =>
  inParts(videoIds, (video_ids) => send("POST", `${HISTORY}/mark`, { video_ids, watched }));

/** @param {number[]} videoIds */
export const forgetMany = (videoIds) =>
  inParts(videoIds, (video_ids) => send("POST", `${HISTORY}/forget`, { video_ids }));

/** @param {number[]} videoIds @param {(part: number[]) => Promise<unknown>} task */
async function inParts(videoIds, task) {
  for (let start = 0; start < videoIds.length; start += BULK_LIMIT)
    await task(videoIds.slice(start, start + BULK_LIMIT));
}

/**
 * Deletes the entries that were last watched before a time, or all.
 * @param {Date | null} before @returns {Promise<{ deleted: number }>}
 */
export const clearHistory = (before) =>
  send(
    "DELETE",
    before ? `${HISTORY}?${new URLSearchParams({ before: before.toISOString() })}` : HISTORY,
  );

/** @param {number} videoId @param {number} limit */
export const playsPath = (videoId, limit) => `${ofVideo(videoId, "plays")}?limit=${limit}`;

/** Makes the end of a play the position. @param {number} id @returns {Promise<Entry>} */
export const resumePlay = (id) => send("POST", `/api/v1/plays/${id}/resume`);

/** @param {number} id @returns {Promise<void>} */
export const deletePlay = (id) => send("DELETE", `/api/v1/plays/${id}`);

/**
 * @param {{ from: string, to: string, tz: string }} range days, the last one included
 * @returns {Promise<Statistics>}
 */
export const readStatistics = (range) =>
  send("GET", `/api/v1/users/me/statistics?${new URLSearchParams(range)}`);

const PREFERENCES = "/api/v1/users/me/preferences";

/** @returns {Promise<Preferences>} */
export const readPreferences = () => send("GET", PREFERENCES);

/** @param {Partial<Preferences>} change @returns {Promise<Preferences>} */
export const changePreferences = (change) => send("PATCH", PREFERENCES, change);

/**
 * Videos that the viewer may like; empty while recommendations are off.
 * @param {number} limit @returns {Promise<Recommendation[]>}
 */
export const readRecommendations = (limit) =>
  send("GET", `/api/v1/videos/recommendations?limit=${limit}`).catch((problem) => {
    if (problem.status === 403) return [];
    throw problem;
  });
