import { h } from "../dom.js";
import { t } from "../i18n.js";

/** A viewer who is that far before, or after, where they were has moved on. In seconds. */
const BEFORE_SECONDS = 15;
const AFTER_SECONDS = 60;

/**
 * - kind: "undo" for what the viewer did here, "previous" for a place that was given up,
 *   "elsewhere" for the place where another device is
 * - text: what is offered, such as a place
 * - action: the text of the button that takes it
 * - at: where the viewer is, in seconds
 * - dismiss: called when the viewer closes the line
 * @typedef {"undo" | "previous" | "elsewhere"} OfferKind
 * @typedef {{ kind: OfferKind, text: string, action: string, at: number, take: () => unknown,
 *   dismiss?: () => unknown }} Offer
 */

/**
 * A line that offers the viewer something until they take it, dismiss it or move on.
 * @param {HTMLVideoElement} element
 */
export function offerLine(element) {
  const text = h("span", { role: "status" });
  const action = h("button", { id: "take-offer", class: "button", type: "button" });
  const close = h(
    "button",
    { id: "dismiss-offer", class: "button quiet", type: "button", click: dismiss },
    h("span", { "aria-hidden": "true" }, "×"),
    h("span", { class: "sr-only" }, t("close")),
  );
  const root = h("div", { id: "offer", class: "offer", hidden: true }, text, action, close);
  let [least, most] = [0, Infinity];
  /** @type {Offer | null} The newest offer, which is hidden if the line is. */
  let shown = null;

  const kind = () => (root.hidden ? null : (shown?.kind ?? null));

  /** @param {Offer} offer */
  function show(offer) {
    const { text: words, action: label, at, take } = offer;
    [least, most] = [at - BEFORE_SECONDS, at + AFTER_SECONDS];
    // A device that plays on is not announced at each of its saves.
    const isUpdate = offer.kind === "elsewhere" && kind() === "elsewhere";
    text.setAttribute("aria-live", isUpdate ? "off" : "polite");
    shown = offer;
    root.hidden = false;
    text.textContent = words;
    action.textContent = label;
    action.onclick = () => {
      hide();
      take();
    };
  }

  function dismiss() {
    shown?.dismiss?.();
    hide();
  }

  function hide() {
    // The focus must not get lost with the button that has it.
    if (root.contains(document.activeElement)) element.focus();
    root.hidden = true;
    text.textContent = "";
  }

  for (const event of ["timeupdate", "seeked"]) {
    element.addEventListener(event, () => {
      const { currentTime, seeking } = element;
      if (!root.hidden && !seeking && (currentTime < least || currentTime > most)) hide();
    });
  }

  return { root, kind, show, hide };
}
