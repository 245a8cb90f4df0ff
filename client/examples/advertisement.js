/**
 * A clip in the middle of a film, in the same element, as advertisements are shown. The address has
 * it as `clip=2`, the id of another video.
 */
import { createPlayhead } from "playhead";
import { getToken, readSource, showState, videoId, whenSignedIn } from "./session.js";

const video = /** @type {HTMLVideoElement} */ (document.querySelector("#player"));
const button = /** @type {HTMLButtonElement} */ (document.querySelector("#clip"));
const clip = new URLSearchParams(location.search).get("clip") ?? "2";
const { src } = await readSource();

whenSignedIn(() => {
  const playhead = createPlayhead({ getToken });
  video.src = src;
  const handle = playhead.attach(video, videoId, { onState: showState });
  button.onclick = () => {
    handle.suspend();
    video.src = `/api/v1/videos/${clip}/stream`;
    void video.play();
    const goOn = () => {
      video.src = src;
      handle.unsuspend();
      void video.play();
    };
    video.addEventListener("ended", goOn, { once: true });
  };
  return playhead.destroy;
});
