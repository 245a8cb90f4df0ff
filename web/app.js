/**
 * The frame of the pages: the header, the message, and the view that the hash of the address names.
 *
 * - ready: settles when the heading can take the focus
 * - leave: ends the view; done when its last request is answered
 * - sessionChanged: another user has signed in, or nobody is signed in, here or in another tab
 * @typedef {object} View
 * @property {HTMLElement} root
 * @property {string} title
 * @property {Promise<unknown>} [ready]
 * @property {() => void | Promise<void>} [leave]
 * @property {() => void} [sessionChanged]
 *
 * What a view may use.
 * - settled: done when the previous view has saved its last position
 * - showMessage: an empty text removes the message
 * @typedef {object} Context
 * @property {string} path
 * @property {URLSearchParams} query
 * @property {Promise<unknown>} settled
 * @property {(title: string) => void} setTitle
 * @property {(text: string) => void} showMessage
 * @property {() => void} accountChanged shows another name of the user in the header
 */
import { playhead, signOut } from "./api.js";
import { h } from "./dom.js";
import { language, t } from "./i18n.js";
import * as session from "./session.js";
import { signInView, signUpView } from "./views/account.js";
import { createHeader } from "./views/header.js";
import { libraryView } from "./views/library.js";
import { memberView } from "./views/member.js";
import { notice } from "./views/notice.js";
import { playerView } from "./views/player.js";

/** How long the next view waits for the last save of the previous one. */
const SETTLE_MS = 1_500;

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const skip = /** @type {HTMLElement} */ (document.getElementById("skip"));
const message = h("p", { id: "message", class: "message", role: "alert", hidden: true });
const stage = h("div", { class: "view" });

/** @type {View | null} */
let view = null;
let isSigningOut = false;

/** @param {string} title */
const setTitle = (title) => (document.title = title ? `${title} · Playhead` : "Playhead");

/** @param {string} text */
function showMessage(text) {
  message.textContent = text;
  message.hidden = !text;
}

/** @param {Context} context @returns {View} */
function createView(context) {
  const { path } = context;
  if (path === "/") return libraryView(context);
  if (path === "/sign-in") return signInView(context);
  if (path === "/sign-up") return signUpView(context);
  if (path === "/history")
    return memberView(context, t("history"), () => import("./views/history/page.js"));
  if (path === "/statistics")
    return memberView(context, t("statistics"), () => import("./views/statistics/page.js"));
  if (path === "/settings")
    return memberView(context, t("settings"), () => import("./views/settings/page.js"));
  const id = /^\/videos\/(\d+)$/.exec(path)?.[1];
  if (id) return playerView(context, Number(id));
  return { root: notice(t("pageNotFound"), t("pageNotFoundHint")), title: t("pageNotFound") };
}

async function showRoute() {
  const isRoute = location.hash.startsWith("#/");
  // Any other hash, such as that of an anchor, names no view.
  if (view && location.hash && !isRoute) return;
  const [path, search] = (isRoute ? location.hash.slice(1) : "/").split("?");
  const query = new URLSearchParams(search);
  const isFirst = view === null;
  const settled = within(SETTLE_MS, Promise.all([view?.leave?.(), playhead.deliver()]));
  showMessage("");
  const shown = (view = createView({
    path,
    query,
    settled,
    setTitle,
    showMessage,
    accountChanged,
  }));
  setTitle(shown.title);
  header.update(path, (path === "/" && query.get("q")) || "");
  stage.replaceChildren(shown.root);
  scrollTo(0, 0);
  await shown.ready;
  if (isFirst || view !== shown) return;
  // The focus on the heading makes a screen reader announce the new view.
  if (stage.contains(document.activeElement) || header.isTyping()) return;
  stage.querySelector("h1")?.focus({ preventScroll: true });
}

/** Waits for a task, but not longer than this. @param {number} ms @param {unknown} task */
const within = (ms, task) =>
  Promise.race([task, new Promise((resolve) => setTimeout(resolve, ms))]).catch(() => {});

async function leaveAndSignOut() {
  isSigningOut = true;
  // The last save of the player needs the token.
  await within(SETTLE_MS, view?.leave?.());
  signOut();
  isSigningOut = false;
  if (location.hash === "" || location.hash === "#/") await showRoute();
  else location.hash = "#/";
}

const header = createHeader(leaveAndSignOut);
const accountChanged = () => header.updateAccount();
document.documentElement.lang = language;
skip.textContent = t("skip");
skip.addEventListener("click", (event) => {
  event.preventDefault(); // the router would take its hash for an address
  main.focus();
});
document.getElementById("header")?.replaceWith(header.root);
main.replaceChildren(message, stage);

session.onChange(() => {
  header.updateAccount();
  if (isSigningOut) return;
  void playhead.deliver(); // the saves that wait for this user
  showMessage(session.user() ? "" : t("sessionEnded"));
  view?.sessionChanged?.();
});
addEventListener("hashchange", showRoute);
void showRoute();
