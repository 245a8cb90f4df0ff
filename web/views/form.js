import { Problem } from "../api.js";
import { h } from "../dom.js";
import { refusal, t } from "../i18n.js";

/**
 * `required` is true by default, `value` is what the field contains at first.
 * @typedef {{ name: string, label: string, type?: string, autocomplete: string, hint?: string,
 *   required?: boolean, value?: string }} Field
 */

/**
 * A form of text fields, which shows what the server refuses beside the field.
 * @param {string} id @param {Field[]} fields @param {string} action the text of the button
 * @param {(values: Record<string, string>) => Promise<string | void>} submit may return a text that
 *   says what was done
 * @param {{ isDangerous?: boolean }} [options]
 */
export function fieldForm(id, fields, action, submit, { isDangerous = false } = {}) {
  const rows = fields.map((field) => fieldRow(id, field));
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const done = h("p", { class: "form-done", role: "status" });
  const kind = isDangerous ? "button danger wide" : "button primary wide";
  const button = h("button", { class: kind, type: "submit" }, action);
  // The server checks the values, for all clients alike. Only empty fields are caught here.
  const form = h(
    "form",
    { id, novalidate: true, submit: send },
    ...rows.map((row) => row.root),
    problem,
    button,
    done,
  );

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    for (const row of rows) row.setError(row.required && !row.value() ? t("required") : "");
    setProblem("");
    done.textContent = "";
    if (focusFirstError()) return;
    button.disabled = true;
    try {
      const text = await submit(Object.fromEntries(rows.map((row) => [row.name, row.value()])));
      for (const row of rows) row.settle();
      done.textContent = text ?? "";
    } catch (error) {
      show(error);
    } finally {
      button.disabled = false;
    }
  }

  /** @param {unknown} error */
  function show(error) {
    if (!(error instanceof Problem)) throw error;
    const unplaced = [];
    for (const { field, message } of error.errors) {
      const row = rows.find(({ name }) => name === field.split(/[./]/).pop());
      if (row) row.setError(refusal(row.name, message));
      else unplaced.push(message);
    }
    const isShownInField = unplaced.length < error.errors.length;
    const message = isShownInField ? "" : error.message || t("unreachable");
    setProblem(unplaced.join(" ") || message);
    focusFirstError();
  }

  /** @param {string} text */
  function setProblem(text) {
    problem.textContent = text;
    problem.hidden = !text;
  }

  function focusFirstError() {
    const row = rows.find((candidate) => candidate.hasError());
    row?.focus();
    return row !== undefined;
  }

  return form;
}

/** @param {string} form @param {Field} field */
function fieldRow(
  form,
  { name, label, type = "text", autocomplete, hint, required = true, value },
) {
  const id = `${form}-${name}`;
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const descriptions = hint ? `${id}-hint ${id}-error` : `${id}-error`;
  const input = h("input", {
    id,
    name,
    type,
    autocomplete,
    value,
    required,
    "aria-describedby": descriptions,
    autocapitalize: "none",
    spellcheck: "false",
  });
  const root = h(
    "div",
    { class: "field" },
    h(
      "label",
      { for: id },
      label,
      !required && h("span", { class: "optional" }, ` (${t("optional")})`),
    ),
    input,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
    error,
  );
  return {
    root,
    name,
    required,
    // The spaces around a password are part of it.
    value: () => (type === "password" ? input.value : input.value.trim()),
    /** Empties a password that has served. */
    settle: () => type === "password" && (input.value = ""),
    focus: () => input.focus(),
    hasError: () => !error.hidden,
    /** @param {string} text */
    setError(text) {
      error.textContent = text;
      error.hidden = !text;
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    },
  };
}
