/** Days and times in the viewer's time zone and language. A day is written as "2026-11-30". */
import { language, t } from "./i18n.js";

/** @param {Date} date */
export function dayOf(date) {
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${date.getFullYear()}-${month}-${day}`;
}

/** The moment at which a day begins. @param {string} day */
export function startOf(day) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date);
}

/** @param {string} day @param {number} days */
export function addDays(day, days) {
  const date = startOf(day);
  date.setDate(date.getDate() + days);
  return dayOf(date);
}

/** "Today", "Yesterday", or the date. @param {string} day @param {string} [today] */
export function dayName(day, today = dayOf(new Date())) {
  if (day === today) return t("today");
  if (day === addDays(today, -1)) return t("yesterday");
  const isThisYear = day.slice(0, 4) === today.slice(0, 4);
  return format(day, {
    weekday: "long",
    month: "long",
    day: "numeric",
    year: isThisYear ? undefined : "numeric",
  });
}

/** A date in few letters. @param {string} day */
export const shortDate = (day) => format(day, { month: "short", day: "numeric" });

/** @param {string} day @param {Intl.DateTimeFormatOptions} options */
const format = (day, options) => new Intl.DateTimeFormat(language, options).format(startOf(day));

/** @param {string} time RFC 3339 */
export const timeOfDay = (time) =>
  new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(new Date(time));

/** @param {string} time RFC 3339 */
export const dateAndTime = (time) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(time),
  );

/** 45 is "45 sec", 3 723 is "1 hr, 2 min". @param {number} seconds */
export function timeWatched(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return unit(seconds, "second");
  if (minutes < 60) return unit(minutes, "minute");
  const hours = unit(Math.floor(minutes / 60), "hour");
  return minutes % 60 === 0 ? hours : `${hours} ${unit(minutes % 60, "minute")}`;
}

/** 2 is "2 days". @param {number} days */
export const dayCount = (days) => unit(days, "day", "long");

/**
 * @param {number} value @param {string} name of the unit
 * @param {"short" | "long"} [unitDisplay]
 */
const unit = (value, name, unitDisplay = "short") =>
  new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay }).format(value);

/** @param {number} value */
export const number = (value) => new Intl.NumberFormat(language).format(value);

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
