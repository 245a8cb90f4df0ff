import { playhead } from "../api.js";
import { clock } from "../dom.js";
import { t } from "../i18n.js";
import { restore } from "./history/undo.js";
import { ask } from "./question.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("./card.js").CardData} CardData */
/** @typedef {import("./menu.js").MenuItem} MenuItem */
/**
 * What the actions of a card may use.
 * - attempt: runs a task, whose error becomes the message; null after an error
 * - announce: says what was done, with a way back if there is one
 * - changed: the server has another entry of the video, or none
 * - signal: aborted when the page is left
 * @typedef {{ attempt: <T>(task: () => Promise<T>) => Promise<T | null>,
 *   announce: (text: string, undo?: () => Promise<void>) => void,
 *   changed: (id: number, entry: Entry | null) => void, signal: AbortSignal }} CardContext
 */

/** The actions of a card's menu. @param {CardData} data @param {CardContext} context */
export function cardActions(data, { attempt, announce, changed, signal }) {
  const { id, title } = data;

  /**
   * Changes the entry, and says what was done.
   * @param {() => Promise<Entry>} change @param {string} text
   * @param {(after: Entry) => Promise<Entry | null>} [undo]
   */
  async function edit(change, text, undo) {
    const after = await attempt(change);
    if (!after) return;
    changed(id, after);
    announce(text, undo && (async () => changed(id, await undo(after))));
  }

  async function markWatched() {
    const read = await attempt(async () => ({ before: await playhead.load(id) }));
    if (!read) return;
    const { before } = read;
    await edit(
      () => playhead.markWatched(id),
      t("marked"),
      async (after) => (before ? restore(before, after) : playhead.forget(id).then(() => null)),
    );
  }

  async function markUnwatched() {
    const before = await attempt(() => playhead.load(id));
    // The dates of several plays cannot be brought back.
    const canUndo = before?.play_count === 1;
    await edit(
      () => playhead.markUnwatched(id),
      t("unmarked"),
      canUndo ? (after) => restore(before, after) : undefined,
    );
  }

  async function forget() {
    const question = {
      title: t("forgetQuestion", { title }),
      body: [t("forgetWarning")],
      action: t("forget"),
    };
    if (!(await ask(question, { signal }))) return;
    const isDone = await attempt(() => playhead.forget(id).then(() => true));
    if (!isDone) return;
    changed(id, null);
    announce(t("forgottenVideo", { title }));
  }

  const hide = () =>
    edit(
      () => playhead.hide(id),
      t("hiddenDone"),
      () => playhead.show(id),
    );

  /** @type {(MenuItem | false)[]} */
  const items = [
    { id: "resume", text: resumeText(data), href: `#/videos/${id}` },
    data.isContinued === true && { id: "hide", text: t("hide"), run: hide },
    data.isWatched
      ? { id: "unmark", text: t("markUnwatched"), run: markUnwatched }
      : { id: "mark", text: t("markWatched"), run: markWatched },
    data.progress !== null && {
      id: "forget",
      text: t("forgetMore"),
      run: forget,
      isDangerous: true,
    },
  ];
  return items.filter((item) => item !== false);
}

/** @param {CardData} data */
function resumeText({ position, isWatched }) {
  if (position) return t("resumeAt", { time: clock(position) });
  return t(isWatched ? "watchAgain" : "watchNow");
}
