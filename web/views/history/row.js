import { timeOfDay } from "../../dates.js";
import { clock, h } from "../../dom.js";
import { t } from "../../i18n.js";
import { poster } from "../card.js";
import { menu } from "../menu.js";
import { rowActions } from "./actions.js";
import { playsPanel } from "./plays.js";

/** @typedef {import("../../playhead.js").Entry} Entry */
/** @typedef {import("../../playhead.js").HistoryItem} HistoryItem */
/** @typedef {import("./page.js").RowContext} RowContext */
/** @typedef {ReturnType<typeof createRow>} Row */

/** The row of one video in the history. @param {HistoryItem} item @param {RowContext} context */
export function createRow(item, context) {
  const { video } = item;
  const title = video.title;
  const box = h("input", {
    type: "checkbox",
    class: "row-select",
    hidden: true,
    "aria-label": t("selectVideo", { title }),
  });
  const link = h("a", { class: "row-link", href: `#/videos/${video.id}` });
  const plays = playsPanel(item.video_id, title, context, update);
  const row = {
    root: h("li", { class: "row", "data-video-id": video.id }),
    videoId: () => video.id,
    entry: () => item,
    update,
    focus: () => link.focus(),
    isSelected: () => !box.hidden && box.checked,
    /** @param {boolean} isSelecting */
    setSelecting(isSelecting) {
      box.hidden = !isSelecting;
      if (!isSelecting) box.checked = false;
    },
  };

  /** @param {Entry} entry */
  function update(entry) {
    item = { ...item, ...entry, video };
    link.replaceChildren(
      poster({
        title,
        thumbnail: video.thumbnail_path,
        duration: video.duration,
        progress: item.progress_percentage,
      }),
      h("div", { class: "row-text" }, ...describe(item, context.timeOf(item))),
    );
  }

  update(item);
  const actions = menu(t("actionsFor", { title }), () => rowActions(row, context));
  row.root.append(box, link, h("div", { class: "row-buttons" }, plays.button, actions), plays.root);
  return row;
}

/** @param {HistoryItem} item @param {string} time */
function describe(item, time) {
  const { video, watch_position: position } = item;
  const timeLeft = video.duration ? clock(Math.max(0, video.duration - position)) : "";
  const isWatched = item.play_count > 0;
  const isInside = !item.completed && position > 0;
  const details = [
    isInside && t("stoppedAt", { time: clock(position) }),
    isInside && timeLeft && t("left", { time: timeLeft }),
    timeOfDay(time),
    item.device,
  ];
  const timesWatched =
    item.play_count > 1 ? t("watchedTimes", { count: item.play_count }) : t("watchedMark");
  const badges = [
    isWatched && h("span", { class: "mark watched" }, timesWatched),
    item.hidden && h("span", { class: "mark" }, t("hiddenMark")),
  ].filter((badge) => badge instanceof HTMLElement);
  return [
    h("h3", { class: "card-title" }, video.title),
    h("p", { class: "card-meta" }, t("by", { name: video.uploader_username })),
    h("p", { class: "card-meta" }, details.filter(Boolean).join(" · ")),
    ...(badges.length > 0 ? [h("p", { class: "marks" }, ...badges)] : []),
  ];
}
