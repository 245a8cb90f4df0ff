/** The adapter of Video.js, whose own types a compiler finds with `bundler` only. */
import { createPlayhead } from "playhead";
import { registerPlayhead, type WithPlayhead } from "playhead/videojs";
import videojs from "video.js";

registerPlayhead(videojs, createPlayhead({ getToken: () => null }));
const player = videojs("film") as ReturnType<typeof videojs> & WithPlayhead;
player.playhead({ videoId: 3 }).suspend();
