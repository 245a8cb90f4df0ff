import { base } from "../base.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import * as session from "../session.js";

/** The header of all pages. @param {() => unknown} onSignOut */
export function createHeader(onSignOut) {
  const field = h("input", {
    type: "search",
    name: "q",
    id: "search",
    placeholder: t("search"),
    autocomplete: "off",
    maxlength: 200,
  });
  const form = h(
    "form",
    { class: "search", role: "search", "aria-label": t("searchLabel"), submit: search },
    h("label", { class: "sr-only", for: "search" }, t("searchLabel")),
    field,
  );
  const account = h("div", { class: "account", role: "group", "aria-label": t("accountNav") });
  const links = [
    h("a", { href: "#/history" }, t("history")),
    h("a", { href: "#/statistics" }, t("statistics")),
    h("a", { href: "#/settings" }, t("settings")),
  ];
  const pages = h("nav", { class: "pages", "aria-label": t("pagesNav") }, ...links);
  const root = h(
    "header",
    { class: "header" },
    h(
      "a",
      { class: "brand", href: "#/" },
      h("img", { src: `${base}/favicon.svg`, alt: "", width: 28, height: 28 }),
      "Playhead",
    ),
    form,
    pages,
    account,
  );
  let query = "";

  // An emptied field ends the search without Enter.
  field.addEventListener("input", () => field.value === "" && query && search());

  /** @param {Event} [event] */
  function search(event) {
    event?.preventDefault();
    const words = field.value.trim();
    location.hash = words ? `#/?${new URLSearchParams({ q: words })}` : "#/";
  }

  function updateAccount() {
    const user = session.user();
    pages.hidden = !user;
    if (!user) {
      account.replaceChildren(
        h("a", { class: "button quiet", href: signInAddress() }, t("signIn")),
        h("a", { class: "button primary", href: "#/sign-up" }, t("signUp")),
      );
      return;
    }
    const name = h(
      "span",
      { id: "signed-in-user", class: "user", title: t("signedInAs", { name: user.username }) },
      user.username,
    );
    account.replaceChildren(
      name,
      h(
        "button",
        { id: "sign-out", class: "button quiet", type: "button", click: onSignOut },
        t("signOut"),
      ),
    );
  }

  /** @param {string} path @param {string} words */
  function update(path, words) {
    query = words;
    // A change of the page keeps what is being typed.
    if (document.activeElement !== field || words) field.value = words;
    updateAccount();
    for (const link of [...links, ...account.querySelectorAll("a")]) {
      if (link.hash.startsWith(`#${path}`) && path !== "/")
        link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** Whether the viewer has just emptied the field, and is likely to type the next search. */
  const isTyping = () => document.activeElement === field && field.value === "";

  return { root, update, updateAccount, isTyping };
}

/** The address of the sign-in page, which leads back to the page that is open. */
export function signInAddress() {
  const here = location.hash.slice(1);
  return /^\/(videos|history|statistics|settings)\b/.test(here)
    ? `#/sign-in?${new URLSearchParams({ next: here })}`
    : "#/sign-in";
}
