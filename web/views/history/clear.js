import { dayOf, number, startOf } from "../../dates.js";
import { h } from "../../dom.js";
import { clearHistory, countHistory } from "../../history.js";
import { t } from "../../i18n.js";
import { ask } from "../question.js";

/** @typedef {import("./page.js").RowContext} RowContext */

/** Counting stops here. */
const COUNT_LIMIT = 1_000;

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

  const before = () => (some.checked ? startOf(date.value || today) : null);

  async function showCount() {
    const thisRound = ++round;
    count.textContent = t("counting");
    const counted = await countHistory(before(), COUNT_LIMIT).catch(() => null);
    if (thisRound !== round) return;
    // Without a count the viewer can still decide by the date.
    count.textContent = counted ? countText(counted) : "";
  }

  void showCount();
  const question = {
    title: t("clearQuestion"),
    body: [fieldset, count, t("clearWarning")],
    action: t("clear"),
  };
  if (!(await ask(question, { signal }))) return null;
  const answer = await attempt(() => clearHistory(before()));
  return answer?.deleted ?? null;
}

/** @param {{ count: number, hasMore: boolean }} counted */
function countText({ count, hasMore }) {
  if (count === 0) return t("clearNone");
  if (count === 1) return t("clearOne");
  return t("clearCount", { count: number(count) + (hasMore ? "+" : "") });
}

/** @param {string} id @param {string} value @param {boolean} checked */
const radio = (id, value, checked) =>
  h("input", { type: "radio", id, name: "clear", value, checked });
