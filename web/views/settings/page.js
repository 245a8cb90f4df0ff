import { h } from "../../dom.js";
import { follow } from "../../follow.js";
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

  async function showPreferences() {
    const parts = await preferenceSections(context, life.signal);
    keeping.replaceChildren(...parts);
  }

  async function show() {
    await Promise.all([
      showPreferences(),
      accountSections(context, life.signal).then((parts) => account.append(...parts)),
    ]);
    loading.remove();
  }

  void show();
  void follow(({ type }) => {
    // Nothing changes below the hands of a viewer.
    const isInUse = keeping.contains(document.activeElement);
    if (type === "preferences" && !isInUse) void showPreferences();
  }, life.signal);
  return { root, title: t("settings"), leave: () => life.abort() };
}
