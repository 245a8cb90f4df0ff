import { describeError, listVideos, playhead, Problem, readVideos } from "../api.js";
import { h } from "../dom.js";
import { follow } from "../follow.js";
import { t } from "../i18n.js";
import * as session from "../session.js";
import { alsoWatchedShelf } from "./also-watched.js";
import { card, updatePoster } from "./card.js";
import { cardActions } from "./card-actions.js";
import { continueShelf } from "./continue.js";
import { undoBar } from "./history/undo.js";
import { notice } from "./notice.js";
import { section } from "./section.js";

const PAGE_SIZE = 24;
/** How many of the videos that were completed last are marked. */
const WATCHED_SIZE = 100;
/** The most videos of a page. */
const MOST_VIDEOS = 100;

/** @typedef {import("../api.js").Video} Video */
/** @typedef {import("../playhead.js").ContinueItem} ContinueItem */
/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../follow.js").LiveEvent} LiveEvent */
/** @typedef {import("./card.js").CardData} CardData */

/** @param {import("../app.js").Context} context @returns {import("../app.js").View} */
export function libraryView({ query, settled, showMessage }) {
  const words = query.get("q") ?? "";
  const title = words ? t("resultsFor", { query: words }) : t("library");
  const heading = h("h1", { tabindex: -1 }, title);
  const intro = h("p", { class: "intro" });
  const shelf = alsoWatchedShelf();
  const grid = h("ul", { class: "grid", role: "list" });
  const empty = h("div", {}, h("p", { class: "intro", role: "status" }, t("loading")));
  const more = h(
    "button",
    { id: "load-more", class: "button", type: "button", hidden: true, click: loadMore },
    t("loadMore"),
  );
  const done = undoBar(attempt);
  const library = section("library", t(words ? "videos" : "allVideos"), grid, empty, more);
  const life = new AbortController();
  const begun = continueShelf({
    cardOf,
    afterwards: heading,
    signal: life.signal,
    onRead(items) {
      continued = items;
      showContinued();
    },
  });
  const root = h("div", {}, heading, intro, begun.root, shelf.root, library, done.root);
  /** @type {Map<number, { item: HTMLLIElement, data: CardData }>} The cards of the grid. */
  const cards = new Map();
  /** @type {ContinueItem[]} */
  let continued = [];
  /** @type {Set<number>} The videos that were watched to their end. */
  let watched = new Set();
  const cardContext = { attempt, announce: done.show, changed, signal: life.signal };
  let round = 0; // an answer to an earlier round is ignored
  let isFollowing = false;
  let isInStep = false; // whether the connection has begun
  /** @type {string | null} */
  let next = null;

  async function refresh() {
    const thisRound = ++round;
    intro.textContent = words ? "" : t(session.user() ? "libraryIntro" : "libraryIntroVisitor");
    intro.hidden = Boolean(words);
    // The lists are to contain the last save of the previous view.
    await settled;
    const [page] = await Promise.all([
      withMessage(listVideos(words, PAGE_SIZE)),
      refreshContinue(),
    ]);
    if (thisRound !== round || !page) return;
    cards.clear();
    grid.replaceChildren();
    add(page);
    empty.replaceChildren(...(page.videos.length > 0 ? [] : [emptyNotice(words)]));
    // The list is painted first; the rest must not delay it.
    requestAnimationFrame(() => setTimeout(refreshRest));
    if (!isFollowing) void follow(hear, life.signal);
    isFollowing = true;
  }

  async function refreshRest() {
    if (!words) void shelf.refresh();
    const user = session.user();
    if (!user) return;
    const options = { state: /** @type {const} */ ("completed"), limit: WATCHED_SIZE };
    const page = await playhead.history(options).catch(() => null);
    if (!page || session.user()?.id !== user.id || life.signal.aborted) return;
    watched = new Set(page.items.map(({ video_id }) => video_id));
    for (const id of watched) update(id, { isWatched: true });
  }

  /**
   * Shows a change on the card in the grid.
   * @param {number} id @param {Partial<CardData>} changes
   */
  function update(id, changes) {
    const shown = cards.get(id);
    if (!shown) return;
    const before = JSON.stringify(shown.data);
    Object.assign(shown.data, changes);
    if (JSON.stringify(shown.data) !== before) updatePoster(shown.item, shown.data);
  }

  /** @param {number} id @param {Entry | null} entry */
  function showEntry(id, entry) {
    const isWatched = (entry?.play_count ?? 0) > 0;
    if (isWatched) watched.add(id);
    else watched.delete(id);
    shelf.follow(id, entry);
    const position = entry?.resume_at;
    update(id, { progress: entry?.progress_percentage ?? null, position, isWatched });
  }

  /** @param {number} id @param {Entry | null} entry */
  function changed(id, entry) {
    showEntry(id, entry);
    void refreshContinue();
  }

  /** Shows anew how far the viewer got, without a change of the grid. */
  async function reread() {
    void refreshContinue();
    const limit = Math.min(Math.max(PAGE_SIZE, cards.size), MOST_VIDEOS);
    const page = await listVideos(words, limit).catch(() => null);
    if (!page || life.signal.aborted) return;
    watched = new Set();
    for (const { id, watch_progress: progress = null } of page.videos)
      update(id, { progress, isWatched: (progress ?? 0) >= 100 });
    await refreshRest();
  }

  /** What other devices do. @param {LiveEvent} event */
  function hear(event) {
    // When the connection begins, the lists have just been read.
    if (event.type === "resync" && !isInStep) void refreshContinue();
    else if (event.type === "cleared" || event.type === "resync") void reread();
    isInStep ||= event.type === "resync";
    if (event.type !== "entry") return;
    showEntry(event.videoId, event.entry);
    if (!words) begun.follow(event.videoId, event.entry);
  }

  /** A search has no shelf. */
  const refreshContinue = async () => void (words || (await begun.refresh()));

  /** Shows on the cards of the grid, too, how far the viewer got. */
  function showContinued() {
    for (const { video_id, progress_percentage, resume_at } of continued) {
      update(video_id, { progress: progress_percentage, position: resume_at });
    }
  }

  async function loadMore() {
    if (!next) return;
    const thisRound = round;
    more.disabled = true;
    const page = await withMessage(readVideos(next));
    more.disabled = false;
    if (thisRound !== round || !page) return;
    const first = add(page);
    first?.querySelector("a")?.focus();
  }

  /**
   * @param {{ videos: Video[], next: string | null }} page
   * @returns {HTMLElement | undefined} the first new card
   */
  function add(page) {
    const added = page.videos.map((video) => {
      const shown = cardOf(fromVideo(video, watched.has(video.id)));
      cards.set(video.id, shown);
      return shown.item;
    });
    grid.append(...added);
    showContinued();
    next = page.next;
    more.hidden = !next;
    return added[0];
  }

  /** @param {CardData} data */
  function cardOf(data) {
    const actions = session.user() ? () => cardActions(data, cardContext) : undefined;
    return { item: card(data, actions), data };
  }

  /** @template T @param {() => Promise<T>} task @returns {Promise<T | null>} null after an error */
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

  /**
   * Shows an error of the server as a message.
   * @template T @param {Promise<T>} task @returns {Promise<T | null>} null after an error
   */
  async function withMessage(task) {
    try {
      const result = await task;
      showMessage("");
      return result;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (life.signal.aborted) return null;
      showMessage(error.message || t("unreachable"));
      const retry = h("button", { class: "button", type: "button", click: refresh }, t("tryAgain"));
      if (!grid.firstChild)
        empty.replaceChildren(notice(t("failed"), "", { level: "h2", action: retry }));
      return null;
    }
  }

  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "visible" && refreshContinue(),
    { signal: life.signal },
  );
  void refresh();

  return {
    root,
    title: words ? title : "",
    leave() {
      round++;
      life.abort();
    },
    sessionChanged() {
      begun.clear();
      continued = [];
      watched = new Set();
      shelf.clear();
      void refresh();
    },
  };
}

/** @param {string} words the search, empty for none */
function emptyNotice(words) {
  if (words) {
    const all = h("a", { class: "button", href: "#/" }, t("showAll"));
    return notice(t("noResults"), t("noResultsHint", { query: words }), {
      level: "h2",
      action: all,
    });
  }
  if (!session.user()) {
    const create = h("a", { class: "button primary", href: "#/sign-up" }, t("createAccount"));
    return notice(t("noVideos"), t("noVideosVisitor"), { level: "h2", action: create });
  }
  const hint = h(
    "span",
    {},
    t("noVideosBefore"),
    h("code", {}, "playhead scan"),
    t("noVideosAfter"),
  );
  return notice(t("noVideos"), hint, { level: "h2", action: null });
}

/** @param {Video} video @param {boolean} isWatched @returns {CardData} */
const fromVideo = (video, isWatched) => ({
  id: video.id,
  title: video.title,
  uploader: video.uploader_username,
  duration: video.duration,
  thumbnail: video.thumbnail_path,
  progress: video.watch_progress ?? null,
  isWatched: isWatched || (video.watch_progress ?? 0) >= 100,
});
