import { h } from "../dom.js";
import { t } from "../i18n.js";
import * as session from "../session.js";
import { signInAddress } from "./header.js";
import { notice } from "./notice.js";

/** @typedef {import("../app.js").View} View */
/** @typedef {import("../app.js").Context} Context */

/**
 * A page of the signed-in viewer. Its module is loaded when the page is opened, so that the library
 * does not wait for it.
 * @param {Context} context @param {string} title
 * @param {() => Promise<{ createPage: (context: Context) => View }>} load
 * @returns {View}
 */
export function memberView(context, title, load) {
  const root = h("div");
  /** @type {View | null} */
  let page = null;
  let round = 0; // the page is created anew when another user signs in

  async function show() {
    const thisRound = ++round;
    void page?.leave?.();
    page = null;
    if (!session.user()) {
      root.replaceChildren(invitation());
      return;
    }
    const heading = h("h1", { tabindex: -1 }, title);
    root.replaceChildren(heading, h("p", { class: "intro", role: "status" }, t("loading")));
    const module = await load().catch(() => null);
    if (thisRound !== round) return;
    if (!module) return context.showMessage(t("unreachable"));
    page = module.createPage(context);
    root.replaceChildren(page.root);
    await page.ready;
  }

  return {
    root,
    title,
    ready: show(),
    leave() {
      round++;
      return page?.leave?.();
    },
    sessionChanged: () => void show(),
  };
}

function invitation() {
  const signIn = h("a", { class: "button primary", href: signInAddress() }, t("signIn"));
  return notice(t("signInFirst"), t("signInFirstHint"), { action: signIn });
}
