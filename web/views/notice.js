import { h } from "../dom.js";
import { t } from "../i18n.js";

/**
 * A page, or a part of one, that says why there is nothing and what to do about it.
 * @param {string} title @param {string | Node} hint @param {{ level?: "h1" | "h2", action?: HTMLElement | null }} [options]
 */
export function notice(title, hint, { level = "h1", action = h("a", { class: "button", href: "#/" }, t("toLibrary")) } = {}) {
  return h("div", { class: "notice" }, h(level, { tabindex: -1 }, title), h("p", {}, hint), action);
}
