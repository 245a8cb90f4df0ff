import { listVideos, playhead, Problem, readVideos } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import * as session from "../session.js";
import { alsoWatchedShelf } from "./also-watched.js";
import { card, setProgress } from "./card.js";
import { notice } from "./notice.js";
import { section } from "./section.js";

const PAGE_SIZE = 24;
const CONTINUE_SIZE = 6;

/** @typedef {import("../api.js").Video} Video */

/** @param {import("../app.js").Context} context @returns {import("../app.js").View} */
export function libraryView({ query, settled, showMessage }) {
  const words = query.get("q") ?? "";
  const title = words ? t("resultsFor", { query: words }) : t("library");
  const intro = h("p", { class: "intro" });
  const continueList = h("ul", { class: "rail", role: "list" });
  const continueSection = section("continue-watching", t("continueWatching"), continueList);
  continueSection.hidden = true;
  const shelf = alsoWatchedShelf();
  const grid = h("ul", { class: "grid", role: "list" });
  const empty = h("div", {}, h("p", { class: "intro", role: "status" }, t("loading")));
  const more = h(
    "button",
    { id: "load-more", class: "button", type: "button", hidden: true, click: loadMore },
    t("loadMore"),
  );
  const library = section("library", t(words ? "videos" : "allVideos"), grid, empty, more);
  const root = h(
    "div",
    {},
    h("h1", { tabindex: -1 }, title),
    intro,
    continueSection,
    shelf.root,
    library,
  );
  const life = new AbortController();
  let round = 0; // an answer to an earlier round is ignored
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
    grid.replaceChildren();
    add(page);
    empty.replaceChildren(...(page.videos.length > 0 ? [] : [emptyNotice(words)]));
    // The list is painted first; the shelf must not delay it.
    if (!words) requestAnimationFrame(() => setTimeout(shelf.refresh));
  }

  async function refreshContinue() {
    const user = session.user();
    const items =
      user && !words ? await playhead.continueWatching(CONTINUE_SIZE).catch(() => null) : [];
    // A failed request leaves the list as it is.
    if (session.user()?.id !== user?.id || !items || life.signal.aborted) return;
    continueList.replaceChildren(...items.map((item) => card(fromItem(item))));
    continueSection.hidden = items.length === 0;
    for (const { video_id, progress_percentage } of items) {
      const link = grid.querySelector(`[data-video-id="${video_id}"]`);
      if (link instanceof HTMLElement) setProgress(link, progress_percentage);
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
    const cards = page.videos.map((video) => card(fromVideo(video)));
    grid.append(...cards);
    next = page.next;
    more.hidden = !next;
    return cards[0];
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
    {
      signal: life.signal,
    },
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
      continueList.replaceChildren();
      continueSection.hidden = true;
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
