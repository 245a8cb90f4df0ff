/**
 * The shell: header, messages, and the one view that the address's hash asks for.
 *
 * @typedef {object} View
 * @property {HTMLElement} root
 * @property {string} title
 * @property {Promise<unknown>} [ready] settles when the heading is there to be focused
 * @property {() => void | Promise<void>} [leave] puts an end to it; done when its last request is answered
 * @property {() => void} [sessionChanged] somebody signed in or out, here or in another tab
 *
 * What a view may use. `settled` is done when the view before has said its last to the server.
 * @typedef {object} Context
 * @property {string} path
 * @property {URLSearchParams} query
 * @property {Promise<unknown>} settled
 * @property {(title: string) => void} setTitle
 * @property {(text: string) => void} showMessage an empty text takes the message away
 */
import { playhead, signOut } from "./api.js";
import { h } from "./dom.js";
import { language, t } from "./i18n.js";
import * as session from "./session.js";
import { signInView, signUpView } from "./views/account.js";
import { createHeader } from "./views/header.js";
import { libraryView } from "./views/library.js";
import { notice } from "./views/notice.js";
import { playerView } from "./views/player.js";

/** How long the next view waits for the last save of the one before. */
const SETTLE_MS = 1_500;

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const skip = /** @type {HTMLElement} */ (document.getElementById("skip"));
const message = h("p", { id: "message", class: "message", role: "alert", hidden: true });
const stage = h("div", { class: "view" });

/** @type {View | null} */
let view = null;
let signingOut = false;

/** @param {string} title */
const setTitle = (title) => (document.title = title ? `${title} · Playhead` : "Playhead");

/** @param {string} text */
function showMessage(text) {
  message.textContent = text;
  message.hidden = !text;
}

/** @param {Context} context @returns {View} */
function viewFor(context) {
  const { path } = context;
  if (path === "/") return libraryView(context);
  if (path === "/sign-in") return signInView(context);
  if (path === "/sign-up") return signUpView(context);
  const id = /^\/videos\/(\d+)$/.exec(path)?.[1];
  if (id) return playerView(context, Number(id));
  return { root: notice(t("pageNotFound"), t("pageNotFoundHint")), title: t("pageNotFound") };
}

async function route() {
  const ours = location.hash.startsWith("#/");
  // Any other hash, such as that of an anchor, changes nothing on the page.
  if (view && location.hash && !ours) return;
  const [path, search] = (ours ? location.hash.slice(1) : "/").split("?");
  const query = new URLSearchParams(search);
  const first = view === null;
  const settled = within(SETTLE_MS, Promise.all([view?.leave?.(), playhead.deliver()]));
  showMessage("");
  const shown = (view = viewFor({ path, query, settled, setTitle, showMessage }));
  setTitle(shown.title);
  header.update(path, query.get("q") ?? "");
  stage.replaceChildren(shown.root);
  scrollTo(0, 0);
  await shown.ready;
  if (first || view !== shown) return;
  // Whoever cannot see the page change is told by the focus.
  if (!stage.contains(document.activeElement) && !header.isTyping()) stage.querySelector("h1")?.focus({ preventScroll: true });
}

/** @param {number} ms @param {unknown} work */
const within = (ms, work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms))]).catch(() => {});

async function leaveAndSignOut() {
  signingOut = true;
  // The player's last save still needs the token.
  await within(SETTLE_MS, view?.leave?.());
  signOut();
  signingOut = false;
  if (location.hash === "" || location.hash === "#/") await route();
  else location.hash = "#/";
}

const header = createHeader(leaveAndSignOut);
document.documentElement.lang = language;
skip.textContent = t("skip");
skip.addEventListener("click", (event) => {
  event.preventDefault(); // its hash would be taken for an address
  main.focus();
});
document.getElementById("header")?.replaceWith(header.root);
main.replaceChildren(message, stage);

session.onChange(() => {
  header.updateAccount();
  if (signingOut) return;
  void playhead.deliver(); // what waited for this user to come back
  showMessage(session.user() ? "" : t("sessionEnded"));
  view?.sessionChanged?.();
});
addEventListener("hashchange", route);
void route();
