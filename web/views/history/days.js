import { dayName, dayOf } from "../../dates.js";
import { h } from "../../dom.js";

/** @typedef {import("../../playhead.js").HistoryItem} HistoryItem */
/** @typedef {import("./row.js").Row} Row */

/**
 * The rows of the history below their days, the newest first.
 * @param {Map<number, Row>} rows
 * @param {(item: HistoryItem) => string} timeOf the time that the rows are sorted by
 */
export function dayLists(rows, timeOf) {
  const root = h("div", { id: "history-days" });

  /** The list of a day. @param {string} day */
  function listOf(day) {
    const sections = [...root.children].filter((child) => child instanceof HTMLElement);
    const found = sections.find(({ dataset }) => dataset.day === day);
    if (found) return /** @type {HTMLElement} */ (found.querySelector("ul"));
    const list = h("ul", { class: "rows", role: "list" });
    const id = `day-${day}`;
    const heading = h("h2", { id }, dayName(day));
    const section = h("section", { "data-day": day, "aria-labelledby": id }, heading, list);
    root.insertBefore(section, sections.find(({ dataset }) => (dataset.day ?? "") < day) ?? null);
    return list;
  }

  /** @param {Element} item */
  const rowOf = (item) =>
    item instanceof HTMLElement ? rows.get(Number(item.dataset.videoId)) : undefined;

  /** @param {Element} item @param {string} time */
  function isBefore(item, time) {
    const row = rowOf(item);
    return row !== undefined && timeOf(row.entry()) < time;
  }

  /** Puts a row where it belongs, if it is elsewhere. @param {Row} row */
  function place(row) {
    const time = timeOf(row.entry());
    const before = row.root.closest("section");
    const list = listOf(dayOf(new Date(time)));
    const others = [...list.children].filter((item) => item !== row.root);
    const next = others.find((item) => isBefore(item, time)) ?? null;
    if (row.root.parentElement === list && row.root.nextElementSibling === next) return;
    const focused = document.activeElement;
    const isFocused = row.root.contains(focused);
    list.insertBefore(row.root, next);
    // An element that is moved loses the focus.
    if (isFocused && focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    removeIfEmpty(before);
  }

  /** The row after this one, or before it. @param {Row} row @returns {Row | undefined} */
  function neighbourOf(row) {
    const items = [...root.querySelectorAll("[data-video-id].row")];
    const at = items.indexOf(row.root);
    const neighbour = items[at + 1] ?? items[at - 1];
    return neighbour && rowOf(neighbour);
  }

  /** @param {Row} row */
  function remove(row) {
    const section = row.root.closest("section");
    row.root.remove();
    removeIfEmpty(section);
  }

  /** @param {Element | null} section */
  function removeIfEmpty(section) {
    if (!section?.querySelector("li")) section?.remove();
  }

  return { root, place, neighbourOf, remove, clear: () => root.replaceChildren() };
}
