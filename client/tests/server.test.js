/** The package on a server, where there is no window, no document and no storage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

const before = new Set(Object.getOwnPropertyNames(globalThis));
const { createPlayhead } = await import("playhead");
const { createHistory } = await import("playhead/history");
const { resumeAt } = await import("playhead/start");
const { usePlayhead } = await import("playhead/react");
await Promise.all([
  import("playhead/videojs"),
  import("playhead/vidstack"),
  import("playhead/live"),
  import("playhead/api"),
  import("playhead/shaka"),
]);

/** @param {unknown[]} answers */
const fetchOf =
  (...answers) =>
  async () =>
    Response.json(answers.shift());

test("an import changes nothing", () => {
  assert.deepEqual(
    Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)),
    [],
  );
});

test("a server makes a client, reads with it, and ends it", async () => {
  const fetch = fetchOf({ video_id: 7, resume_at: 40 }, [{ video_id: 7 }], { resume_at: 40 });
  const playhead = createPlayhead({ getToken: () => "token", baseUrl: "https://a.example", fetch });
  assert.equal((await playhead.load(7))?.resume_at, 40);
  assert.equal((await createHistory(playhead).continueWatching()).length, 1);
  assert.equal(await resumeAt(playhead, 7), 40);
  await playhead.deliver();
  await playhead.destroy();
});

test("a server renders a page with a player", () => {
  const playhead = createPlayhead({ getToken: () => null });
  function Film() {
    const { ref, state } = usePlayhead(playhead, 7);
    return createElement("video", { ref, title: state?.state ?? "none" });
  }
  assert.equal(renderToString(createElement(Film)), '<video title="none"></video>');
});
