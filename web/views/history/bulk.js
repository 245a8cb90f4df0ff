import { playhead } from "../../api.js";
import { h } from "../../dom.js";
import { t } from "../../i18n.js";
import { ask } from "../question.js";

/** @typedef {import("./page.js").RowContext} RowContext */
/** @typedef {import("./row.js").Row} Row */

/** The most videos that one request marks or forgets. */
const BULK_LIMIT = 500;

/**
 * Selects several videos, and marks or forgets them together.
 * @param {Pick<RowContext, "attempt" | "announce" | "signal"> & { rows: Map<number, Row>,
 *   reload: () => Promise<unknown> }} context
 */
export function selectionBar({ rows, attempt, announce, reload, signal }) {
  const count = h("p", { role: "status" });
  const buttons = [
    action("mark-selected", t("markWatched"), () => change(true)),
    action("unmark-selected", t("markUnwatched"), () => change(false)),
    action("forget-selected", t("forgetMore"), forget),
  ];
  const root = h(
    "div",
    {
      class: "selection",
      role: "group",
      "aria-label": t("selection"),
      hidden: true,
    },
    count,
    h("div", { class: "actions" }, ...buttons, action("end-selection", t("cancel"), end)),
  );
  const toggle = h(
    "button",
    {
      id: "select",
      class: "button",
      type: "button",
      "aria-pressed": "false",
      click: () => setSelecting(root.hidden),
    },
    t("select"),
  );

  const selected = () => [...rows.values()].filter((row) => row.isSelected());

  /** @param {boolean} isSelecting */
  function setSelecting(isSelecting) {
    root.hidden = !isSelecting;
    toggle.setAttribute("aria-pressed", String(isSelecting));
    update();
  }

  function end() {
    setSelecting(false);
    toggle.focus();
  }

  /** The rows have changed, or what is selected of them. */
  function update() {
    for (const row of rows.values()) row.setSelecting(!root.hidden);
    showCount();
  }

  function showCount() {
    const number = selected().length;
    count.textContent = t("selectedCount", { count: number });
    for (const button of buttons) button.disabled = number === 0;
  }

  /** @param {boolean} watched */
  async function change(watched) {
    const ids = selected().map((row) => row.videoId());
    const text = t(watched ? "markedMany" : "unmarkedMany", { count: ids.length });
    await finish(ids, (part) => playhead.mark(part, watched), text);
  }

  async function forget() {
    const ids = selected().map((row) => row.videoId());
    const question = {
      title: t("forgetManyQuestion", { count: ids.length }),
      body: [t("forgetWarning")],
      action: t("forget"),
    };
    if (!(await ask(question, { signal }))) return;
    await finish(ids, playhead.forgetMany, t("forgottenMany", { count: ids.length }));
  }

  /**
   * @param {number[]} ids @param {(part: number[]) => Promise<unknown>} task
   * @param {string} text says that it is done
   */
  async function finish(ids, task, text) {
    const isDone = await attempt(async () => {
      for (let start = 0; start < ids.length; start += BULK_LIMIT)
        await task(ids.slice(start, start + BULK_LIMIT));
      return true;
    });
    if (!isDone) return;
    end();
    await reload();
    announce(text);
  }

  document.addEventListener("change", showCount, { signal });
  return { root, toggle, update };
}

/** @param {string} id @param {string} text @param {() => unknown} click */
const action = (id, text, click) =>
  h("button", { id, class: "button", type: "button", click }, text);
