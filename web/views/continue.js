import { playhead } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import * as session from "../session.js";
import { updateCard } from "./card.js";
import { section } from "./section.js";

/** @typedef {import("../playhead.js").ContinueItem} ContinueItem */
/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./card.js").CardData} CardData */
/** @typedef {{ item: HTMLLIElement, data: CardData }} ShownCard */

const SIZE = 6;
/** Changes that come together are read together. */
const COLLECT_MS = 100;

/**
 * The shelf of what was begun and not finished.
 * - cardOf: makes a card
 * - onRead: called with what the server has in it
 * - afterwards: takes the focus when the card that had it is gone
 * @param {{ cardOf: (data: CardData) => ShownCard, onRead: (items: ContinueItem[]) => void,
 *   afterwards: HTMLElement, signal: AbortSignal }} options
 */
export function continueShelf({ cardOf, onRead, afterwards, signal }) {
  const list = h("ul", { class: "rail", role: "list" });
  const root = section("continue-watching", t("continueWatching"), list);
  root.hidden = true;
  /** @type {ShownCard[]} */
  let shown = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;

  async function refresh() {
    clearTimeout(waiting);
    waiting = undefined;
    const user = session.user();
    const items = user ? await playhead.continueWatching(SIZE).catch(() => null) : [];
    // A failed request leaves the list as it is.
    if (session.user()?.id !== user?.id || !items || signal.aborted) return;
    draw(items.map(fromItem));
    onRead(items);
  }

  /** Cards that stay are not drawn anew below the hands of the viewer. @param {CardData[]} next */
  function draw(next) {
    const before = shown;
    shown = next.map((data) => {
      const card = before.find(({ data: drawn }) => isSameVideo(drawn, data));
      if (!card) return cardOf(data);
      redraw(card, data);
      return card;
    });
    root.hidden = next.length === 0;
    const isSame = shown.length === before.length && shown.every((card, at) => card === before[at]);
    if (!isSame) keepFocus(() => list.replaceChildren(...shown.map(({ item }) => item)));
  }

  /**
   * Draws the list. A card that has the focus may be gone then.
   * @param {() => void} draw
   */
  function keepFocus(draw) {
    const focused = document.activeElement;
    const isInList = list.contains(focused);
    const id = focused?.closest("li")?.querySelector("a")?.dataset.videoId;
    draw();
    if (!isInList) return;
    const link = list.querySelector(`[data-video-id="${id}"]`);
    const next = link ?? list.querySelector("a") ?? afterwards;
    if (next instanceof HTMLElement) next.focus();
  }

  /**
   * Another device has changed an entry. The list is read anew only if other videos, or in another
   * order, belong into it.
   * @param {number} id @param {Entry | null} entry
   */
  function follow(id, entry) {
    const at = shown.findIndex(({ data }) => data.id === id);
    const isInside = entry !== null && belongs(entry);
    if (!isInside && at < 0) return;
    if (entry === null || !isInside || at !== 0) {
      waiting ??= setTimeout(refresh, COLLECT_MS);
      return;
    }
    const { progress_percentage: progress, watch_position: position } = entry;
    redraw(shown[0], { ...shown[0].data, progress, position });
  }

  function clear() {
    list.replaceChildren();
    root.hidden = true;
    shown = [];
  }

  signal.addEventListener("abort", () => clearTimeout(waiting));
  return { root, refresh, follow, clear };
}

/** @param {ShownCard} card @param {CardData} next */
function redraw({ item, data }, next) {
  if (JSON.stringify(data) === JSON.stringify(next)) return;
  updateCard(item, Object.assign(data, next));
}

/** @param {CardData} a @param {CardData} b */
const isSameVideo = (a, b) =>
  a.id === b.id &&
  a.title === b.title &&
  a.uploader === b.uploader &&
  a.duration === b.duration &&
  a.thumbnail === b.thumbnail;

/** @param {Entry} entry */
const belongs = ({ watch_position, completed, hidden }) =>
  watch_position > 0 && !completed && !hidden;

/** @param {ContinueItem} item @returns {CardData} */
const fromItem = (item) => ({
  id: item.video_id,
  title: item.video_title,
  uploader: item.uploader_username,
  duration: item.video_duration,
  thumbnail: item.video_thumbnail_path,
  progress: item.progress_percentage,
  position: item.watch_position,
  isWatched: item.play_count > 0,
  isContinued: true,
});
