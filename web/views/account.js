import { signIn, signUp } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { fieldForm } from "./form.js";

/** @typedef {import("../app.js").View} View */
/** @typedef {import("../app.js").Context} Context */
/** @typedef {import("./form.js").Field} Field */

/** @param {Context} context @returns {View} */
export function signInView(context) {
  /** @type {Field[]} */
  const fields = [
    { name: "username", label: t("nameOrEmail"), autocomplete: "username" },
    { name: "password", label: t("password"), type: "password", autocomplete: "current-password" },
  ];
  const form = fieldForm("sign-in-form", fields, t("signIn"), async ({ username, password }) => {
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
  const form = fieldForm(
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
