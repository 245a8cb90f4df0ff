import { playhead } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import * as session from "../session.js";
import { card, updatePoster } from "./card.js";
import { section } from "./section.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").Recommendation} Recommendation */
/** @typedef {import("./card.js").CardData} CardData */

const SIZE = 6;

/** The shelf of recommended videos, hidden while there are none. */
export function alsoWatchedShelf() {
  const list = h("ul", { class: "rail", role: "list" });
  const root = section("also-watched", t("alsoWatched"), list);
  root.hidden = true;
  /** @type {Map<number, { item: HTMLLIElement, data: CardData }>} */
  const cards = new Map();

  /** Reads the videos anew; call it when the page has shown its own. */
  async function refresh() {
    const user = session.user();
    // Without the viewer's consent the server refuses, and there is no shelf.
    const videos = user ? await playhead.recommendations(SIZE).catch(() => []) : [];
    if (session.user()?.id !== user?.id) return;
    draw(videos.map(fromRecommendation));
  }

  /** @param {CardData[]} shown */
  function draw(shown) {
    cards.clear();
    for (const data of shown) cards.set(data.id, { item: card(data), data });
    list.replaceChildren(...[...cards.values()].map(({ item }) => item));
    root.hidden = shown.length === 0;
  }

  /**
   * The entry of a video has changed. What was watched to its end is recommended no more.
   * @param {number} id @param {Entry | null} entry
   */
  function follow(id, entry) {
    const shown = cards.get(id);
    if (!shown) return;
    if (entry?.completed || entry?.hidden) return void refresh();
    shown.data.progress = entry?.progress_percentage ?? null;
    updatePoster(shown.item, shown.data);
  }

  return { root, refresh, follow, clear: () => draw([]) };
}

/** @param {Recommendation} video @returns {CardData} */
const fromRecommendation = ({
  id,
  title,
  uploader_username,
  duration,
  thumbnail_path,
  reason,
  ...video
}) => ({
  id,
  title,
  uploader: uploader_username,
  duration,
  thumbnail: thumbnail_path,
  progress: video.watch_progress ?? null,
  note:
    reason.kind === "popular" ? t("popular") : t("becauseWatched", { title: reason.video_title }),
});
