import { getVideo, playhead, Problem } from "../api.js";
import { clock, h, imageSource } from "../dom.js";
import { follow } from "../follow.js";
import { refusal, t } from "../i18n.js";
import * as session from "../session.js";
import { signInAddress } from "./header.js";
import { notice } from "./notice.js";
import { offerPlaces } from "./places.js";

/** @typedef {import("../api.js").Video} Video */
/** @typedef {import("../app.js").Context} Context */
/** @typedef {import("../app.js").View} View */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {import("../playhead.js").Handle} Handle */

/** @param {Context} context @param {number} id of the video @returns {View} */
export function playerView({ setTitle, showMessage }, id) {
  const root = h(
    "div",
    { class: "watch" },
    h("p", { class: "intro", role: "status" }, t("loading")),
  );
  /** @type {ReturnType<typeof playerPage> | null} */
  let page = null;
  let isLeft = false;

  async function show() {
    try {
      const video = await getVideo(id);
      if (isLeft) return;
      page = playerPage(video, showMessage);
      root.replaceChildren(page.root);
      setTitle(video.title);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (isLeft) return;
      const isMissing = error.status === 404;
      const title = t(isMissing ? "videoNotFound" : "failed");
      root.replaceChildren(
        notice(title, isMissing ? t("videoNotFoundHint") : error.message || t("unreachable")),
      );
      setTitle(title);
    }
  }

  return {
    root,
    title: t("loading"),
    ready: show(),
    leave() {
      isLeft = true;
      return page?.leave();
    },
    sessionChanged: () => page?.sessionChanged(),
  };
}

/** @param {Video} video @param {(text: string) => void} showMessage */
function playerPage(video, showMessage) {
  const details = [
    t("by", { name: video.uploader_username }),
    video.duration !== null && clock(video.duration),
  ];
  const about = h(
    "div",
    { class: "about" },
    h("h1", { tabindex: -1 }, video.title),
    h("p", { class: "facts" }, details.filter(Boolean).join(" · ")),
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
    showMessage(
      t(element.error?.code === MediaError.MEDIA_ERR_NETWORK ? "mediaNetworkError" : "mediaError"),
    );
  });
  const panel = positionPanel(element, video.id);
  element.src = video.stream_url;
  const root = h(
    "article",
    {},
    h("div", { class: "stage" }, element),
    about,
    panel.root,
    description,
  );

  async function leave() {
    const saved = panel.leave();
    // An element that is only removed from the page would go on loading and playing.
    element.pause();
    element.removeAttribute("src");
    element.load();
    await saved;
  }

  return { root, leave, sessionChanged: panel.sessionChanged };
}

/**
 * The part of the page that is about the position: the attached player, the text of its state, and
 * two buttons.
 * @param {HTMLVideoElement} element @param {number} id
 */
function positionPanel(element, id) {
  const resumed = h("p", { id: "resumed", class: "resumed", hidden: true });
  const status = h("p", {
    id: "save-status",
    class: "status",
    role: "status",
    "aria-live": "polite",
  });
  const startOver = h(
    "button",
    { id: "start-over", class: "button", type: "button", click: playFromStart },
    t("startOver"),
  );
  const forget = h(
    "button",
    {
      id: "forget",
      class: "button quiet",
      type: "button",
      title: t("forgetHint"),
      click: forgetPosition,
    },
    t("forget"),
  );
  const places = offerPlaces(element, id, () => handle);
  const actions = h("div", { class: "actions" }, startOver, forget);
  const invitation = h(
    "p",
    { class: "invitation" },
    h("a", { href: signInAddress() }, t("signInToSave")),
  );
  const root = h(
    "div",
    { class: "position" },
    actions,
    h("div", { class: "states" }, resumed, status),
    places.root,
    invitation,
  );
  /** @type {Handle | null} */
  let handle = null;
  /** @type {number | undefined} The user who is signed in, or was last. */
  let viewer;
  let hasChosen = false; // whether a visitor has chosen a position
  element.addEventListener("seeking", () => (hasChosen ||= handle === null));

  /** @param {boolean} resume */
  function attach(resume) {
    const user = session.user();
    viewer = user?.id ?? viewer;
    forget.hidden = !user;
    invitation.hidden = Boolean(user);
    const options = { onState, onEntry: places.update, resume };
    handle = user ? playhead.attach(element, id, options) : null;
  }

  /** @param {PlayheadEvent} event */
  function onState(event) {
    const { state, position } = event;
    if (state === "ready") {
      resumed.hidden = position === 0;
      resumed.textContent = t("resumedAt", { time: clock(position) });
      return places.ready();
    }
    status.dataset.state = state;
    status.textContent = statusText(event) ?? status.textContent;
  }

  async function playFromStart() {
    resumed.hidden = true;
    const offerUndo = places.startOver();
    const started = handle?.startOver();
    if (!handle) element.currentTime = 0;
    offerUndo();
    await (started ?? element.play().catch(() => {}));
  }

  async function forgetPosition() {
    forget.disabled = true;
    try {
      await playhead.forget(id);
      places.hide();
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
  const life = new AbortController();
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "visible" && places.lookAround(),
    { signal: life.signal },
  );
  void follow((event) => {
    if (event.type === "resync") void places.lookAround();
    if (event.type === "cleared") places.hide();
    if (event.type !== "entry" || event.videoId !== id || event.isOwn) return;
    places.follow(event.entry);
  }, life.signal);

  return {
    root,
    leave() {
      life.abort();
      return handle?.detach();
    },
    sessionChanged() {
      places.forget();
      // The position belongs to the previous user, for whom it waits in the queue.
      void handle?.detach();
      resumed.hidden = true;
      status.textContent = "";
      // Another user begins at their own position. So does a visitor who signs in, unless they have
      // chosen one. For the same user the video goes on undisturbed.
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

/** @param {PlayheadEvent} event */
function statusText({ state, position, kept, error }) {
  const time = clock(position);
  if (state === "saved") return t("savedAt", { time });
  if (state === "superseded") return t("superseded", { time });
  if (state === "not-stored") return t("notStored");
  if (kept && error?.status === 0) return t("offline", { time });
  if (state === "retrying") return t("retrying");
  if (state === "gone") return t("gone");
  if (state !== "failed") return null; // after "signed-out" the page shows the invitation
  return t("saveRefused", { detail: refusal(error?.code ?? "", error?.message ?? "") });
}
