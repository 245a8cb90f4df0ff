import { playhead } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";

/** @typedef {import("../playhead.js").Preferences} Preferences */

/**
 * A line that says what is not kept of the viewer, with the way to the settings.
 * @param {Partial<Record<Preferences["history"], string>>} texts by the history mode
 */
export function modeHint(texts) {
  const root = h("p", { class: "intro", hidden: true });

  async function read() {
    // Without the preferences the page says nothing about them.
    const preferences = await playhead.preferences().catch(() => null);
    const text = preferences && texts[preferences.history];
    if (!text) return;
    root.replaceChildren(text, " ", h("a", { href: "#/settings" }, t("toSettings")));
    root.hidden = false;
  }

  void read();
  return root;
}
