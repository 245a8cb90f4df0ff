import { h } from "../dom.js";
import { t } from "../i18n.js";

/**
 * Says why a page, or a part of it, is empty, and what to do.
 * @param {string} title @param {string | Node} hint
 * @param {{ level?: "h1" | "h2", action?: HTMLElement | null }} [options]
 */
export function notice(
  title,
  hint,
  { level = "h1", action = h("a", { class: "button", href: "#/" }, t("toLibrary")) } = {},
) {
  return h("div", { class: "notice" }, h(level, { tabindex: -1 }, title), h("p", {}, hint), action);
}
