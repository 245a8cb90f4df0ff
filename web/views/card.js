import { clock, h, imageSource } from "../dom.js";
import { t } from "../i18n.js";
import { menu } from "./menu.js";

/**
 * @typedef {object} CardData
 * @property {number} id
 * @property {string} title
 * @property {string} uploader
 * @property {number | null} duration seconds
 * @property {string | null} thumbnail
 * @property {number | null} progress 0 to 100
 * @property {number} [position] seconds at which the viewer stopped
 * @property {boolean} [isWatched] whether the viewer has watched it to its end
 * @property {boolean} [isContinued] whether it is a card of "continue watching"
 * @property {string} [note] why the video is shown
 */

/**
 * The list item of a video.
 * @param {CardData} data
 * @param {() => import("./menu.js").MenuItem[]} [actions] without them there is no menu
 * @returns {HTMLLIElement}
 */
export function card(data, actions) {
  const link = h(
    "a",
    { class: "card", href: `#/videos/${data.id}`, "data-video-id": data.id },
    poster(data),
    h("h3", { class: "card-title" }, data.title),
    cardMeta(data),
    data.note ? h("p", { class: "card-meta" }, data.note) : null,
  );
  const more = actions && menu(t("actionsFor", { title: data.title }), actions);
  return h("li", { class: more && "with-menu" }, link, more);
}

/**
 * The picture of a video with its duration and how far the viewer got.
 * @param {Pick<CardData, "title" | "thumbnail" | "duration" | "progress" | "isWatched">} data
 */
export const poster = (data) =>
  h(
    "div",
    { class: "poster" },
    picture(data),
    data.isWatched && h("span", { class: "watched-mark" }, t("watchedMark")),
    data.duration !== null && h("span", { class: "duration" }, clock(data.duration)),
    data.progress ? progressBar(data.progress) : null,
  );

/** @param {CardData} data */
function cardMeta({ uploader, position, duration }) {
  const timeLeft = position && duration ? clock(Math.max(0, duration - position)) : null;
  return h(
    "p",
    { class: "card-meta" },
    uploader,
    timeLeft && ` · ${t("left", { time: timeLeft })}`,
  );
}

/** Shows another progress or mark on a card. @param {HTMLLIElement} item @param {CardData} data */
export function updatePoster(item, data) {
  const next = poster(data);
  const shown = item.querySelector(".poster img");
  // The picture that is there is kept, so that it does not flicker.
  if (shown) next.querySelector("img")?.replaceWith(shown);
  item.querySelector(".poster")?.replaceWith(next);
}

/** Shows another position on a card. @param {HTMLLIElement} item @param {CardData} data */
export function updateCard(item, data) {
  updatePoster(item, data);
  item.querySelector(".card-meta")?.replaceWith(cardMeta(data));
}

/** @param {number} percent */
function progressBar(percent) {
  const width = Math.min(100, Math.max(0, percent));
  const bar = h("div", { class: "bar" });
  bar.style.width = `${width}%`;
  const whole = Math.round(width);
  return h(
    "div",
    {
      class: "progress",
      role: "progressbar",
      "aria-label": t("watched", { percent: whole }),
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": whole,
    },
    bar,
  );
}

/** @param {Pick<CardData, "title" | "thumbnail">} data */
function picture({ title, thumbnail }) {
  const source = imageSource(thumbnail);
  if (!source) return placeholder(title);
  const image = h("img", { src: source, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(placeholder(title)), { once: true });
  return image;
}

/**
 * Shown in place of a missing picture: the initials of the title, on a colour that the title gives.
 * @param {string} title
 */
function placeholder(title) {
  const words = title.split(/[\s_.-]+/).filter(Boolean);
  const initials = words
    .slice(0, 2)
    .map((word) => [...word][0])
    .join("");
  const box = h("div", { class: "placeholder", "aria-hidden": "true" }, initials.toUpperCase());
  let hue = 0;
  for (const character of title) hue = (hue * 31 + (character.codePointAt(0) ?? 0)) % 360;
  box.style.setProperty("--hue", String(hue));
  return box;
}
