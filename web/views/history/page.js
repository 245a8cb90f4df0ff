import { describeError, playhead } from "../../api.js";
import { h } from "../../dom.js";
import { t } from "../../i18n.js";
import { modeHint } from "../mode-hint.js";
import { notice } from "../notice.js";
import { selectionBar } from "./bulk.js";
import { askToClear } from "./clear.js";
import { dayLists } from "./days.js";
import { followHistory } from "./follow.js";
import { createRow } from "./row.js";
import { undoBar } from "./undo.js";

/** @typedef {import("../../app.js").Context} Context */
/** @typedef {import("../../app.js").View} View */
/** @typedef {import("../../playhead.js").HistoryItem} HistoryItem */
/** @typedef {"all" | "in_progress" | "completed"} HistoryState */
/** @typedef {import("./row.js").Row} Row */

const PAGE_SIZE = 30;

/**
 * What a row of the history may use.
 * - attempt: runs a task, whose error becomes the message; null after an error
 * - announce: says what was done, with a way back if there is one
 * - remove: takes the row off the list
 * - timeOf: the time that the list is sorted by
 * @typedef {object} RowContext
 * @property {<T>(task: () => Promise<T>) => Promise<T | null>} attempt
 * @property {(text: string, undo?: () => Promise<void>) => void} announce
 * @property {(row: Row) => void} remove
 * @property {(item: HistoryItem) => string} timeOf
 * @property {AbortSignal} signal aborted when the page is left
 */

/** The history by days. @param {Context} context @returns {View} */
export function createPage({ query, settled, showMessage }) {
  const words = query.get("q") ?? "";
  const state = /** @type {HistoryState} */ (
    ["in_progress", "completed"].find((name) => name === query.get("state")) ?? "all"
  );
  const heading = h("h1", { tabindex: -1 }, t("history"));
  const status = h("div", {}, h("p", { class: "intro", role: "status" }, t("loading")));
  const more = h(
    "button",
    { id: "load-more", class: "button", type: "button", hidden: true, click: loadMore },
    t("loadMore"),
  );
  const life = new AbortController();
  const bar = undoBar(attempt);
  /** @type {Map<number, Row>} */
  const rows = new Map();
  const days = dayLists(rows, timeOf);
  /** @type {string | null} */
  let next = null;
  let round = 0; // an answer to an earlier round is ignored

  const bulk = selectionBar({ rows, attempt, reload, announce: bar.show, signal: life.signal });
  const clear = h(
    "button",
    { id: "clear-history", class: "button", type: "button", click: clearAll },
    t("clearHistory"),
  );
  const root = h(
    "div",
    { class: "history" },
    h("div", { class: "title-row" }, heading, h("div", { class: "actions" }, bulk.toggle, clear)),
    h("div", { class: "filters" }, tabs(state, words), searchForm(state, words)),
    modeHint({ off: t("historyOff") }, life.signal),
    days.root,
    status,
    more,
    bulk.root,
    bar.root,
  );

  /** @type {RowContext} */
  const rowContext = { attempt, announce: bar.show, remove, timeOf, signal: life.signal };

  async function reload() {
    const thisRound = ++round;
    await settled; // the list is to contain the last save of the player
    const page = await attempt(() => read(null));
    if (thisRound !== round) return;
    if (!page) return void (rows.size === 0 && showFailure());
    rows.clear();
    days.clear();
    add(page);
    showWhetherEmpty();
  }

  /** @param {string | null} cursor */
  const read = (cursor) => playhead.history({ state, q: words, cursor, limit: PAGE_SIZE });

  async function loadMore() {
    const thisRound = round;
    more.disabled = true;
    const page = await attempt(() => read(next));
    more.disabled = false;
    if (thisRound === round && page) add(page)?.focus();
  }

  /**
   * @param {{ items: HistoryItem[], next: string | null }} page
   * @returns {Row | undefined} the first new row
   */
  function add(page) {
    const added = page.items.filter((item) => !rows.has(item.video_id)).map(show);
    next = page.next;
    more.hidden = !next;
    bulk.update();
    return added[0];
  }

  /** Shows an item, in a new row if it has none. @param {HistoryItem} item @returns {Row} */
  function show(item) {
    const row = rows.get(item.video_id) ?? createRow(item, rowContext);
    if (rows.has(item.video_id)) row.update(item);
    rows.set(item.video_id, row);
    days.place(row);
    return row;
  }

  /** Shows what other devices have changed since the list was read. */
  async function merge() {
    const thisRound = round;
    const page = await read(null).catch(() => null);
    if (!page || thisRound !== round) return;
    const isShown = (/** @type {HistoryItem} */ { video_id, updated_at }) =>
      rows.get(video_id)?.entry().updated_at === updated_at;
    page.items.filter((item) => !isShown(item)).forEach(show);
    updateAround();
  }

  /** There are more rows, or fewer. */
  function updateAround() {
    bulk.update();
    showWhetherEmpty();
  }

  /** @param {HistoryItem} item */
  function timeOf({ completed_at, last_watched_at }) {
    return (state === "completed" && completed_at) || last_watched_at;
  }

  /** @param {Row} row */
  function remove(row) {
    const neighbour = days.neighbourOf(row);
    drop(row);
    if (neighbour) neighbour.focus();
    else heading.focus();
  }

  /** @param {Row} row */
  function drop(row) {
    rows.delete(row.videoId());
    days.remove(row);
    updateAround();
  }

  const followed = {
    state,
    words,
    rows,
    merge,
    reload,
    signal: life.signal,
    /** @param {HistoryItem} item */
    show(item) {
      show(item);
      updateAround();
    },
    /** @param {Row} row */
    remove: (row) => (row.root.contains(document.activeElement) ? remove(row) : drop(row)),
  };

  async function clearAll() {
    const deleted = await askToClear({ attempt, signal: life.signal });
    if (deleted === null) return;
    await reload();
    bar.show(t("cleared", { count: deleted }));
  }

  /** @template T @param {() => Promise<T>} task @returns {Promise<T | null>} */
  async function attempt(task) {
    try {
      const result = await task();
      if (!life.signal.aborted) showMessage("");
      return result;
    } catch (error) {
      const text = describeError(error);
      if (!life.signal.aborted) showMessage(text);
      return null;
    }
  }

  function showWhetherEmpty() {
    const isEmpty = rows.size === 0 && !next;
    status.replaceChildren(...(isEmpty ? [emptyNotice(state, words)] : []));
    bulk.toggle.hidden = clear.hidden = isEmpty && state === "all" && !words;
    if (rows.size === 0 && next) void loadMore();
  }

  function showFailure() {
    const retry = h("button", { class: "button", type: "button", click: reload }, t("tryAgain"));
    status.replaceChildren(notice(t("failed"), "", { level: "h2", action: retry }));
  }

  void reload().then(() => followHistory(followed));
  return {
    root,
    title: t("history"),
    leave() {
      round++;
      life.abort();
    },
  };
}

