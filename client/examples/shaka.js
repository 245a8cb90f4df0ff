import { createPlayhead } from "playhead";
import { loadWithPlayhead } from "playhead/shaka";
import shaka from "shaka-player";
import { getToken, readSource, showState, videoId, whenSignedIn } from "./session.js";

const player = new shaka.Player();
await player.attach(/** @type {HTMLVideoElement} */ (document.querySelector("#player")));
const { src, type } = await readSource();

whenSignedIn(() => {
  const playhead = createPlayhead({ getToken });
  const options = { mimeType: type, onState: showState };
  void loadWithPlayhead(player, playhead, videoId, src, options);
  return playhead.destroy;
});
