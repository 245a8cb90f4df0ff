import { playhead } from "../api.js";
import { h } from "../dom.js";
import { follow } from "../follow.js";
import { t } from "../i18n.js";

/** @typedef {import("../playhead.js").Preferences} Preferences */

/**
 * A line that says what is not kept of the viewer, with the way to the settings.
 * @param {Partial<Record<Preferences["history"], string>>} texts by the history mode
 * @param {AbortSignal} signal aborted when the page is left
 */
export function modeHint(texts, signal) {
  const root = h("p", { class: "intro", hidden: true });

  async function read() {
    // Without the preferences the page says nothing about them.
    const preferences = await playhead.preferences().catch(() => null);
    if (preferences) show(preferences);
  }

  /** @param {Preferences} preferences */
  function show({ history }) {
    const text = texts[history];
    root.hidden = !text;
    if (text) root.replaceChildren(text, " ", h("a", { href: "#/settings" }, t("toSettings")));
  }

  void read();
  void follow((event) => event.type === "preferences" && show(event.preferences), signal);
  return root;
}
