import { createPlayhead } from "playhead";
import { getToken, readSource, showState, videoId, whenSignedIn } from "./session.js";

const video = /** @type {HTMLVideoElement} */ (document.querySelector("#player"));
const { src } = await readSource();

whenSignedIn(() => {
  const playhead = createPlayhead({ getToken });
  video.src = src;
  playhead.attach(video, videoId, { onState: showState });
  return playhead.destroy;
});
