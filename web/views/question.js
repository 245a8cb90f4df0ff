import { h } from "../dom.js";
import { t } from "../i18n.js";

/**
 * Asks before something that cannot be undone.
 * - body: what the question is about, such as a form
 * - action: the text of the button that does it
 * @typedef {{ title: string, body: (string | Node)[], action: string }} Question
 */

/**
 * Shows a question until it is answered; the focus goes back to where it was.
 * @param {Question} question
 * @param {{ signal?: AbortSignal }} [options] `signal`: the view has ended, which means no
 * @returns {Promise<boolean>} whether the viewer said yes
 */
export function ask({ title, body, action }, { signal } = {}) {
  const yes = h(
    "button",
    { class: "button danger", value: "yes", "data-action": "confirm" },
    action,
  );
  const no = h(
    "button",
    { class: "button", value: "no", "data-action": "cancel", formnovalidate: true },
    t("cancel"),
  );
  const dialog = h(
    "dialog",
    { class: "question", "aria-labelledby": "question-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "question-title" }, title),
      ...body.map((part) => (typeof part === "string" ? h("p", {}, part) : part)),
      h("div", { class: "question-actions" }, no, yes),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  if (!dialog.querySelector("input")) no.focus(); // Enter must not delete by mistake
  return new Promise((resolve) => {
    const end = () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", end, { once: true });
    signal?.addEventListener("abort", () => dialog.close("no"), { once: true });
  });
}
