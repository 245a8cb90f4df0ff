import { listVideos, playhead, Problem, videosAt } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import * as session from "../session.js";
import { card, setProgress } from "./card.js";
import { notice } from "./notice.js";

const PAGE_SIZE = 24;
const CONTINUE_SIZE = 6;

/** @typedef {import("../api.js").Video} Video */

/** @param {import("../app.js").Context} context @returns {import("../app.js").View} */
export function libraryView({ query, settled, showMessage }) {
  const words = query.get("q") ?? "";
  const title = words ? t("resultsFor", { query: words }) : t("library");
  const lede = h("p", { class: "lede" });
  const begun = h("ul", { class: "rail", role: "list" });
  const shelf = section("continue-watching", t("continueWatching"), begun);
  shelf.hidden = true;
  const grid = h("ul", { class: "grid", role: "list" });
  const empty = h("div", {}, h("p", { class: "lede", role: "status" }, t("loading")));
  const more = h("button", { id: "load-more", class: "button", type: "button", hidden: true, click: loadMore }, t("loadMore"));
  const library = section("library", t(words ? "videos" : "allVideos"), grid, empty, more);
  const root = h("div", {}, h("h1", { tabindex: -1 }, title), lede, shelf, library);
  const life = new AbortController();
  let round = 0; // answers to an older round are no longer wanted
  /** @type {string | null} */
  let next = null;

  async function refresh() {
    const mine = ++round;
    lede.textContent = words ? "" : t(session.user() ? "libraryLede" : "libraryLedeVisitor");
    lede.hidden = Boolean(words);
    // The last save of the player that we come from has to be in what we ask for.
    await settled;
    const [page] = await Promise.all([attempt(listVideos(words, PAGE_SIZE)), refreshBegun()]);
    if (mine !== round || !page) return;
    grid.replaceChildren();
    add(page);
    empty.replaceChildren(...(page.videos.length > 0 ? [] : [emptyNotice(words)]));
  }

  async function refreshBegun() {
    const user = session.user();
    const items = user && !words ? await playhead.continueWatching(CONTINUE_SIZE).catch(() => null) : [];
    // Without an answer the list stays as it is, unless it is somebody else's.
    if (session.user()?.id !== user?.id || !items || life.signal.aborted) return;
    begun.replaceChildren(...items.map((item) => card(fromItem(item))));
    shelf.hidden = items.length === 0;
    for (const { video_id, progress_percentage } of items) {
      const link = grid.querySelector(`[data-video-id="${video_id}"]`);
      if (link instanceof HTMLElement) setProgress(link, progress_percentage);
    }
  }

  async function loadMore() {
    if (!next) return;
    const mine = round;
    more.disabled = true;
    const page = await attempt(videosAt(next));
    more.disabled = false;
    if (mine !== round || !page) return;
    const first = add(page);
    first?.querySelector("a")?.focus();
  }

  /** @param {{ videos: Video[], next: string | null }} page @returns {HTMLElement | undefined} the first new card */
  function add(page) {
    const cards = page.videos.map((video) => card(fromVideo(video)));
    grid.append(...cards);
    next = page.next;
    more.hidden = !next;
    return cards[0];
  }

  /** @template T @param {Promise<T>} work @returns {Promise<T | null>} */
  async function attempt(work) {
    try {
      const result = await work;
      showMessage("");
      return result;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (life.signal.aborted) return null;
      showMessage(error.message || t("unreachable"));
      const retry = h("button", { class: "button", type: "button", click: refresh }, t("tryAgain"));
      if (!grid.firstChild) empty.replaceChildren(notice(t("failed"), "", { level: "h2", action: retry }));
      return null;
    }
  }

  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refreshBegun(), {
    signal: life.signal,
  });
  void refresh();

  return {
    root,
    title: words ? title : "",
    leave() {
      round++;
      life.abort();
    },
    sessionChanged() {
      begun.replaceChildren();
      shelf.hidden = true;
      void refresh();
    },
  };
}

/** @param {string} id @param {string} title @param {...HTMLElement} children */
function section(id, title, ...children) {
  const heading = h("h2", { id: `${id}-heading` }, title);
  return h("section", { id, "aria-labelledby": `${id}-heading` }, heading, ...children);
}

/** @param {string} words what was searched for */
function emptyNotice(words) {
  if (words) {
    const all = h("a", { class: "button", href: "#/" }, t("showAll"));
    return notice(t("noResults"), t("noResultsHint", { query: words }), { level: "h2", action: all });
  }
  if (!session.user()) {
    const create = h("a", { class: "button primary", href: "#/sign-up" }, t("createAccount"));
    return notice(t("noVideos"), t("noVideosVisitor"), { level: "h2", action: create });
  }
  const hint = h("span", {}, t("noVideosBefore"), h("code", {}, "playhead scan"), t("noVideosAfter"));
  return notice(t("noVideos"), hint, { level: "h2", action: null });
}

/** @param {Video} video @returns {import("./card.js").CardData} */
const fromVideo = (video) => ({
  id: video.id,
  title: video.title,
  uploader: video.uploader_username,
  duration: video.duration,
  thumbnail: video.thumbnail_path,
  progress: video.watch_progress ?? null,
});

/** @param {import("../playhead.js").ContinueItem} item @returns {import("./card.js").CardData} */
const fromItem = (item) => ({
  id: item.video_id,
  title: item.video_title,
  uploader: item.uploader_username,
  duration: item.video_duration,
  thumbnail: item.video_thumbnail_path,
  progress: item.progress_percentage,
  position: item.watch_position,
});
