import { h } from "../../dom.js";
import { t } from "../../i18n.js";
import { accountSections } from "./account.js";
import { preferenceSections } from "./preferences.js";

/** @typedef {import("../../app.js").Context} Context */
/** @typedef {import("../../app.js").View} View */

/** What is kept of the viewer, and their account. @param {Context} context @returns {View} */
export function createPage(context) {
  const life = new AbortController();
  const keeping = h("div");
  const account = h("div");
  const loading = h("p", { class: "intro", role: "status" }, t("loading"));
  const heading = h("h1", { tabindex: -1 }, t("settings"));
  const root = h("div", { class: "settings" }, heading, loading, keeping, account);

  async function show() {
    await Promise.all([
      preferenceSections(context, life.signal).then((parts) => keeping.append(...parts)),
      accountSections(context, life.signal).then((parts) => account.append(...parts)),
    ]);
    loading.remove();
  }

  void show();
  return { root, title: t("settings"), leave: () => life.abort() };
}
