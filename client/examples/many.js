/** Twenty players at once, which all go when the user signs out. */
import { createPlayhead } from "playhead";
import { createLive } from "playhead/live";
import { getToken, readSource, showState, videoId, whenSignedIn } from "./session.js";

const PLAYERS = 20;
const root = /** @type {HTMLElement} */ (document.querySelector("#players"));
const { src } = await readSource();

whenSignedIn(() => {
  const playhead = createPlayhead({ getToken });
  for (let player = 0; player < PLAYERS; player++) {
    const video = document.createElement("video");
    Object.assign(video, { src, muted: true, autoplay: true });
    root.append(video);
    playhead.attach(video, videoId, { onState: showState });
  }
  // What other devices do is told to this page as well.
  createLive(playhead).subscribe((event) => console.log(event));
  return async () => {
    await playhead.destroy();
    root.replaceChildren();
  };
});
