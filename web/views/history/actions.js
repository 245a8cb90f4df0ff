import { playhead } from "../../api.js";
import { clock } from "../../dom.js";
import { t } from "../../i18n.js";
import { ask } from "../question.js";
import { restore } from "./undo.js";

/** @typedef {import("../../playhead.js").Entry} Entry */
/** @typedef {import("../menu.js").MenuItem} MenuItem */
/** @typedef {import("./page.js").RowContext} RowContext */
/** @typedef {import("./row.js").Row} Row */

/**
 * The actions of a row's menu.
 * @param {Row} row @param {RowContext} context @returns {MenuItem[]}
 */
export function rowActions(row, context) {
  const { announce, attempt, remove, signal } = context;
  const entry = row.entry();
  const { video_id: id, previous } = entry;
  const title = entry.video.title;

  /**
   * Changes the entry, and says what was done.
   * @param {() => Promise<Entry>} change @param {string} text
   * @param {boolean} [canUndo]
   */
  async function edit(change, text, canUndo = false) {
    const before = entry;
    const changed = await attempt(change);
    if (!changed) return;
    row.update(changed);
    announce(text, canUndo ? async () => row.update(await restore(before, changed)) : undefined);
  }

  async function forget() {
    const question = {
      title: t("forgetQuestion", { title }),
      body: [t("forgetWarning")],
      action: t("forget"),
    };
    if (!(await ask(question, { signal }))) return;
    const isDone = await attempt(async () => {
      await playhead.forget(id);
      return true;
    });
    if (!isDone) return;
    remove(row);
    announce(t("forgottenVideo", { title }));
  }

  /** @type {(MenuItem | false | null)[]} */
  const items = [
    { id: "resume", text: resumeText(entry), href: `#/videos/${id}` },
    previous && {
      id: "undo",
      text: t("goBackTo", { time: clock(previous.position) }),
      run: () =>
        edit(() => playhead.undo(id), t("wentBackTo", { time: clock(previous.position) }), true),
    },
    entry.hidden
      ? { id: "unhide", text: t("unhide"), run: () => edit(() => playhead.show(id), t("unhidden")) }
      : { id: "hide", text: t("hide"), run: () => edit(() => playhead.hide(id), t("hiddenDone")) },
    entry.play_count > 0
      ? {
          id: "unmark",
          text: t("markUnwatched"),
          run: () => edit(() => playhead.markUnwatched(id), t("unmarked"), entry.play_count === 1),
        }
      : {
          id: "mark",
          text: t("markWatched"),
          run: () => edit(() => playhead.markWatched(id), t("marked"), true),
        },
    { id: "forget", text: t("forgetMore"), run: forget, isDangerous: true },
  ];
  return items.filter((item) => item !== null && item !== false);
}

/** @param {Entry} entry */
function resumeText({ resume_at: position, play_count }) {
  if (position > 0) return t("resumeAt", { time: clock(position) });
  return t(play_count > 0 ? "watchAgain" : "watchNow");
}
