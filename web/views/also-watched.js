import { playhead } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import * as session from "../session.js";
import { card } from "./card.js";
import { section } from "./section.js";

/** @typedef {import("../playhead.js").Recommendation} Recommendation */

const SIZE = 6;

/** The shelf of recommended videos, hidden while there are none. */
export function alsoWatchedShelf() {
  const list = h("ul", { class: "rail", role: "list" });
  const root = section("also-watched", t("alsoWatched"), list);
  root.hidden = true;

  /** Reads the videos anew; call it when the page has shown its own. */
  async function refresh() {
    const user = session.user();
    // Without the viewer's consent the server refuses, and there is no shelf.
    const videos = user ? await playhead.recommendations(SIZE).catch(() => []) : [];
    if (session.user()?.id !== user?.id) return;
    list.replaceChildren(...videos.map(recommendedCard));
    root.hidden = videos.length === 0;
  }

  function clear() {
    list.replaceChildren();
    root.hidden = true;
  }

  return { root, refresh, clear };
}

/** @param {Recommendation} video */
const recommendedCard = ({
  id,
  title,
  uploader_username,
  duration,
  thumbnail_path,
  reason,
  ...video
}) =>
  card({
    id,
    title,
    uploader: uploader_username,
    duration,
    thumbnail: thumbnail_path,
    progress: video.watch_progress ?? null,
    note:
      reason.kind === "popular" ? t("popular") : t("becauseWatched", { title: reason.video_title }),
  });
