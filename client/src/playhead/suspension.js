/** What becomes of the player while its element plays something else, such as an advertisement. */
import { SEEK_TOLERANCE_SECONDS, reset, start } from "./actions.js";
import { announceDuration, fragmentOf } from "./playback.js";
import { count, record } from "./saving.js";

/** @typedef {import("./machine.js").Step} Step */

/** The element is about to play something else. @param {Step} step */
export function suspend(step) {
  record(step);
  reset(step);
  step.state.phase = "suspended";
}

/** The element has the video again, or is about to. @param {Step} step */
export function unsuspend(step) {
  const { state, reading, effects } = step;
  state.phase = "waiting";
  if (!reading.hasMetadata) return;
  state.isReloading = false;
  announceDuration(state, reading);
  count(step);
  state.fragment = fragmentOf(reading.source);
  // An advertisement beside the element has left it where it was.
  const distance = Math.abs(reading.currentTime - state.resumeTarget);
  if (distance < SEEK_TOLERANCE_SECONDS) state.seekTarget = state.resumeTarget;
  if (state.isStartOverPending) effects.push({ type: "seek", to: 0 });
  else if (reading.seeking) {
    // That seek is of the other video, and no choice.
    state.phase = "resuming";
    state.seekTarget = reading.currentTime;
  }
  start(step);
}
