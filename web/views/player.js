import { getVideo, playhead, Problem } from "../api.js";
import { clock, h, imageSource } from "../dom.js";
import { refusal, t } from "../i18n.js";
import * as session from "../session.js";
import { signInAddress } from "./header.js";
import { notice } from "./notice.js";

/** @typedef {import("../api.js").Video} Video */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("../playhead.js").Handle} Handle */

/** @param {import("../app.js").Context} context @param {number} id @returns {import("../app.js").View} */
export function playerView({ setTitle, showMessage }, id) {
  const root = h("div", { class: "watch" }, h("p", { class: "lede", role: "status" }, t("loading")));
  /** @type {ReturnType<typeof playerPage> | null} */
  let page = null;
  let left = false;

  async function show() {
    try {
      const video = await getVideo(id);
      if (left) return;
      page = playerPage(video, showMessage);
      root.replaceChildren(page.root);
      setTitle(video.title);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (left) return;
      const missing = error.status === 404;
      const title = t(missing ? "videoNotFound" : "failed");
      root.replaceChildren(notice(title, missing ? t("videoNotFoundHint") : error.message || t("unreachable")));
      setTitle(title);
    }
  }

  return {
    root,
    title: t("loading"),
    ready: show(),
    leave() {
      left = true;
      return page?.leave();
    },
    sessionChanged: () => page?.sessionChanged(),
  };
}

/** @param {Video} video @param {(text: string) => void} showMessage */
function playerPage(video, showMessage) {
  const facts = [t("by", { name: video.uploader_username }), video.duration !== null && clock(video.duration)];
  const about = h(
    "div",
    { class: "about" },
    h("h1", { tabindex: -1 }, video.title),
    h("p", { class: "facts" }, facts.filter(Boolean).join(" · ")),
  );
  const description = h("p", { class: "description" }, video.description);
  if (!video.stream_url) {
    const hint = notice(t("noFile"), t("noFileHint"), { level: "h2", action: null });
    return { root: h("article", {}, about, hint, description), leave() {}, sessionChanged() {} };
  }
  const element = h("video", {
    id: "player",
    controls: true,
    playsinline: true,
    preload: "metadata",
    poster: imageSource(video.thumbnail_path),
    "aria-label": video.title,
  });
  element.addEventListener("error", () => {
    showMessage(t(element.error?.code === MediaError.MEDIA_ERR_NETWORK ? "mediaNetworkError" : "mediaError"));
  });
  const memory = watchMemory(element, video.id);
  element.src = video.stream_url;
  const root = h("article", {}, h("div", { class: "stage" }, element), about, memory.root, description);

  async function leave() {
    const saved = memory.leave();
    // Dropped from the page alone, the element would go on loading and playing.
    element.pause();
    element.removeAttribute("src");
    element.load();
    await saved;
  }

  return { root, leave, sessionChanged: memory.sessionChanged };
}

/**
 * What remembers the place: the attached player, its state in words, and its two buttons.
 * @param {HTMLVideoElement} element @param {number} id
 */
function watchMemory(element, id) {
  const resumed = h("p", { id: "resumed", class: "resumed", hidden: true });
  const status = h("p", { id: "save-status", class: "status", role: "status", "aria-live": "polite" });
  const startOver = h("button", { id: "start-over", class: "button", type: "button", click: begin }, t("startOver"));
  const forget = h(
    "button",
    { id: "forget", class: "button quiet", type: "button", title: t("forgetHint"), click: forgetPlace },
    t("forget"),
  );
  const actions = h("div", { class: "actions" }, startOver, forget);
  const invitation = h("p", { class: "invitation" }, h("a", { href: signInAddress() }, t("signInToSave")));
  const root = h("div", { class: "memory" }, actions, h("div", { class: "states" }, resumed, status), invitation);
  /** @type {Handle | null} */
  let handle = null;
  /** @type {number | undefined} Whoever is signed in, or was last. */
  let viewer;
  let hasChosen = false; // where to be, while nobody was signed in
  element.addEventListener("seeking", () => (hasChosen ||= handle === null));

  /** @param {boolean} resume */
  function attach(resume) {
    const user = session.user();
    viewer = user?.id ?? viewer;
    forget.hidden = !user;
    invitation.hidden = Boolean(user);
    handle = user ? playhead.attach(element, id, { onState, resume }) : null;
  }

  /** @param {PlayheadEvent} event */
  function onState({ state, position, kept, error }) {
    if (state === "ready") {
      resumed.hidden = position === 0;
      resumed.textContent = t("resumedAt", { time: clock(position) });
      return;
    }
    status.dataset.state = state;
    if (state === "saved") status.textContent = t("savedAt", { time: clock(position) });
    else if (state === "superseded") status.textContent = t("superseded", { time: clock(position) });
    else if (kept && error?.status === 0) status.textContent = t("offline", { time: clock(position) });
    else if (state === "retrying") status.textContent = t("retrying");
    else if (state === "failed") status.textContent = t("saveRefused", { detail: refusal(error?.code ?? "", error?.message ?? "") });
    else if (state === "gone") status.textContent = t("gone");
    // Signed out: the session says so itself, and the page then shows the invitation.
  }

  async function begin() {
    resumed.hidden = true;
    if (handle) return handle.startOver();
    element.currentTime = 0;
    await element.play().catch(() => {});
  }

  async function forgetPlace() {
    forget.disabled = true;
    try {
      await handle?.forget();
      resumed.hidden = true;
      status.dataset.state = "forgotten";
      status.textContent = t("forgotten");
    } catch {
      status.textContent = t("forgetFailed");
    } finally {
      forget.disabled = false;
    }
  }

  attach(true);

  return {
    root,
    leave: () => handle?.detach(),
    sessionChanged() {
      // The place belongs to whoever was signed in before, and waits for them here.
      void handle?.detach();
      resumed.hidden = true;
      status.textContent = "";
      // Somebody else begins where they were; whoever watched before they signed in is taken to where they had been, unless they
      // went elsewhere; for whoever signs in again a film that was begun goes on undisturbed.
      const user = session.user();
      const isNew = user !== null && user.id !== viewer;
      if (isNew && viewer !== undefined) {
        element.load();
        hasChosen = false;
      }
      attach((isNew && !hasChosen) || element.currentTime === 0);
    },
  };
}
