import { playhead } from "../../api.js";
import { h } from "../../dom.js";
import { t } from "../../i18n.js";

/** @typedef {import("../../playhead.js").Entry} Entry */

/**
 * The line that says what was done, with a button that reverts it where that is possible.
 * @param {<T>(task: () => Promise<T>) => Promise<T | null>} attempt
 */
export function undoBar(attempt) {
  const text = h("span", { role: "status" });
  const button = h("button", { id: "undo", class: "button", type: "button" }, t("undo"));
  const close = h(
    "button",
    { class: "button quiet", type: "button", "aria-label": t("close"), click: hide },
    h("span", { "aria-hidden": "true" }, "×"),
  );
  const root = h("div", { id: "done", class: "toast", hidden: true }, text, button, close);

  function hide() {
    root.hidden = true;
    text.textContent = "";
  }

  /** @param {string} message @param {() => Promise<void>} [undo] */
  function show(message, undo) {
    root.hidden = false;
    text.textContent = message;
    button.hidden = !undo;
    button.onclick = async () => {
      button.disabled = true;
      const isDone = await attempt(async () => {
        await undo?.();
        return true;
      });
      button.disabled = false;
      if (isDone) show(t("undone"));
    };
  }

  return { root, show };
}

/**
 * Reverts a mark, the removal of a mark, or a move of the position.
 * @param {Entry} before the change @param {Entry} after it
 * @returns {Promise<Entry>}
 */
export async function restore(before, after) {
  const id = before.video_id;
  let entry = after;
  if (before.play_count > 0 && after.play_count === 0)
    entry = await playhead.markWatched(id, { at: before.completed_at ?? undefined });
  const isMoved = Math.abs(entry.watch_position - before.watch_position) > 0;
  if (isMoved && entry.previous?.position === before.watch_position)
    entry = await playhead.undo(id);
  // The position goes back first, because the end of an unmarked video becomes its start.
  if (before.play_count === 0 && entry.play_count > 0) entry = await playhead.markUnwatched(id);
  return entry;
}
