import { Problem, signIn, signUp } from "../api.js";
import { h } from "../dom.js";
import { refusal, t } from "../i18n.js";

/** @typedef {import("../app.js").View} View */
/** @typedef {import("../app.js").Context} Context */
/**
 * @typedef {{ name: string, label: string, type?: string, autocomplete: string, hint?: string, required?: boolean }} Field
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
    goOn(context);
  });
  const other = h("p", { class: "aside" }, t("noAccount"), " ", h("a", { href: `#/sign-up${nextOf(context)}` }, t("signUp")));
  return page(t("signIn"), t("signInLede"), form, other);
}

/** @param {Context} context @returns {View} */
export function signUpView(context) {
  /** @type {Field[]} */
  const fields = [
    { name: "email", label: t("email"), type: "email", autocomplete: "email" },
    { name: "username", label: t("username"), autocomplete: "username", hint: t("usernameHint") },
    { name: "password", label: t("password"), type: "password", autocomplete: "new-password", hint: t("passwordHint") },
    { name: "full_name", label: t("fullName"), autocomplete: "name", required: false },
  ];
  const form = accountForm("sign-up-form", fields, t("signUp"), async ({ email, username, password, full_name }) => {
    await signUp({ email, username, password, ...(full_name && { full_name }) });
    goOn(context);
  });
  const other = h("p", { class: "aside" }, t("haveAccount"), " ", h("a", { href: `#/sign-in${nextOf(context)}` }, t("signIn")));
  return page(t("signUp"), t("signUpLede"), form, other);
}

/** @param {string} title @param {string} lede @param {HTMLElement} form @param {HTMLElement} other @returns {View} */
function page(title, lede, form, other) {
  const heading = h("h1", { tabindex: -1 }, title);
  return { root: h("div", { class: "panel" }, heading, h("p", { class: "lede" }, lede), form, other), title };
}

/** @param {Context} context */
function goOn({ query }) {
  const next = query.get("next") ?? "/";
  location.hash = next.startsWith("/") ? `#${next}` : "#/";
}

/** @param {Context} context */
const nextOf = ({ query }) => (query.has("next") ? `?${query}` : "");

/**
 * @param {string} id @param {Field[]} fields @param {string} action
 * @param {(values: Record<string, string>) => Promise<void>} submit
 */
function accountForm(id, fields, action, submit) {
  const rows = fields.map((field) => fieldRow(id, field));
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const button = h("button", { class: "button primary wide", type: "submit" }, action);
  // The server judges what is valid, in one place for all clients; only blanks are caught before.
  const form = h("form", { id, novalidate: true, submit: send }, ...rows.map((row) => row.root), problem, button);

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
    const elsewhere = [];
    for (const { field, message } of error.errors) {
      const row = rows.find(({ name }) => name === field.split(/[./]/).pop());
      if (row) row.setError(refusal(row.name, message));
      else elsewhere.push(message);
    }
    const placed = elsewhere.length < error.errors.length;
    setProblem(elsewhere.join(" ") || (placed ? "" : error.message || t("unreachable")));
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
  const described = hint ? `${id}-hint ${id}-error` : `${id}-error`;
  const input = h("input", {
    id, name, type, autocomplete, required, "aria-describedby": described,
    autocapitalize: "none", spellcheck: "false",
  });
  const root = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label, !required && h("span", { class: "optional" }, ` (${t("optional")})`)),
    input,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
    error,
  );
  return {
    root,
    name,
    required,
    // A password is what was typed, blanks included.
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
