import { createPlayhead } from "playhead";
import { createMediaStorage } from "playhead/vidstack";
import "vidstack/player";
import "vidstack/player/styles/base.css";
import { getToken, readSource, showState, videoId, whenSignedIn } from "./session.js";

/** @typedef {import("vidstack/elements").MediaPlayerElement} MediaPlayerElement */
const player = /** @type {MediaPlayerElement} */ (document.querySelector("media-player"));
const { src, type } = await readSource();

whenSignedIn(() => {
  const playhead = createPlayhead({ getToken });
  player.storage = createMediaStorage(playhead, player, () => videoId, { onState: showState });
  player.src = { src, type: /** @type {"video/mp4"} */ (type) };
  return async () => {
    await playhead.destroy();
    player.src = "";
  };
});
