import { playhead } from "../api.js";
import { clock } from "../dom.js";
import { t } from "../i18n.js";
import { offerElsewhere, placeText } from "./elsewhere.js";
import { offerLine } from "./offer.js";

/** @typedef {import("../playhead.js").Entry} Entry */
/** @typedef {import("../playhead.js").Handle} Handle */

/** The server keeps a place as given up if it was left by more than this. */
const FAR_SECONDS = 30;
/** Places are whole seconds. */
const SAME_SECONDS = 2;
/** How long the viewer waits for the server before they go to a place. */
const UNDO_MS = 3_000;

/**
 * Offers the places that were given up in a video: by another device, or by starting over.
 * @param {HTMLVideoElement} element @param {number} id of the video
 * @param {() => Handle | null} currentHandle null for a visitor
 */
export function offerPlaces(element, id, currentHandle) {
  const line = offerLine(element);
  const elsewhere = offerElsewhere(element, line, goTo);
  /** @type {Entry | null} The newest entry that the server has answered with. */
  let entry = null;
  /** @type {string | undefined} When the place was left that was offered last, or not to be. */
  let knownAt;
  /** @type {number | null} The place that the viewer has just left here, by a button. */
  let leftPlace = null;
  let isReady = false;

  const here = () => Math.floor(element.currentTime);
  /** @param {number} place */
  const isFar = (place) => Math.abs(place - element.currentTime) > FAR_SECONDS;

  function ready() {
    isReady = true;
    offerPrevious();
  }

  /** The server has answered this player. @param {Entry | null} newest */
  function update(newest) {
    entry = newest;
    elsewhere.noteOwn(newest);
    if (isReady) offerPrevious();
  }

  function offerPrevious() {
    const previous = entry?.previous;
    if (!previous || previous.at === knownAt) return;
    knownAt = previous.at;
    const isOwn = leftPlace !== null && Math.abs(previous.position - leftPlace) <= SAME_SECONDS;
    if (isOwn || previous.position === 0 || !isFar(previous.position)) return;
    line.show({
      kind: "previous",
      text: placeText(previous.device, previous.position),
      action: t("goThere"),
      at: here(),
      take: () => returnTo(previous.position),
    });
  }

  /**
   * Goes to the place that was given up, and offers the way back.
   * @param {number} place
   */
  async function returnTo(place) {
    leftPlace = here();
    await undo(leftPlace, place);
    await goTo(place);
    const from = leftPlace;
    line.show({
      kind: "undo",
      text: t("youWereAt", { time: clock(from) }),
      action: t("goBack"),
      at: place,
      take: () => returnTo(from),
    });
  }

  /**
   * Tells the server, so that the place left becomes the one to go back to.
   * @param {number} from @param {number} to
   */
  async function undo(from, to) {
    if (!currentHandle() || Math.abs(from - to) <= FAR_SECONDS) return;
    const late = new Promise((resolve) => setTimeout(resolve, UNDO_MS, null));
    // Without an answer the viewer goes there all the same, and the seek is saved.
    const changed = await Promise.race([playhead.undo(id).catch(() => null), late]);
    if (changed) knownAt = changed.previous?.at;
  }

  /** @param {number} place */
  async function goTo(place) {
    const handle = currentHandle();
    if (handle) await handle.goTo(place);
    else element.currentTime = place;
  }

  /** Call it before the viewer starts over. */
  function startOver() {
    const place = here();
    leftPlace = place;
    return () => {
      if (place === 0) return;
      line.show({
        kind: "undo",
        text: t("startedOver"),
        action: t("undo"),
        at: 0,
        async take() {
          await undo(0, place);
          await goTo(place);
        },
      });
    };
  }

  /** The page is seen again: another device may have played on meanwhile. */
  async function lookAround() {
    if (!currentHandle() || !isReady || !element.paused) return;
    const newest = await playhead.load(id).catch(() => null);
    if (newest && element.isConnected) follow(newest);
  }

  /**
   * The server has an entry that no player of this page has caused.
   * @param {Entry | null} newest null after its deletion
   */
  function follow(newest) {
    if (!currentHandle() || !isReady) return;
    if (!newest) return line.hide();
    // A change that was polled may be of this player's own save.
    if (entry && newest.updated_at <= entry.updated_at) return;
    elsewhere.moved(newest);
  }

  function forget() {
    line.hide();
    elsewhere.hide();
    [entry, leftPlace] = [null, null];
    isReady = false;
  }

  const { root, hide } = line;
  return { root, ready, update, startOver, lookAround, follow, forget, hide };
}
