import { deviceHere } from "../api.js";
import { clock } from "../dom.js";
import { t } from "../i18n.js";
import { playingForMs } from "../playing.js";

/** @typedef {import("../playhead.js").Entry} Entry */

/** A place that is nearer is where the viewer is already. In seconds. */
const APART_SECONDS = 5;
/**
 * Offers the place of a device that plays the same video while it is paused here. Nobody is moved:
 * the viewer goes there, or stays.
 * @param {HTMLVideoElement} element @param {ReturnType<typeof import("./offer.js").offerLine>} line
 * @param {(place: number) => unknown} goTo
 */
export function offerElsewhere(element, line, goTo) {
  /** @type {Entry | null} The entry before, which may be of this player. */
  let last = null;
  let isDismissed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let silence;

  function hide() {
    clearTimeout(silence);
    if (line.kind() === "elsewhere") line.hide();
  }

  /** @param {Entry} entry @param {boolean} isPlaying */
  function show(entry, isPlaying) {
    const place = entry.resume_at;
    line.show({
      kind: "elsewhere",
      text: elsewhereText(entry.device, place, isPlaying),
      action: t("goThere"),
      at: Math.floor(element.currentTime),
      take: () => goTo(place),
      dismiss: () => (isDismissed = true),
    });
  }

  element.addEventListener("play", () => {
    isDismissed = false;
    hide();
  });

  return {
    hide,

    /** The server has answered this player. @param {Entry | null} entry */
    noteOwn(entry) {
      last = entry;
      // The viewer has moved on here. The place of the other device may now be the previous one.
      if (entry?.applied !== false) hide();
    },

    /** Another device has saved. @param {Entry} entry */
    moved(entry) {
      if (entry.updated_at === last?.updated_at) return;
      const playingMs = playingForMs(last, entry);
      last = entry;
      const isApart = Math.abs(entry.resume_at - element.currentTime) > APART_SECONDS;
      if (!element.paused || entry.resume_at === 0 || !isApart) return hide();
      // An undo that is offered stays.
      if (isDismissed || line.kind() === "undo") return;
      clearTimeout(silence);
      show(entry, playingMs > 0);
      if (playingMs === 0) return;
      silence = setTimeout(() => line.kind() === "elsewhere" && show(entry, false), playingMs);
    },
  };
}

/** @param {string | null} device @param {number} place @param {boolean} isPlaying */
function elsewhereText(device, place, isPlaying) {
  if (!isPlaying) return placeText(device, place);
  const time = clock(place);
  // Two browsers may call themselves the same.
  const isNamed = device !== null && device !== deviceHere;
  return isNamed ? t("playingOn", { device, time }) : t("playingElsewhere", { time });
}

/** Where a device was. @param {string | null} device @param {number} place */
export function placeText(device, place) {
  const time = clock(place);
  if (device === null) return t("anotherDeviceWasAt", { time });
  return device === deviceHere ? t("youWereAt", { time }) : t("deviceWasAt", { device, time });
}
