import { createPlayhead } from "playhead";
import { registerPlayhead } from "playhead/videojs";
import videojs from "video.js";
import "video.js/dist/video-js.css";
import { getToken, readSource, showState, videoId, whenSignedIn } from "./session.js";

/** @typedef {import("playhead/videojs").WithPlayhead} WithPlayhead */

registerPlayhead(videojs, createPlayhead({ getToken }));
const player = /** @type {ReturnType<typeof videojs> & WithPlayhead} */ (videojs("player"));
const source = await readSource();

whenSignedIn(() => {
  player.src(source);
  const handle = player.playhead({ videoId, onState: showState });
  return handle.detach;
});
