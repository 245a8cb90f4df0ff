import { playhead } from "../../api.js";
import { dayOf, startOf } from "../../dates.js";
import { h } from "../../dom.js";
import { t } from "../../i18n.js";
import { ask } from "../question.js";
import { countHistory, describeCount } from "./count.js";

/** @typedef {import("./page.js").RowContext} RowContext */

/**
 * Asks what to clear, shows how many videos that are, and clears it.
 * @param {Pick<RowContext, "attempt" | "signal">} context
 * @returns {Promise<number | null>} how many entries were deleted; null after a no or an error
 */
export async function askToClear({ attempt, signal }) {
  const all = radio("clear-all", "all", true);
  const some = radio("clear-before", "before", false);
  const today = dayOf(new Date());
  const date = h("input", {
    type: "date",
    id: "clear-date",
    max: today,
    "aria-label": t("clearBeforeDate"),
  });
  date.value = today;
  const count = h("p", { id: "clear-count", class: "hint", role: "status" });
  const fieldset = h(
    "fieldset",
    { class: "choices", change: showCount },
    h("legend", { class: "sr-only" }, t("clearWhat")),
    h("div", { class: "choice" }, all, h("label", { for: "clear-all" }, t("clearAll"))),
    h(
      "div",
      { class: "choice" },
      some,
      h("label", { for: "clear-before" }, t("clearBefore")),
      date,
    ),
  );
  date.addEventListener("focus", () => {
    some.checked = true;
    void showCount();
  });
  let round = 0;

  const before = () => (some.checked ? startOf(date.value || today) : undefined);

  async function showCount() {
    const thisRound = ++round;
    count.textContent = t("counting");
    const counted = await countHistory(before()).catch(() => null);
    if (thisRound !== round) return;
    // Without a count the viewer can still decide by the date.
    count.textContent = counted ? describeCount(counted) : "";
  }

  void showCount();
  const question = {
    title: t("clearQuestion"),
    body: [fieldset, count, t("clearWarning")],
    action: t("clear"),
  };
  if (!(await ask(question, { signal }))) return null;
  const answer = await attempt(() => playhead.clearHistory({ before: before() }));
  return answer?.deleted ?? null;
}

/** @param {string} id @param {string} value @param {boolean} checked */
const radio = (id, value, checked) =>
  h("input", { type: "radio", id, name: "clear", value, checked });
