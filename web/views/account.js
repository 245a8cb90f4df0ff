import { Problem, signIn, signUp } from "../api.js";
import { h } from "../dom.js";
import { refusal, t } from "../i18n.js";

/** @typedef {import("../app.js").View} View */
/** @typedef {import("../app.js").Context} Context */
/**
 * `required` is true by default.
 * @typedef {{ name: string, label: string, type?: string, autocomplete: string, hint?: string,
 *   required?: boolean }} Field
 */

/** @param {Context} context @returns {View} */
export function signInView(context) {
  /** @type {Field[]} */
  const fields = [
    { name: "username", label: t("nameOrEmail"), autocomplete: "username" },
    { name: "password", label: t("password"), type: "password", autocomplete: "current-password" },
  ];
  const form = accountForm("sign-in-form", fields, t("signIn"), async ({ username, password }) => {
    await signIn(username, password);
    openNext(context);
  });
  const other = h(
    "p",
    { class: "form-note" },
    t("noAccount"),
    " ",
    h("a", { href: `#/sign-up${nextQuery(context)}` }, t("signUp")),
  );
  return page(t("signIn"), t("signInIntro"), form, other);
}

/** @param {Context} context @returns {View} */
export function signUpView(context) {
  /** @type {Field[]} */
  const fields = [
    { name: "email", label: t("email"), type: "email", autocomplete: "email" },
    { name: "username", label: t("username"), autocomplete: "username", hint: t("usernameHint") },
    {
      name: "password",
      label: t("password"),
      type: "password",
      autocomplete: "new-password",
      hint: t("passwordHint"),
    },
    { name: "full_name", label: t("fullName"), autocomplete: "name", required: false },
  ];
  const form = accountForm(
    "sign-up-form",
    fields,
    t("signUp"),
    async ({ email, username, password, full_name }) => {
      await signUp({ email, username, password, ...(full_name && { full_name }) });
      openNext(context);
    },
  );
  const other = h(
    "p",
    { class: "form-note" },
    t("haveAccount"),
    " ",
    h("a", { href: `#/sign-in${nextQuery(context)}` }, t("signIn")),
  );
  return page(t("signUp"), t("signUpIntro"), form, other);
}

/**
 * @param {string} title @param {string} intro @param {HTMLElement} form
 * @param {HTMLElement} other the link to the other page
 * @returns {View}
 */
function page(title, intro, form, other) {
  const heading = h("h1", { tabindex: -1 }, title);
  return {
    root: h("div", { class: "panel" }, heading, h("p", { class: "intro" }, intro), form, other),
    title,
  };
}

/** Opens the page that the visitor came from. @param {Context} context */
function openNext({ query }) {
  const next = query.get("next") ?? "/";
  location.hash = next.startsWith("/") ? `#${next}` : "#/";
}

/** @param {Context} context */
const nextQuery = ({ query }) => (query.has("next") ? `?${query}` : "");

/**
 * @param {string} id @param {Field[]} fields @param {string} action
 * @param {(values: Record<string, string>) => Promise<void>} submit
 */
function accountForm(id, fields, action, submit) {
  const rows = fields.map((field) => fieldRow(id, field));
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const button = h("button", { class: "button primary wide", type: "submit" }, action);
  // The server checks the values, for all clients alike. Only empty fields are caught here.
  const form = h(
    "form",
    { id, novalidate: true, submit: send },
    ...rows.map((row) => row.root),
    problem,
    button,
  );

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    for (const row of rows) row.setError(row.required && !row.value() ? t("required") : "");
    setProblem("");
    if (focusFirstError()) return;
    button.disabled = true;
    try {
      await submit(Object.fromEntries(rows.map((row) => [row.name, row.value()])));
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
function fieldRow(form, { name, label, type = "text", autocomplete, hint, required = true }) {
  const id = `${form}-${name}`;
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const descriptions = hint ? `${id}-hint ${id}-error` : `${id}-error`;
  const input = h("input", {
    id,
    name,
    type,
    autocomplete,
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
