/** The position that an address names. */
import { fragmentOf } from "../src/playhead/playback.js";

/**
 * The second at which an address such as `film.mpd#t=1:30` begins; null if it names none.
 * @param {string} uri
 */
export function namedStart(uri) {
  const [begin] = fragmentOf(uri)?.split(",") ?? [];
  if (begin === undefined) return null;
  return begin.split(":").reduce((seconds, part) => seconds * 60 + Number(part), 0);
}