/** @param {HistoryState} state @param {string} words */
function address(state, words) {
  const parameters = new URLSearchParams();
  if (state !== "all") parameters.set("state", state);
  if (words) parameters.set("q", words);
  return parameters.size > 0 ? `#/history?${parameters}` : "#/history";
}

/** @param {HistoryState} current @param {string} words */
function tabs(current, words) {
  /** @type {[HistoryState, string][]} */
  const states = [
    ["all", t("stateAll")],
    ["in_progress", t("stateInProgress")],
    ["completed", t("stateCompleted")],
  ];
  const links = states.map(([state, text]) =>
    h("a", { href: address(state, words), "aria-current": state === current && "page" }, text),
  );
  return h("nav", { class: "tabs", "aria-label": t("historyTabs") }, ...links);
}

/** @param {HistoryState} state @param {string} words */
function searchForm(state, words) {
  const field = h("input", {
    type: "search",
    id: "history-search",
    value: words,
    placeholder: t("searchHistory"),
    autocomplete: "off",
    maxlength: 200,
  });
  // An emptied field ends the search without Enter.
  field.addEventListener("input", () => field.value === "" && words && submit());

  /** @param {Event} [event] */
  function submit(event) {
    event?.preventDefault();
    location.hash = address(state, field.value.trim());
  }

  const label = h("label", { class: "sr-only", for: "history-search" }, t("searchHistory"));
  return h(
    "form",
    { class: "history-search", role: "search", "aria-label": t("searchHistory"), submit },
    label,
    field,
  );
}

/** @param {HistoryState} state @param {string} words */
function emptyNotice(state, words) {
  if (words) {
    const all = h("a", { class: "button", href: address(state, "") }, t("showAllHistory"));
    const hint = t("noResultsHint", { query: words });
    return notice(t("noResults"), hint, { level: "h2", action: all });
  }
  const title = { all: "noHistory", in_progress: "noInProgress", completed: "noCompleted" }[state];
  return notice(t(/** @type {import("../../i18n.js").Message} */ (title)), t("noHistoryHint"), {
    level: "h2",
  });
}
