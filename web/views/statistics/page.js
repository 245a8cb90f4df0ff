import { describeError, playhead } from "../../api.js";
import { addDays, dayCount, dayOf, number, shortDate, timeWatched, timeZone } from "../../dates.js";
import { h } from "../../dom.js";
import { follow } from "../../follow.js";
import { language, t } from "../../i18n.js";
import { modeHint } from "../mode-hint.js";
import { notice } from "../notice.js";
import { section } from "../section.js";
import { barChart, ranking } from "./charts.js";

/** @typedef {import("../../app.js").Context} Context */
/** @typedef {import("../../app.js").View} View */
/** @typedef {import("../../playhead.js").ViewingStatistics} ViewingStatistics */
/** @typedef {import("./charts.js").Bar} Bar */

const RANGES = [7, 30, 90, 365];
const DEFAULT_RANGE = 30;
/** More bars than these would be too thin on a phone. */
const BAR_LIMIT = 90;
const WEEK = 7;

/** What the viewer watched, in numbers. @param {Context} context @returns {View} */
export function createPage({ query, settled, showMessage }) {
  const range = RANGES.find((days) => String(days) === query.get("days")) ?? DEFAULT_RANGE;
  const life = new AbortController();
  const body = h("div", { id: "statistics" });
  const root = h(
    "div",
    { class: "statistics" },
    h("h1", { tabindex: -1 }, t("statistics")),
    h("div", { class: "filters" }, ranges(range)),
    modeHint({ positions: t("nothingCounted"), off: t("nothingCounted") }, life.signal),
    body,
  );

  async function read() {
    body.replaceChildren(h("p", { class: "intro", role: "status" }, t("loading")));
    await settled; // the numbers are to contain the last save of the player
    const today = dayOf(new Date());
    const days = { from: addDays(today, 1 - range), to: today, tz: timeZone() };
    try {
      const statistics = await playhead.statistics(days);
      if (life.signal.aborted) return;
      showMessage("");
      body.replaceChildren(...(statistics.plays > 0 ? report(statistics) : [empty()]));
    } catch (error) {
      const text = describeError(error);
      if (life.signal.aborted) return;
      showMessage(text);
      const retry = h("button", { class: "button", type: "button", click: read }, t("tryAgain"));
      body.replaceChildren(notice(t("failed"), "", { level: "h2", action: retry }));
    }
  }

  void read();
  // The numbers are those of the moment, but what was deleted elsewhere is not to be seen here.
  void follow((event) => void (event.type === "cleared" && read()), life.signal);
  return { root, title: t("statistics"), leave: () => life.abort() };
}

/** @param {number} current */
function ranges(current) {
  const links = RANGES.map((days) =>
    h(
      "a",
      { href: `#/statistics?days=${days}`, "aria-current": days === current && "page" },
      dayCount(days),
    ),
  );
  return h("nav", { class: "tabs", "aria-label": t("rangeNav") }, ...links);
}

const empty = () => notice(t("noStatistics"), t("noStatisticsHint"), { level: "h2" });

/** @param {ViewingStatistics} statistics */
const report = (statistics) => [
  totals(statistics),
  // Charts of nothing would only be empty frames.
  ...(statistics.watched_seconds > 0 ? charts(statistics) : []),
];

/** @param {ViewingStatistics} statistics */
const charts = (statistics) => [
  section("by-day", t("byDay"), daysChart(statistics.days)),
  h(
    "div",
    { class: "side-by-side" },
    section("by-weekday", t("byWeekday"), weekdaysChart(statistics.weekdays)),
    section("by-hour", t("byHour"), hoursChart(statistics.hours)),
  ),
  section("top-videos", t("topVideos"), ranking(statistics.top_videos.map(videoBar))),
  h(
    "div",
    { class: "side-by-side" },
    section(
      "top-uploaders",
      t("topUploaders"),
      ranking(statistics.top_uploaders.map((item) => timeBar(item.username, item.watched_seconds))),
    ),
    section(
      "devices",
      t("devices"),
      ranking(
        statistics.devices.map((item) =>
          timeBar(item.device ?? t("unknownDevice"), item.watched_seconds),
        ),
      ),
    ),
  ),
];

/** @param {ViewingStatistics} statistics */
function totals(statistics) {
  /** @type {[string, string, string][]} */
  const details = [
    ["watched", t("totalWatched"), timeWatched(statistics.watched_seconds)],
    ["plays", t("plays"), number(statistics.plays)],
    ["started", t("totalStarted"), number(statistics.videos_started)],
    ["completed", t("totalCompleted"), number(statistics.videos_completed)],
    ["current-streak", t("currentStreak"), dayCount(statistics.current_streak_days)],
    ["longest-streak", t("longestStreak"), dayCount(statistics.longest_streak_days)],
  ];
  const tiles = details.map(([id, name, value]) =>
    h("div", { "data-total": id }, h("dt", {}, name), h("dd", {}, value)),
  );
  return h("dl", { class: "totals" }, ...tiles);
}

/** Bars of days, or of weeks in a long range. @param {ViewingStatistics["days"]} days */
function daysChart(days) {
  const size = days.length > BAR_LIMIT ? WEEK : 1;
  /** @type {Bar[]} */
  const bars = [];
  // Counted from the end, so that the last week is a whole one.
  for (let end = days.length; end > 0; end -= size) {
    const group = days.slice(Math.max(0, end - size), end);
    const seconds = group.reduce((sum, day) => sum + day.watched_seconds, 0);
    const [first, last] = [group[0].date, group[group.length - 1].date].map(shortDate);
    bars.unshift(timeBar(first === last ? first : t("fromTo", { from: first, to: last }), seconds));
  }
  const middle = days[Math.floor(days.length / 2)].date;
  const axis = [days[0].date, middle, days[days.length - 1].date].map(shortDate);
  return barChart(t("byDay"), bars, { axis });
}

/** @param {number[]} seconds Monday first */
function weekdaysChart(seconds) {
  const name = (/** @type {"long" | "short"} */ weekday, /** @type {number} */ index) =>
    // The first of January 2024 was a Monday.
    new Intl.DateTimeFormat(language, { weekday }).format(new Date(2024, 0, 1 + index));
  const bars = seconds.map((value, index) => timeBar(name("long", index), value));
  const axis = seconds.map((_, index) => name("short", index));
  return barChart(t("byWeekday"), bars, { axis, isEven: true });
}

/** @param {number[]} seconds */
function hoursChart(seconds) {
  const name = (/** @type {number} */ hour) =>
    new Intl.DateTimeFormat(language, { hour: "numeric" }).format(new Date(2024, 0, 1, hour));
  const bars = seconds.map((value, hour) => timeBar(name(hour), value));
  return barChart(t("byHour"), bars, { axis: [0, 6, 12, 18].map(name), isEven: true });
}

/** @param {string} label @param {number} value seconds @returns {Bar} */
const timeBar = (label, value) => ({ label, value, text: timeWatched(value) });

/** @param {ViewingStatistics["top_videos"][number]} video */
const videoBar = (video) => ({
  ...timeBar(video.video_title, video.watched_seconds),
  href: `#/videos/${video.video_id}`,
});
