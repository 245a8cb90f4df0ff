import { playhead } from "../../api.js";
import { dateAndTime, timeWatched } from "../../dates.js";
import { clock, h } from "../../dom.js";
import { t } from "../../i18n.js";
import { ask } from "../question.js";

/** @typedef {import("../../playhead.js").Entry} Entry */
/** @typedef {import("../../playhead.js").Play} Play */
/** @typedef {import("./page.js").RowContext} RowContext */

const PAGE_SIZE = 10;

/**
 * The plays of a video, read when they are asked for.
 * @param {number} videoId @param {string} title @param {RowContext} context
 * @param {(entry: Entry) => void} onChange the entry has changed with its plays
 */
export function playsPanel(videoId, title, { announce, attempt, signal }, onChange) {
  const id = `plays-${videoId}`;
  const list = h("ul", { role: "list" });
  const note = h("p", { class: "hint", role: "status" });
  const more = h(
    "button",
    { class: "button quiet", type: "button", hidden: true, click: () => read() },
    t("loadMore"),
  );
  const root = h("div", { id, class: "plays", hidden: true }, list, note, more);
  const button = h(
    "button",
    {
      class: "button quiet plays-button",
      type: "button",
      "aria-expanded": "false",
      "aria-controls": id,
      "aria-label": t("playsOf", { title }),
      click: toggle,
    },
    t("plays"),
  );
  /** @type {string | null} */
  let cursor = null;

  function toggle() {
    root.hidden = !root.hidden;
    button.setAttribute("aria-expanded", String(!root.hidden));
    if (root.hidden) return;
    list.replaceChildren();
    cursor = null;
    void read();
  }

  async function read() {
    note.textContent = t("loading");
    const page = await attempt(() => playhead.playsOf(videoId, { cursor, limit: PAGE_SIZE }));
    note.textContent = "";
    if (!page || root.hidden) return;
    list.append(...page.items.map(playRow));
    cursor = page.next;
    more.hidden = !cursor;
    showWhetherEmpty();
  }

  const showWhetherEmpty = () => (note.textContent = list.firstChild ? "" : t("noPlays"));

  /** @param {Play} play */
  function playRow(play) {
    const row = h("li", { "data-play-id": play.id });
    const when = dateAndTime(play.started_at);
    const [from, to] = [clock(play.start_position), clock(play.end_position)];
    const details = [
      play.device,
      t("watchedFor", { time: timeWatched(play.watched_seconds) }),
      t("fromTo", { from, to }),
      play.completed && t("watchedMark"),
    ];
    const resume = h(
      "button",
      { class: "button", type: "button", "data-action": "resume-play", click: () => goTo(play) },
      t("resumeAt", { time: to }),
    );
    const remove = h(
      "button",
      {
        class: "button quiet",
        type: "button",
        "data-action": "delete-play",
        "aria-label": t("deletePlayOf", { when }),
        click: () => erase(play, row),
      },
      t("delete"),
    );
    const text = h(
      "p",
      {},
      h("strong", {}, when),
      " ",
      h("span", { class: "card-meta" }, details.filter(Boolean).join(" · ")),
    );
    row.append(text, resume, remove);
    return row;
  }

  /** @param {Play} play */
  async function goTo(play) {
    if (await attempt(() => playhead.resumePlay(play.id))) location.hash = `#/videos/${videoId}`;
  }

  /** @param {Play} play @param {HTMLElement} row */
  async function erase(play, row) {
    const question = {
      title: t("deletePlayQuestion"),
      body: [t("deletePlayWarning", { when: dateAndTime(play.started_at) })],
      action: t("delete"),
    };
    if (!(await ask(question, { signal }))) return;
    const entry = await attempt(async () => {
      await playhead.deletePlay(play.id);
      return playhead.load(videoId);
    });
    if (!entry) return;
    row.remove();
    button.focus();
    onChange(entry);
    announce(t("playDeleted"));
    showWhetherEmpty();
  }

  return { root, button };
}
