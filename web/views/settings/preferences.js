import { describeError, playhead } from "../../api.js";
import { dayCount } from "../../dates.js";
import { h } from "../../dom.js";
import { t } from "../../i18n.js";
import { countHistory, describeCount } from "../history/count.js";
import { ask } from "../question.js";
import { section } from "../section.js";

/** @typedef {import("../../app.js").Context} Context */
/** @typedef {import("../../playhead.js").Preferences} Preferences */

const MOST_DAYS = 3_650;
const DAY_MS = 86_400_000;

/**
 * What is kept, for how long, and the recommendations.
 * @param {Context} context @param {AbortSignal} signal
 */
export async function preferenceSections({ showMessage }, signal) {
  /** @type {Preferences} */
  let stored;
  try {
    stored = await playhead.preferences();
  } catch (error) {
    const text = describeError(error);
    if (!signal.aborted) showMessage(text);
    return [];
  }

  /**
   * Stores a change. After an error the page shows again what is stored.
   * @param {Partial<Preferences>} change @param {HTMLElement} status
   */
  async function save(change, status) {
    status.textContent = t("saving");
    try {
      stored = await playhead.setPreferences(change);
      status.textContent = t("saved");
      showMessage("");
    } catch (error) {
      status.textContent = "";
      showMessage(describeError(error));
    }
    return stored;
  }

  return [
    section("history-settings", t("history"), modes(stored, save), retention(stored, save, signal)),
    section("recommendation-settings", t("recommendations"), recommendations(stored, save)),
  ];
}

/** @typedef {(change: Partial<Preferences>, status: HTMLElement) => Promise<Preferences>} Save */

/** @param {Preferences} stored @param {Save} save */
function modes(stored, save) {
  const status = h("p", { class: "form-done", role: "status" });
  /** @type {[Preferences["history"], string, string][]} */
  const choices = [
    ["on", t("modeOn"), t("modeOnHint")],
    ["positions", t("modePositions"), t("modePositionsHint")],
    ["off", t("modeOff"), t("modeOffHint")],
  ];
  const radios = choices.map(([value]) =>
    h("input", {
      type: "radio",
      name: "mode",
      id: `mode-${value}`,
      value,
      checked: value === stored.history,
      "aria-describedby": `mode-${value}-hint`,
      change: async () => {
        const { history } = await save({ history: value }, status);
        for (const radio of radios) radio.checked = radio.value === history;
      },
    }),
  );
  const rows = choices.map(([value, label, hint], index) =>
    h(
      "div",
      { class: "choice" },
      radios[index],
      h("label", { for: `mode-${value}` }, label),
      h("p", { class: "hint", id: `mode-${value}-hint` }, hint),
    ),
  );
  return h("fieldset", { class: "choices" }, h("legend", {}, t("modeLegend")), ...rows, status);
}

/** @param {Preferences} stored @param {Save} save @param {AbortSignal} signal */
function retention(stored, save, signal) {
  const status = h("p", { class: "form-done", role: "status" });
  const problem = h("p", { class: "field-error", id: "days-error", role: "alert", hidden: true });
  const forever = radio("keep-forever", stored.retention_days === null);
  const limited = radio("keep-days", stored.retention_days !== null);
  const days = h("input", {
    type: "number",
    id: "retention-days",
    min: 1,
    max: MOST_DAYS,
    step: 1,
    value: stored.retention_days ?? 365,
    "aria-label": t("retentionDays"),
    "aria-describedby": "days-error",
    input: () => (limited.checked = true),
  });
  let current = stored.retention_days;

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    status.textContent = "";
    const wanted = forever.checked ? null : Number(days.value);
    const isValid =
      wanted === null || (Number.isInteger(wanted) && wanted >= 1 && wanted <= MOST_DAYS);
    problem.hidden = isValid;
    problem.textContent = isValid ? "" : t("retentionRange", { most: MOST_DAYS });
    if (!isValid) return days.focus();
    const isShorter = wanted !== null && (current === null || wanted < current);
    if (isShorter && !(await confirm(wanted))) return;
    current = (await save({ retention_days: wanted }, status)).retention_days;
  }

  /** @param {number} wanted days */
  async function confirm(wanted) {
    const until = new Date(Date.now() - wanted * DAY_MS);
    const counted = await countHistory(until).catch(() => null);
    if (counted?.count === 0) return true;
    const body = [...(counted ? [describeCount(counted)] : []), t("clearWarning")];
    const title = t("retentionQuestion", { days: dayCount(wanted) });
    return ask({ title, body, action: t("delete") }, { signal });
  }

  return h(
    "form",
    { id: "retention-form", novalidate: true, submit },
    h(
      "fieldset",
      { class: "choices" },
      h("legend", {}, t("retentionLegend")),
      h("div", { class: "choice" }, forever, h("label", { for: "keep-forever" }, t("keepForever"))),
      h(
        "div",
        { class: "choice" },
        limited,
        h("label", { for: "keep-days" }, t("keepDays")),
        h("span", { class: "amount-field" }, days, " ", t("days")),
      ),
      problem,
    ),
    h("button", { class: "button", type: "submit" }, t("save")),
    status,
  );
}

/** @param {string} id @param {boolean} checked */
const radio = (id, checked) => h("input", { type: "radio", id, name: "retention", checked });

/** @param {Preferences} stored @param {Save} save */
function recommendations(stored, save) {
  const status = h("p", { class: "form-done", role: "status" });
  const box = h("input", {
    type: "checkbox",
    id: "recommendations",
    checked: stored.recommendations,
    "aria-describedby": "recommendations-hint",
    change: async () => {
      box.checked = (await save({ recommendations: box.checked }, status)).recommendations;
    },
  });
  return h(
    "div",
    { class: "choices" },
    h(
      "div",
      { class: "choice" },
      box,
      h("label", { for: "recommendations" }, t("recommendationsLabel")),
      h("p", { class: "hint", id: "recommendations-hint" }, t("recommendationsHint")),
    ),
    status,
  );
}
